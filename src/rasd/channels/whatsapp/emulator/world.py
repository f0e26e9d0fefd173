"""The state of an emulator: lines, phones, their chats. In memory, bounded, gone when the process ends."""

import asyncio
import base64
import hashlib
import random
import re
import secrets
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import phonenumbers

from .clock import Clock, iso
from .faults import Faults
from .limits import Pair, Throughput
from .media import MediaStore
from .settings import Line, Settings, digits

WINDOW_SECONDS = 24 * 3600  # the customer service window; developers.facebook.com, "Send messages"
USER_ID = re.compile(
    r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}"
)  # a business-scoped user id: country, dot, identifier


class NotKnownError(LookupError):
    """There is no such phone, line or message; the words say what there is instead."""


@dataclass
class Message:
    """One message of a chat, in either direction: ``in`` to the business, ``out`` from it.

    ``content`` is the message's part as it stands in the Cloud API (``{"body": ...}`` for text). ``status`` of one going in is
    ``pending``, ``delivered`` (the webhook answered 200) or ``read``; of one going out ``accepted``, ``sent``, ``delivered``,
    ``read`` or ``failed``.
    """

    seq: int
    id: str
    line: str
    phone: "Phone"
    direction: str
    type: str
    content: Any
    at: float
    text: str = ""
    context: str = ""
    status: str = "pending"
    statuses: list[dict] = field(default_factory=list)
    error: dict | None = None
    opaque: str | None = None
    reactions: dict[str, str] = field(default_factory=dict)
    edited: bool = False
    revoked: bool = False
    hidden: bool = False  # it has not reached the phone yet, which is offline
    sent_to_number: bool = True
    revision: int = 0  # grows with every change in this emulator, so that a watcher can ask for what is newer

    def set_status(self, status: str, at: float) -> None:
        self.status = status
        self.statuses.append({"status": status, "at": iso(at)})

    def as_dict(self) -> dict:
        """As the control API shows it; times in UTC."""
        return {
            "seq": self.seq,
            "revision": self.revision,
            "id": self.id,
            "line": self.line,
            "direction": self.direction,
            "type": self.type,
            "text": self.text,
            "content": self.content,
            "at": iso(self.at),
            "context": self.context or None,
            "status": self.status,
            "statuses": self.statuses,
            "error": self.error,
            "biz_opaque_callback_data": self.opaque,
            "reactions": self.reactions,
            "edited": self.edited,
            "revoked": self.revoked,
        }


@dataclass
class Phone:
    """A customer's phone. ``number`` is empty for someone who wrote by user name and shows no number."""

    number: str
    user_id: str
    name: str
    username: str = ""
    online: bool = True
    reads: bool = True  # opens what it gets, so that ``read`` follows ``delivered``
    reachable: bool = True  # False: 131026, as a number that is not on the network
    messages: list[Message] = field(default_factory=list)
    last_wrote: dict[str, float] = field(default_factory=dict)  # line -> emulated Unix time
    typing_until: dict[str, float] = field(default_factory=dict)
    changed: set[asyncio.Event] = field(default_factory=set)

    @property
    def key(self) -> str:
        """What it is called in addresses: the number's digits, or the user id where there is no number."""
        return self.number or self.user_id

    def as_dict(self) -> dict:
        seen = [m for m in self.messages if not m.hidden]
        return {
            "key": self.key,
            "number": f"+{self.number}" if self.number else None,
            "user_id": self.user_id,
            "name": self.name,
            "username": self.username or None,
            "online": self.online,
            "reads": self.reads,
            "reachable": self.reachable,
            "messages": len(seen),
            "last": seen[-1].as_dict() if seen else None,
        }

    def tell(self) -> None:
        """Wakes whoever watches this phone."""
        for event in self.changed:
            event.set()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[asyncio.Event]:
        """An event that is set at each change of the chat; the watcher clears it."""
        event = asyncio.Event()
        self.changed.add(event)
        try:
            yield event
        finally:
            self.changed.discard(event)


class World:
    """Everything an emulator knows. Used from one event loop only, so there are no locks."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self._offset = self.clock.offset
        self.random = random.Random(settings.seed)  # noqa: S311 - faults, not secrets
        self.begin()

    def begin(self) -> None:
        """A fresh state: the configured lines and templates, no phones, no faults."""
        self.born = secrets.token_hex(4)
        self.faults = Faults()
        self.lines: dict[str, Line] = {line.phone_number_id: line for line in self.settings.lines}
        self.templates: dict[tuple[str, str], str] = dict(self.settings.templates)
        self.phones: dict[str, Phone] = {}
        self.aliases: dict[str, str] = {}
        self.messages: OrderedDict[str, Message] = OrderedDict()
        self.throughput: defaultdict[str, Throughput] = defaultdict(Throughput)
        self.pairs: defaultdict[tuple[str, str], Pair] = defaultdict(Pair)
        self.media = MediaStore(self.clock, self.settings.kept_media)
        self._seq = 0
        self._revision = 0
        for number, name in self.settings.phones:
            self.add_phone(number, name=name)

    def reset(self) -> None:
        """Forgets everything but the settings; the clock returns to where it began."""
        self.media.close()
        self.clock.offset = self._offset
        gone = list(self.phones.values())
        self.begin()
        for phone in gone:
            phone.tell()

    def line(self, phone_number_id: str = "") -> Line:
        """The line of that id; without one, the first."""
        if not phone_number_id:
            return next(iter(self.lines.values()))
        try:
            return self.lines[phone_number_id]
        except KeyError:
            raise NotKnownError(
                f"line {phone_number_id}: not here. There are: {', '.join(self.lines) or 'none'}."
            ) from None

    def add_phone(self, number: str = "", *, user_id: str = "", name: str = "", username: str = "") -> Phone:
        """A customer's phone; the one that is there already where the number or user id is known.

        Raises:
            ValueError: neither a number nor a user id, or a malformed one.
        """
        number = digits(number)
        if number and not 7 <= len(number) <= 15:
            raise ValueError(
                f"number: {number!r} is not 7 to 15 digits with its country code, like +968 9000 0001."
            )
        if user_id and not USER_ID.fullmatch(user_id):
            raise ValueError(f"user_id: {user_id!r} is not like OM.12345.")
        if not number and not user_id:
            raise ValueError("number: give a number like +968 9000 0001, or a user_id like OM.12345.")
        known = self.find_phone(number or user_id)
        if known:
            known.name, known.username = name or known.name, username or known.username
            return known
        phone = Phone(
            number=number,
            user_id=user_id or _user_id(number),
            name=name or (f"+{number}" if number else username or user_id),
            username=username,
        )
        self.phones[phone.key] = phone
        self.aliases[phone.user_id] = phone.key
        return phone

    def find_phone(self, key: str) -> Phone | None:
        """By number in any writing, or by user id."""
        if not USER_ID.fullmatch(key):
            key = digits(key)
        return self.phones.get(self.aliases.get(key, key))

    def phone(self, key: str) -> Phone:
        """As ``find_phone``.

        Raises:
            NotKnownError: there is none.
        """
        phone = self.find_phone(key)
        if phone is None:
            raise NotKnownError(f"phone {key}: not here. Add it first (POST /_emulator/phones).")
        return phone

    def renumber(self, phone: Phone, number: str = "", user_id: str = "") -> None:
        """The customer takes another number or gets another user id; the chat stays with the phone."""
        if number and self.find_phone(number) not in (None, phone):
            raise ValueError(f"number: +{number} belongs to another phone here. Take a free one.")
        del self.phones[phone.key]
        phone.number, phone.user_id = number or phone.number, user_id or phone.user_id
        self.phones[phone.key] = phone
        self.aliases[phone.user_id] = phone.key

    def add_message(
        self, phone: Phone, line: str, direction: str, kind: str, content: Any, **more: Any
    ) -> Message:
        """Appends a message to the phone's chat, letting the oldest go where there are too many."""
        self._seq += 1
        message = Message(
            seq=self._seq,
            id=message_id(phone.key),
            line=line,
            phone=phone,
            direction=direction,
            type=kind,
            content=content,
            at=self.clock.now(),
            **more,
        )
        self.messages[message.id] = message
        phone.messages.append(message)
        while len(phone.messages) > self.settings.kept_messages:
            self.messages.pop(phone.messages.pop(0).id, None)
        self.touch(message)
        return message

    def touch(self, message: Message) -> None:
        """The message changed: it gets a new revision, and watchers are woken."""
        self._revision += 1
        message.revision = self._revision
        message.phone.tell()

    def window_is_open(self, phone: Phone, line: str) -> bool:
        """Whether the customer wrote to this line within the last 24 hours."""
        last = phone.last_wrote.get(line)
        return last is not None and self.clock.now() - last < WINDOW_SECONDS

    def close(self) -> None:
        self.media.close()


def message_id(key: str) -> str:
    """A new message id, shaped as Meta's."""
    return "wamid." + base64.b64encode(b"\x1d\x1c" + key.encode()[:15] + secrets.token_bytes(14)).decode()


def _user_id(number: str) -> str:
    """A business-scoped user id for a number, the same at every start, so that a restart does not make a stranger of it."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(f"+{number}")) or "ZZ"
    except phonenumbers.NumberParseException:
        region = "ZZ"
    return f"{region}.{int.from_bytes(hashlib.sha256(number.encode()).digest()[:8], 'big') % 10**18:018d}"
