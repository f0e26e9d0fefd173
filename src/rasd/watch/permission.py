"""The owner's signed permission, without which the watch touches nothing outside loopback (G13, docs/watch-conduct.md).

A statement (YAML, read by people), a line ``---``, and an Ed25519 signature over the statement's text. A signature proves that
nothing was changed since the holder of a key signed; whose key it is, must be known otherwise:

- **published** at ``https://origin/.well-known/rasd-permission``: who runs that origin says so, today, to everybody, over TLS.
  As much as a certificate authority asks for before it gives a certificate. It holds for that origin and for no other, however
  many the statement lists, and ends when he takes it down.
- **named** as ``owner_key`` in ``watch.yaml``: whoever runs the watch says that the owner handed it over. As good as his word
  and the way it came; it holds for all that the statement lists, chats and mail too.
- in a DNS TXT record: who runs the zone says so, for mail too. Not read yet.
"""

import base64
import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rasd.watch.journeys.parsing import NotAJourney, parse_as
from rasd.watch.journeys.written import Strict, Text, Zone
from rasd.watch.places import (
    PORTS,
    NotPlain,
    Place,
    Resolve,
    addresses_of,
    host_of,
    is_loopback,
    leads_home,
    place,
)
from rasd.watch.watchfile import Key

WELL_KNOWN = "/.well-known/rasd-permission"
SIGNED_AS = b"rasd-permission-1\n"
"""Before what is signed: a signature made for anything else is none of a permission."""
SEAL = "---\n# Signed. Whatever is changed above makes it void.\n"
POSTED = re.compile(r"^(?:key: )?(ed25519:[A-Za-z0-9+/]{43}=)\s*$", re.MULTILINE)
WITHDRAWN = re.compile(r"^withdrawn: (ed25519:[A-Za-z0-9+/]{43}=|all)\s*$", re.MULTILINE)
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$&'*+/=^_`{|}~-]+")
MESSENGER = re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+")
NOBODYS = ("test", "example", "invalid", "localhost")
"""Top-level domains that belong to nobody (RFC 6761): mail to them reaches no one outside."""


class NotAPermission(ValueError):
    """A file that permits nothing. The message says why, for whoever has to mend it."""


def _clock(value: object) -> object:
    """YAML 1.1 takes an unquoted 22:30 for the number 22 × 60 + 30."""
    return time(*divmod(value, 60)) if isinstance(value, int) and 0 <= value < 24 * 60 else value


def written_to(mail: str) -> str:
    """A mail domain, or an address, as it is compared. Raises NotPlain."""
    local, at, domain = mail.rpartition("@")
    if at and not LOCAL_PART.fullmatch(local):
        raise NotPlain(f"{local!r} is no name of a mailbox")
    return f"{local.lower()}{at}{host_of(domain)}"


class Quiet(Strict):
    """Hours in which nobody is to come. From 22:00 until 06:00 goes over midnight, and is of the day on which it begins."""

    days: list[Day] = Field(list(DAYS), min_length=1)
    since: Annotated[time, BeforeValidator(_clock)] = Field(alias="from")
    until: Annotated[time, BeforeValidator(_clock)]

    def covers(self, local: datetime) -> bool:
        """``local``: in the statement's time zone."""
        today, before = DAYS[local.weekday()], DAYS[local.weekday() - 1]
        now = local.time().replace(tzinfo=None)
        if self.since < self.until:
            return today in self.days and self.since <= now < self.until
        return (today in self.days and now >= self.since) or (before in self.days and now < self.until)


RENEWED_BEFORE = timedelta(days=14)
"""So long before its end another is asked for: a signature takes an office its time."""


class Statement(Strict):
    """What the owner of a service signs."""

    service: Text
    granted_by: Text = Field(description="who signs, and as what")
    asked_by: Text = Field(description="who runs the watch")
    call: Text = Field(description="whom either side calls, day and night, and how")
    begins: AwareDatetime
    ends: AwareDatetime = Field(description="there is no permission without an end")
    zone: Zone = "Asia/Muscat"
    origins: list[Text] = Field(
        [], description="https://host, or with a path: then that path and what is below"
    )
    mail: list[Text] = Field([], description="domains, or whole addresses, that are written to")
    chat: list[Text] = Field([], description="addresses of messengers, as whatsapp:+96824000000")
    visits_a_day: int = Field(ge=1, description="at most, of all journeys together")
    not_during: list[Quiet] = []
    may_submit: list[Text] = Field([], description="in words; empty: nothing at all is sent, only looked at")

    def is_to_be_renewed(self, now: datetime) -> bool:
        """It ends soon, or has ended."""
        return now >= self.ends - RENEWED_BEFORE

    @model_validator(mode="after")
    def _says_where_and_when(self) -> Self:
        if self.ends <= self.begins:
            raise ValueError("it ends before it begins")
        if not (self.origins or self.mail or self.chat):
            raise ValueError("it says nowhere: name origins, mail or chat")
        for each in self.origins:
            try:
                place(each)
            except NotPlain as error:
                raise ValueError(str(error)) from error
            if "?" in each or "#" in each:
                raise ValueError(f"{each!r}: an origin and a path, without '?' and '#'")
        for each in self.mail:
            try:
                written_to(each)
            except NotPlain as error:
                raise ValueError(f"{each!r} is neither a mail domain nor an address: {error}") from error
        return self

    @cached_property
    def places(self) -> tuple[Place, ...]:
        return tuple(map(place, self.origins))

    @property
    def publishers(self) -> set[str]:
        """The origins whose word counts for something of it."""
        domains = {written_to(each).rpartition("@")[2] for each in self.mail}
        return {each.origin for each in self.places} | {f"https://{domain}" for domain in domains}


class Seal(Strict):
    key: Key
    signature: Text


def new_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def key_of(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The public key as files and ``watch.yaml`` write it: ``ed25519:`` and base 64."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return "ed25519:" + base64.b64encode(public.public_bytes_raw()).decode()


def _plain(text: str) -> str:
    """Mail and editors change the ends of lines, and nothing else that would pass unseen."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").strip("\n") + "\n"


def sign(text: str, key: Ed25519PrivateKey) -> str:
    """The whole file: ``text`` and its seal. Raises NotAPermission where the text is no statement."""
    text = _plain(text)
    if re.search(r"^---\s*$", text, re.MULTILINE):
        raise NotAPermission("a line '---' stands in it: that is where the signature begins")
    _statement(text)
    signature = base64.b64encode(key.sign(SIGNED_AS + text.encode())).decode()
    return f"{text}{SEAL}key: {key_of(key)}\nsignature: {signature}\n"


def _statement(text: str) -> Statement:
    try:
        return parse_as(Statement, text)
    except NotAJourney as error:
        raise NotAPermission(str(error)) from error


@dataclass(frozen=True)
class Signed:
    """A statement whose signature is good. That says nothing yet of whose key it is."""

    statement: Statement
    key: str


def read_signed(text: str) -> Signed:
    """Raises NotAPermission."""
    statement, line, seal = _plain(text).partition("\n---\n")
    if not line:
        raise NotAPermission("it is not signed: there is no line '---' with a signature below it")
    statement += "\n"
    try:
        sealed = parse_as(Seal, seal)
        signature = base64.b64decode(sealed.signature, validate=True)
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(sealed.key.partition(":")[2]))
        public.verify(signature, SIGNED_AS + statement.encode())
    except NotAJourney as error:
        raise NotAPermission(f"the signature below '---' cannot be read: {error}") from error
    except (ValueError, InvalidSignature) as error:
        raise NotAPermission("the signature does not fit: it was changed after it was signed") from error
    return Signed(_statement(statement), sealed.key)


class Permission(BaseModel):
    """A signed permission, and what is known of whose key it is. Crosses to the playing process as JSON."""

    model_config = ConfigDict(frozen=True)
    text: str
    """The signed file, whole: the signature is tried wherever it is used."""
    owner_key: str = ""
    """As ``watch.yaml`` names it."""
    posted: dict[str, str] = {}
    """Origin → what stands there at ``WELL_KNOWN``."""

    @cached_property
    def signed(self) -> Signed:
        """Raises NotAPermission."""
        return read_signed(self.text)


class Why(StrEnum):
    """Why not. ``words`` of a refusal say it in a sentence."""

    NOT_PLAIN = "not plain"
    NO_PERMISSION = "no permission"
    NOT_SIGNED = "not signed"
    UNKNOWN_KEY = "unknown key"
    WITHDRAWN = "withdrawn"
    NOT_YET = "not yet"
    EXPIRED = "expired"
    ELSEWHERE = "elsewhere"
    HOME = "home"
    HOURS = "hours"
    NOTHING_SENT = "nothing sent"
    ROBOTS = "robots"
    UNREAD = "robots.txt unread"


@dataclass(frozen=True)
class Permit:
    """Go. ``statement`` is None on loopback, where nobody need be asked."""

    statement: Statement | None = None


@dataclass(frozen=True)
class Refusal:
    why: Why
    words: str


def permitted(
    url: str,
    permission: Permission | None,
    now: datetime,
    *,
    sends: bool = False,
    resolve: Resolve = addresses_of,
) -> Permit | Refusal:
    """Whether ``url`` may be asked for: http(s), ``mailto:`` or a messenger's address. ``sends``: a form, a letter, a message.

    ``now``: when the visit began, so that one that began in time may end. ``resolve``: the addresses of a name. What stands
    behind a permitted name at the moment of the connection is decided by its owner; that it is this machine is refused.
    """
    try:
        there = _there(url)
    except NotPlain as error:
        return Refusal(Why.NOT_PLAIN, str(error))
    if isinstance(there, Place) and is_loopback(there, resolve):
        return Permit()
    if isinstance(there, _Mailbox) and there.domain.rpartition(".")[2] in NOBODYS:
        return Permit()
    if permission is None:
        return Refusal(Why.NO_PERMISSION, f"{url} is not on loopback, and nobody's permission is there")
    try:
        signed = permission.signed
    except NotAPermission as error:
        return Refusal(Why.NOT_SIGNED, str(error))
    statement = signed.statement
    if not _covers(statement, there):
        return Refusal(Why.ELSEWHERE, f"the permission does not cover {there}")
    if refusal := _stranger(permission, signed.key, there):
        return refusal
    if refusal := out_of_time(statement, now):
        return refusal
    if (sends or isinstance(there, _Mailbox | _Chat)) and not statement.may_submit:
        return Refusal(Why.NOTHING_SENT, "the permission is to look, not to send: 'may_submit' is empty")
    if isinstance(there, Place) and not there.ip and leads_home(there, resolve, any):
        return Refusal(
            Why.HOME, f"{there.host} leads to this machine itself, which its owner cannot permit us to visit"
        )
    return Permit(statement)


@dataclass(frozen=True)
class _Mailbox:
    address: str
    domain: str

    @property
    def origin(self) -> str:
        """Whose word counts for it."""
        return f"https://{self.domain}"

    def __str__(self) -> str:
        return self.address


@dataclass(frozen=True)
class _Chat:
    address: str
    origin = ""
    """Nobody publishes for a telephone number: its key must be named."""

    def __str__(self) -> str:
        return self.address


def _there(url: str) -> Place | _Mailbox | _Chat:
    """Raises NotPlain."""
    scheme, colon, rest = url.partition(":")
    if scheme.lower() in PORTS:
        return place(url)
    if scheme.lower() == "mailto":
        local, at, domain = rest.partition("?")[0].rpartition("@")
        if not at or not LOCAL_PART.fullmatch(local):
            raise NotPlain(f"{url!r} is no address of one mailbox: mailto:somebody@example.org")
        host = host_of(domain)
        return _Mailbox(f"{local}@{host}", host)
    if not colon or not MESSENGER.fullmatch(url):
        raise NotPlain(
            f"{url!r} is no address: https://…, mailto:… or a messenger's, as whatsapp:+96824000000"
        )
    return _Chat(url)


def _covers(statement: Statement, there: Place | _Mailbox | _Chat) -> bool:
    match there:
        case Place():
            return any(each.holds(there) for each in statement.places)
        case _Mailbox():
            granted = {written_to(each) for each in statement.mail}
            return there.domain in granted or written_to(there.address) in granted
        case _Chat():
            return there.address in statement.chat


def _stranger(permission: Permission, key: str, there: Place | _Mailbox | _Chat) -> Refusal | None:
    """The refusal where nobody vouches that it is the owner's key. What the owner withdraws where he publishes is withdrawn,
    however the key was known."""
    origin = there.origin
    posted = permission.posted.get(origin, "")
    if {key, "all"} & set(WITHDRAWN.findall(posted)):
        return Refusal(Why.WITHDRAWN, f"the owner has withdrawn it at {origin}{WELL_KNOWN}")
    if key in {permission.owner_key, *POSTED.findall(posted)}:
        return None
    where = f" and {origin}{WELL_KNOWN} does not publish it" if origin else ""
    return Refusal(
        Why.UNKNOWN_KEY, f"nobody says whose key {key} is: watch.yaml names no such owner_key{where}"
    )


def out_of_time(statement: Statement, now: datetime) -> Refusal | None:
    if now < statement.begins:
        return Refusal(Why.NOT_YET, f"the permission begins at {statement.begins.isoformat()}")
    if now >= statement.ends:
        return Refusal(Why.EXPIRED, f"the permission ended at {statement.ends.isoformat()}: ask for another")
    if any(quiet.covers(now.astimezone(ZoneInfo(statement.zone))) for quiet in statement.not_during):
        return Refusal(Why.HOURS, "the owner does not want visits at this hour")
    return None
