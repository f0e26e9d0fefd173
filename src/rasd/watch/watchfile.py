"""``watch.yaml``: the one file of a watch. What is tried, how often at most, by whose leave, and who is told.

Paths in it are taken from the file's own folder.
"""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from rasd.watch.journeys.language import Duration, Name, Strict, Text
from rasd.watch.journeys.parsing import parse_as


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone of the IANA list, such as Asia/Muscat") from error
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s]+$")]
Key = Annotated[str, Field(pattern=r"^ed25519:[A-Za-z0-9+/]{43}=$")]
"""A public key as ``rasd watch permit new-key`` prints it."""


class Mailbox(Strict):
    """The made-up people's mailbox. Passwords are ``{secret.NAME}``: ``RASD_WATCH_SECRET_NAME`` in the environment."""

    address: Text = Field(description="someone@example.org; visits write from someone+RANDOM@example.org")
    imap: Text = Field(description="imaps://user@host:993 or imap+plain://user@host:143")
    smtp: Text = Field(
        description="smtp://user@host:587 (STARTTLS), smtps://user@host:465 or smtp+plain://host:25"
    )
    password: str = ""


class Alerts(Strict):
    to: list[Text] = Field(
        default_factory=list, description="addresses as Apprise writes them: mailto://…, tgram://…"
    )
    site: Address | None = Field(
        None, description="where those who are told reach this watch's pages, for the links"
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
    return parse_as(Watchfile, path.read_text("utf-8"), str(path))
