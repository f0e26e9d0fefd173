"""``watch.yaml``: the one file of a watch. What is tried, how often at most, by whose leave, and who is told.

Paths in it are taken from the file's own folder.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from rasd.watch.journeys import Journey, Mistake, NotAJourney, read
from rasd.watch.journeys.parsing import Place, load, parse_as
from rasd.watch.journeys.written import Duration, Name, Strict, Text, Zone
from rasd.watch.schedule.drawing import Refused, refuse_what_cannot_be

Address = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
Key = Annotated[str, Field(pattern=r"^ed25519:[A-Za-z0-9+/]{43}=$")]
"""A public key as ``rasd watch permit new-key`` prints it."""


def _plain_address(address: str) -> str:
    if not re.fullmatch(r"[^@\s+]+@[^@\s+]+", address):
        raise ValueError(f"{address!r} is not an address such as someone@example.org, without a +")
    return address


def _begins_with(*schemes: str) -> Callable[[str], str]:
    def check(address: str) -> str:
        if not address.startswith(schemes) or not urlsplit(address).hostname:
            raise ValueError(f"{address!r} does not begin with {' or '.join(schemes)} and name a host")
        return address

    return check


class Mailbox(Strict):
    """The made-up people's mailbox. Passwords are ``{secret.NAME}``: ``RASD_WATCH_SECRET_NAME`` in the environment."""

    address: Annotated[Text, AfterValidator(_plain_address)] = Field(
        description="someone@example.org; visits write from someone+RANDOM@example.org"
    )
    imap: Annotated[Text, AfterValidator(_begins_with("imaps://", "imap+plain://"))] = Field(
        description="imaps://user@host:993 or, on this machine, imap+plain://user@host:143"
    )
    smtp: Annotated[Text, AfterValidator(_begins_with("smtp://", "smtps://", "smtp+plain://"))] = Field(
        description="smtp://user@host:587 (STARTTLS), smtps://user@host:465 or, on this machine, smtp+plain://host:25"
    )
    password: str = ""


class Alerts(Strict):
    to: list[Text] = Field(
        default_factory=list, description="addresses as Apprise writes them: mailto://…, tgram://…"
    )
    objective: float = Field(0.95, gt=0, lt=1, description="the share of visits that should be completed")
    fast: Duration = Field("6h", validate_default=True)
    slow: Duration = Field("72h", validate_default=True)


class TargetEntry(Strict):
    title: Text
    url: Address
    zone: Zone = "Asia/Muscat"
    permission: Path | None = Field(None, description="the owner's signed permission; not needed on loopback")
    owner_key: Key | None = Field(
        None,
        description="the owner's public key as he handed it over; without it, what he publishes at "
        "/.well-known/rasd-permission counts",
    )
    visits_a_day: int = Field(48, ge=1, le=5000, description="at most, confirmations included")
    journeys: list[Text] = Field(min_length=1, description="files, or patterns such as journeys/*.yaml")
    public: bool = Field(False, description="shown to everybody on /status")
    mailbox: Mailbox | None = None


class Watcher(Strict):
    name: Name = "here"
    place: Text = Field("", description="where this machine stands, as reports say it: Muscat, Omantel fibre")
    own_network: list[Address] = Field(
        default_factory=list,
        description="two or three places of different owners that answer when our own line works; never a target",
    )
    heartbeat: Address | None = Field(
        None, description="asked after every round: whoever listens notices a dead watch"
    )


class Keep(Strict):
    """How long the evidence lies in the box. Hashes, findings and verdicts stay for ever."""

    days: int = Field(30, ge=1)
    failures_days: int = Field(400, ge=1)


class Watchfile(Strict):
    watcher: Watcher = Watcher()
    weeks: int = Field(
        4, ge=1, le=26, description="every hour of the week is visited at least once in so many weeks"
    )
    targets: dict[Name, TargetEntry] = Field(min_length=1)
    alerts: Alerts = Alerts()
    keep: Keep = Keep()
    traces: float = Field(
        0.05, ge=0, le=1, description="the share of visits that went well of which the trace is kept"
    )


def read_watchfile(path: Path) -> Watchfile:
    """Raises NotAJourney with line, column and mend; OSError where it cannot be read."""
    return parse_as(Watchfile, _text_of(path), str(path))


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise NotAJourney([Mistake(1, 1, "it is not UTF-8", "save the file as UTF-8")], str(path)) from error


@dataclass(frozen=True)
class Errand:
    """One journey's file, as it was read."""

    journey: Journey
    text: str
    folder: Path
    """What it attaches and its Python are beside it."""


@dataclass(frozen=True)
class Whole:
    """``watch.yaml`` and all journeys that it names, nothing wrong with any of them."""

    file: Watchfile
    path: Path
    errands: dict[str, dict[str, Errand]]
    """Target → journey → its file."""

    @property
    def folder(self) -> Path:
        return self.path.parent

    def stamp(self) -> str:
        """Changes when one of its files does, comes or goes; tells it without reading them."""
        files = [self.path]
        for entry in self.file.targets.values():
            for pattern in entry.journeys:
                files += _files(self.folder, pattern)
        return "\n".join(map(_stamp, files))


class NotAWatch(Exception):
    """``watch.yaml``, or journeys that it names, cannot be used: all mistakes of all files, each with its place."""

    def __init__(self, wrong: list[NotAJourney]) -> None:
        self.wrong = wrong
        super().__init__("\n".join(map(str, wrong)))


def read_whole(path: Path) -> Whole:
    """The file and its journeys. Raises NotAWatch; OSError where ``watch.yaml`` itself cannot be read."""
    try:
        text = _text_of(path)
        file = parse_as(Watchfile, text, str(path))
    except NotAJourney as error:
        raise NotAWatch([error]) from error
    _, places = load(text, str(path))
    mistakes: list[Mistake] = []
    wrong: dict[Path, NotAJourney] = {}
    errands: dict[str, dict[str, Errand]] = {}
    for name, entry in file.targets.items():
        try:
            refuse_what_cannot_be(file.weeks, entry.visits_a_day)
        except Refused as error:
            at = places.get(("targets", name, "visits_a_day"), places["targets", name])
            mistakes.append(Mistake(*at, *_says_and_mend(error)))
        errands[name] = {}
        for number, pattern in enumerate(entry.journeys):
            at = places["targets", name, "journeys", number]
            found = _files(path.parent, pattern)
            if not found:
                mistakes.append(
                    Mistake(*at, f"no file is found by {pattern!r}", "paths begin at this file's folder")
                )
            for each in found:
                try:
                    errand = _errand(each)
                except NotAJourney as error:
                    wrong[each] = error
                    continue
                mistakes += _misplaced(errand.journey, each, name, at, errands[name])
                errands[name][errand.journey.journey] = errand
    if mistakes:
        raise NotAWatch([NotAJourney(mistakes, str(path)), *wrong.values()])
    if wrong:
        raise NotAWatch(list(wrong.values()))
    return Whole(file, path.resolve(), errands)


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"{path}: none"
    return f"{path}: {found.st_mtime_ns} {found.st_size} {found.st_ino}"


def _says_and_mend(error: Refused) -> tuple[str, str]:
    says, _, mend = str(error).partition(": ")
    return says, mend


def _files(folder: Path, pattern: str) -> list[Path]:
    """Of a path or a pattern, in order of the alphabet."""
    if Path(pattern).is_absolute():
        return [Path(pattern)] if Path(pattern).is_file() else []
    return sorted(each for each in folder.glob(pattern) if each.is_file())


def _errand(path: Path) -> Errand:
    """Raises NotAJourney, also for a file that cannot be read."""
    try:
        journey = read(path)
        return Errand(journey, path.read_text("utf-8"), path.parent.resolve())
    except OSError as error:
        raise NotAJourney([Mistake(1, 1, f"cannot be read: {error.strerror}")], str(path)) from error


def _misplaced(
    journey: Journey, file: Path, target: str, at: Place, others: dict[str, Errand]
) -> Iterator[Mistake]:
    if journey.target != target:
        yield Mistake(
            *at,
            f"{file.name} is a journey of {journey.target!r}, and stands under {target!r}",
            "write it under the target that it names",
        )
    if journey.journey in others:
        yield Mistake(
            *at, f"two files are the journey {journey.journey!r}", f"{file.name} is one of them: rename it"
        )
