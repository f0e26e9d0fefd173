"""E-mail: he writes, he waits for a letter, he takes a one-time code from it or from his authenticator."""

import base64
import mimetypes
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, make_msgid
from pathlib import Path
from typing import Any

import pyotp

from rasd.watch.journeys.steps import Awaited, Code, Go, Mail, Python, Step, Write
from rasd.watch.journeys.written import Channel
from rasd.watch.players import odd
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.drawing import photograph
from rasd.watch.players.finding import Exhibit, ExhibitKind, Trouble
from rasd.watch.players.letters import Received
from rasd.watch.players.postbox import Postbox, send
from rasd.watch.watchfile import Mailbox

LONGEST_SILENCE = 30.0  # seconds that our own mail server may take for one answer
SOONEST_LOOK, LATEST_LOOK = 1.0, 15.0  # seconds between two looks into the mailbox
LOOKS_PER_WAIT = (
    0.1  # of the time that he has waited already: who waits for an hour does not look every second
)
CODE_FOR = 30  # seconds that a one-time code stands (RFC 6238, 5.2)
TOO_LATE = (
    5.0  # seconds: a code that stands for less is over before it is typed and sent; people wait for the next
)


class Authenticator(pyotp.TOTP):
    """Takes the secret that the service gave: many give 80 bits, and pyotp refuses less than 112."""

    def byte_secret(self) -> bytes:
        return base64.b32decode(self.secret + "=" * (-len(self.secret) % 8), casefold=True)


class MailPlayer:
    """Plays write, mail and code. ``since``: when the visit began; ``folder``: where the journey's attachments lie."""

    channel = Channel.MAIL

    def __init__(self, mailbox: Mailbox | None, since: datetime, folder: Path = Path()) -> None:
        self.mailbox, self.since, self.folder = mailbox, since, folder
        self._postbox: Postbox | None = None
        self._taken: set[str] = set()
        """Letters that a step has had: the next step waits for another one."""
        self._exhibits: list[Exhibit] = []

    def play(self, step: Step, errand: Errand) -> dict[str, Any]:
        match step:
            case Write():
                return self._write(step, errand)
            case Mail():
                return self._await(step, errand)
            case Code():
                return self._code(step, errand)
            case Python():
                return odd.call(step, errand, self.folder)
            case Go():
                return {}
            case _:
                raise CannotPlay(
                    Trouble.JOURNEY, f"{step.verb!r} cannot be done by e-mail: 'go' elsewhere first"
                )

    def witness(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        exhibits, self._exhibits = tuple(self._exhibits), []
        return exhibits

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        """Takes this visit's letters out of the mailbox. Raises CannotPlay with the fact ``own`` where that is not possible:
        a later visit then does it."""
        if self._postbox:
            try:
                self._postbox.tidy(errand.someone["email"], errand.clock.now())
            finally:
                self._postbox.close()
        return ()

    # He writes

    def _write(self, step: Write, errand: Errand) -> dict[str, Any]:
        mailbox, letter = self._own(errand), step.write
        message = EmailMessage()
        message["From"] = _address(errand.someone)
        message["To"] = to = errand.text(letter.to)
        message["Subject"] = errand.text(letter.subject)
        message["Date"] = format_datetime(errand.clock.now())
        message["Message-ID"] = make_msgid(domain=errand.someone["email"].rpartition("@")[2])
        message.set_content(errand.text(letter.words))
        for name in letter.attach:
            self._attach(message, errand.text(name), errand)
        for _, address in getaddresses([to]):
            errand.ask_leave(f"mailto:{address}", sends=True)
        send(mailbox, self._password(mailbox, errand), message, self._patience(step, errand))
        self._keep(_as_written(message), errand)
        return {"typed": 3, "attached": len(letter.attach)}  # to whom, about what, and the words

    def _attach(self, message: EmailMessage, name: str, errand: Errand) -> None:
        if name == "photograph":
            drawn = photograph(errand.random)
            errand.kept["photograph"] = drawn.words
            message.add_attachment(drawn.jpeg, maintype="image", subtype="jpeg", filename="IMG.jpg")
            return
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise CannotPlay(
                Trouble.JOURNEY, f"{name} cannot be attached: {error.strerror or error}"
            ) from error
        main, _, sub = (mimetypes.guess_type(name)[0] or "application/octet-stream").partition("/")
        message.add_attachment(data, maintype=main, subtype=sub, filename=Path(name).name)

    # He waits for a letter

    def _await(self, step: Mail, errand: Errand) -> dict[str, Any]:
        mailbox, clock = self._own(errand), errand.clock
        postbox = self._postbox = self._postbox or Postbox(mailbox, self._password(mailbox, errand))
        awaited, began = _filled(step.mail, errand), clock.monotonic()
        while True:
            waiting = self._letters(postbox, step, errand)
            for letter in waiting:
                kept = letter.kept(awaited)
                if kept is not None:
                    postbox.mark_read(letter.uid)
                    return self._take(letter, kept, errand, clock.monotonic() - began)
            self._give_up_if_returned(waiting, errand)
            left = errand.left(step)
            if left <= 0:
                raise self._in_vain(waiting, errand, clock.monotonic() - began)
            waited = clock.monotonic() - began
            clock.sleep(min(left, LATEST_LOOK, max(SOONEST_LOOK, waited * LOOKS_PER_WAIT)))

    def _letters(self, postbox: Postbox, step: Mail, errand: Errand) -> list[Received]:
        letters = postbox.letters_to(errand.someone["email"], self.since, self._patience(step, errand))
        return [each for each in letters if each.uid not in self._taken]

    def _take(self, letter: Received, kept: dict[str, str], errand: Errand, waited: float) -> dict[str, Any]:
        self._taken.add(letter.uid)
        self._keep(letter.shown(), errand)
        errand.kept.update(kept)
        return {
            "waited": round(waited, 1),
            "arrived": letter.arrived.astimezone(UTC).isoformat(),
            "attachments": [each.name for each in letter.attachments],
        }

    def _give_up_if_returned(self, waiting: Sequence[Received], errand: Errand) -> None:
        """A letter of his that came back is an answer: nobody waits on for another."""
        for letter in waiting:
            if letter.returned:
                self._taken.add(letter.uid)
                self._keep(letter.shown() + "\n" + letter.returned, errand)
                trouble = Trouble.WALL if letter.returned_by_rule else Trouble.ERROR_PAGE
                raise CannotPlay(trouble, f"his e-mail came back: {letter.subject}")

    def _in_vain(self, waiting: Sequence[Received], errand: Errand, waited: float) -> CannotPlay:
        facts = {"waited": round(waited, 1), "gave_up": True}
        if not waiting:
            return CannotPlay(Trouble.NO_ANSWER, "no e-mail came", **facts)
        for letter in waiting:
            self._keep(letter.shown(), errand)
        subjects = ", ".join(f"“{each.subject}”" for each in waiting)
        return CannotPlay(
            Trouble.OTHER_WORDS, f"e-mail came, but not the one he waited for: {subjects}", **facts
        )

    # His authenticator

    def _code(self, step: Code, errand: Errand) -> dict[str, Any]:
        secret = errand.text(step.code.secret).replace(" ", "")
        try:
            authenticator = Authenticator(secret, interval=CODE_FOR)
            now = errand.clock.now()
            stands_for = CODE_FOR - now.timestamp() % CODE_FOR
            if waits := stands_for < TOO_LATE:
                errand.clock.sleep(stands_for)
                now = errand.clock.now()
            errand.kept[step.code.keep] = authenticator.at(now)
        except ValueError as error:  # binascii's too
            raise CannotPlay(
                Trouble.JOURNEY, f"{step.code.secret} is not the base-32 secret of an authenticator"
            ) from error
        return {"waited": round(stands_for, 1)} if waits else {}

    # Both ways

    def _own(self, errand: Errand) -> Mailbox:
        if self.mailbox is None:
            raise CannotPlay(
                Trouble.JOURNEY,
                f"watch.yaml gives {errand.journey.target} no mailbox: add mailbox: {{address, imap, smtp, password}}",
            )
        return self.mailbox

    def _password(self, mailbox: Mailbox, errand: Errand) -> str:
        return errand.text(mailbox.password)

    def _patience(self, step: Step, errand: Errand) -> float:
        return max(1.0, min(LONGEST_SILENCE, errand.left(step)))

    def _keep(self, letter: str, errand: Errand) -> None:
        data = errand.masked(letter).encode()
        self._exhibits.append(errand.box.put(ExhibitKind.LETTER, data, "text/plain; charset=utf-8"))


def _address(someone: Any) -> Address:
    name = " ".join(filter(None, (someone.get("first"), someone.get("last")))) or someone.get("name", "")
    return Address(display_name=name, addr_spec=someone["email"])


def _filled(awaited: Awaited, errand: Errand) -> Awaited:
    """The patterns with the values of the visit in them."""

    def fill(pattern: str | None) -> str | None:
        return errand.pattern(pattern) if pattern else None

    return Awaited(
        subject=fill(awaited.subject),
        sender=fill(awaited.sender),
        words=fill(awaited.words),
        keep={name: errand.pattern(pattern) for name, pattern in awaited.keep.items()},
    )


def _as_written(message: EmailMessage) -> str:
    """The letter that he sent, as evidence."""
    body = message.get_body(("plain",))
    lines = [
        f"{name}: {value}" for name, value in message.items() if not name.startswith(("Content", "MIME"))
    ]
    lines += [f"Attached: {part.get_filename()}" for part in message.iter_attachments()]
    return "\n".join([*lines, "", body.get_content() if body else ""])
