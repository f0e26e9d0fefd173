"""The watch's own mailbox: IMAP in, SMTP out. Whatever goes wrong here is ours, never the target's (G15)."""

import contextlib
import imaplib
import smtplib
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from rasd.watch.players.base import CannotPlay
from rasd.watch.players.finding import Trouble
from rasd.watch.players.letters import Received, read_letter
from rasd.watch.watchfile import Mailbox

PORTS = {"imaps": 993, "imap+plain": 143, "smtp": 587, "smtps": 465, "smtp+plain": 25}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # RFC 3501, 9
CLOCKS_DIFFER = timedelta(minutes=2)
"""That the mail server's clock may be behind ours: a letter of the visit is not taken for an older one."""
STALE = timedelta(days=7)
"""Letters to people of visits long over, which came too late to be taken away by their own."""
GREETS_AS = "[127.0.0.1]"
"""In EHLO, as mail programs on a desk say it: the name of the watch's host is nobody's business."""


class Where:
    """``scheme://user@host:port``; the user's own ``@`` may be written as it is or as ``%40``."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self.scheme, self.host = parts.scheme, parts.hostname or ""
        self.port, self.user = parts.port or PORTS[parts.scheme], unquote(parts.username or "")


@contextmanager
def ours(doing: str) -> Iterator[None]:
    """Whatever breaks inside is trouble with the watch's own mail. Raises CannotPlay with the fact ``own``."""
    try:
        yield
    except (OSError, imaplib.IMAP4.error, smtplib.SMTPException) as error:
        said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error).encode()
        says = " ".join(said.decode(errors="replace").split()) or type(error).__name__
        raise CannotPlay(Trouble.UNREACHABLE, f"{doing}: {says}", own=True) from error


class Postbox:
    """The mailbox by IMAP, connected at the first need."""

    def __init__(self, mailbox: Mailbox, password: str) -> None:
        self.mailbox, self.password = mailbox, password
        self._imap: imaplib.IMAP4 | None = None
        self._known: dict[str, Received] = {}

    def letters_to(self, address: str, since: datetime, timeout: float) -> list[Received]:
        """Those that came to ``address`` since (aware), oldest first. ``timeout``: seconds for each answer of the server.

        A connection that was dropped meanwhile is made anew, once. Raises CannotPlay with the fact ``own``.
        """
        with ours("our own mailbox could not be looked into"):
            try:
                return self._letters_to(address, since, timeout)
            except (imaplib.IMAP4.abort, OSError):
                if self._imap is None:  # it was never there: no second try
                    raise
                self.close()
                return self._letters_to(address, since, timeout)

    def _letters_to(self, address: str, since: datetime, timeout: float) -> list[Received]:
        imap = self._connected(timeout)
        imap.noop()
        earliest = since - CLOCKS_DIFFER
        for uid in self._search(imap, address, f"SINCE {_day(earliest - timedelta(days=1))}"):  # of any zone
            if uid not in self._known and (letter := self._fetch(imap, uid)):
                self._known[uid] = letter
        mine = [
            each
            for each in self._known.values()
            if address.lower() in each.recipients and each.arrived >= earliest
        ]
        return sorted(mine, key=lambda each: (each.arrived, int(each.uid)))

    def mark_read(self, uid: str) -> None:
        with ours("a letter could not be marked as read"):
            if self._imap:
                self._imap.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")

    def tidy(self, address: str, now: datetime) -> int:
        """Takes away the letters to ``address``, and those to people of visits long over. Gives how many.

        Raises CannotPlay with the fact ``own``.
        """
        with ours("our own mailbox could not be tidied"):
            if self._imap is None:
                return 0
            gone = [*self._search(self._imap, address, "ALL")]
            name, _, host = self.mailbox.address.partition("@")
            for uid in self._search(self._imap, f"{name}+", f"BEFORE {_day(now - STALE)}"):
                letter = self._fetch(self._imap, uid)
                if letter and any(_is_of(name, host, each) for each in letter.recipients):
                    gone.append(uid)
            return self._remove(self._imap, list(dict.fromkeys(gone)))

    def close(self) -> None:
        if self._imap is not None:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                self._imap.logout()
            self._imap = None

    def _connected(self, timeout: float) -> imaplib.IMAP4:
        if self._imap is None:
            where = Where(self.mailbox.imap)
            if where.scheme == "imaps":
                imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                    where.host, where.port, ssl_context=ssl.create_default_context(), timeout=timeout
                )
            else:
                imap = imaplib.IMAP4(where.host, where.port, timeout=timeout)
            try:
                imap.login(where.user, self.password)
                _good(*imap.select("INBOX"))
            except BaseException:
                with contextlib.suppress(OSError, imaplib.IMAP4.error):
                    imap.shutdown()
                raise
            self._imap = imap
        self._imap.sock.settimeout(timeout)
        return self._imap

    def _search(self, imap: imaplib.IMAP4, address: str, more: str) -> Iterator[str]:
        words = '"' + address.replace("\\", "\\\\").replace('"', '\\"') + '"'
        to = f"OR TO {words} OR CC {words} OR HEADER Delivered-To {words} HEADER X-Original-To {words}"
        (found, *_) = _good(*imap.uid("SEARCH", f"{more} {to}"))
        yield from (found or b"").decode().split()

    def _fetch(self, imap: imaplib.IMAP4, uid: str) -> Received | None:
        answer = _good(*imap.uid("FETCH", uid, "(INTERNALDATE BODY.PEEK[])"))
        raw = next((each[1] for each in answer if isinstance(each, tuple)), None)
        about = b" ".join(each[0] if isinstance(each, tuple) else each for each in answer if each)
        if raw is None:  # somebody took it away meanwhile
            return None
        when = imaplib.Internaldate2tuple(about)
        arrived = datetime.fromtimestamp(time.mktime(when), UTC) if when else datetime.now(UTC)
        return read_letter(uid, raw, arrived)

    def _remove(self, imap: imaplib.IMAP4, uids: list[str]) -> int:
        if uids:
            these = ",".join(uids)
            _good(*imap.uid("STORE", these, "+FLAGS.SILENT", r"(\Deleted)"))
            (able, *_) = _good(
                *imap.capability()
            )  # asked now: many servers tell all of it only to who has logged in
            if b"UIDPLUS" in able.upper().split():
                _good(*imap.uid("EXPUNGE", these))
            else:  # an old server: whatever is marked in this mailbox goes, as whoever marked it wanted
                _good(*imap.expunge())
        return len(uids)


def _good(status: str, data: Iterable) -> list:
    found = list(data)
    if status != "OK":
        raise imaplib.IMAP4.error(b" ".join(each for each in found if isinstance(each, bytes)).decode())
    return found


def _day(at: datetime) -> str:
    return f"{at.day:02}-{MONTHS[at.month - 1]}-{at.year}"


def _is_of(name: str, host: str, address: str) -> bool:
    """Whether it is an address of one visit: ``name+RANDOM@host``; never the mailbox's own."""
    found, _, at = address.partition("@")
    return at == host.lower() and found.startswith(f"{name.lower()}+")


def send(mailbox: Mailbox, password: str, message: EmailMessage, timeout: float) -> None:
    """Hands the letter to the watch's own mail server. ``timeout``: seconds for each of its answers.

    Raises CannotPlay with the fact ``own``: also where that server will not take the letter, as who is to blame cannot be told.
    A letter that the other side does not take comes back later, and is found in the mailbox.
    """
    where = Where(mailbox.smtp)
    with ours("our own mail server did not take the letter"), _server(where, timeout) as smtp:
        if where.scheme == "smtp":
            smtp.starttls(context=ssl.create_default_context())
        if where.user and password:
            smtp.login(where.user, password)
        smtp.send_message(message)


def _server(where: Where, timeout: float) -> smtplib.SMTP:
    if where.scheme != "smtps":
        return smtplib.SMTP(where.host, where.port, GREETS_AS, timeout)
    context = ssl.create_default_context()
    return smtplib.SMTP_SSL(where.host, where.port, GREETS_AS, timeout=timeout, context=context)
