"""What Meta's webhook says, as typed values. Tolerant throughout: an unknown or wrong part is empty, never an exception.

Shapes: ``WebhookPayload`` of Meta's OpenAPI v23.0; developers.facebook.com, "Webhooks reference" and "Business-scoped user
IDs".
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp's first year: no message is older
ID_LENGTH = 200  # characters; Meta's ids have at most about 130

T = TypeVar("T")


def words(value: object) -> str:
    """A string or a number as a string; anything else is ""."""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


Words = Annotated[str, BeforeValidator(words)]


class Tolerant(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _anything(cls, value: object) -> object:
        return value if isinstance(value, dict) else {}


Many = Annotated[list[T], BeforeValidator(_list)]


class Profile(Tolerant):
    name: Words = ""


class Contact(Tolerant):
    profile: Profile = Profile()
    wa_id: Words = ""
    user_id: Words = ""


class Problem(Tolerant):
    code: Words = ""
    title: Words = ""
    message: Words = ""
    error_data: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _data(cls, value: object) -> object:
        if isinstance(value, dict) and not isinstance(value.get("error_data", {}), dict):
            return {**value, "error_data": {}}
        return value if isinstance(value, dict) else {}

    @property
    def number(self) -> int | None:
        return int(self.code) if self.code.isascii() and self.code.isdigit() and len(self.code) < 10 else None

    def __str__(self) -> str:
        details = words(self.error_data.get("details"))
        return ": ".join(dict.fromkeys(filter(None, [self.code, self.title or self.message, details])))


class Body(Tolerant):
    body: Words = ""


class File(Tolerant):
    id: Words = ""
    mime_type: Words = ""
    filename: Words = ""
    caption: Words = ""


class Place(Tolerant):
    latitude: Words = ""
    longitude: Words = ""
    name: Words = ""
    address: Words = ""


class Choice(Tolerant):
    id: Words = ""
    title: Words = ""


class Form(Tolerant):
    body: Words = ""
    response_json: Words = ""


class Permission(Tolerant):
    response: Words = ""


class Interactive(Tolerant):
    type: Words = ""
    button_reply: Choice = Choice()
    list_reply: Choice = Choice()
    nfm_reply: Form = Form()
    call_permission_reply: Permission = Permission()


class TemplateButton(Tolerant):
    payload: Words = ""
    text: Words = ""


class Reaction(Tolerant):
    message_id: Words = ""
    emoji: Words = ""


class Context(Tolerant):
    id: Words = ""


class CardName(Tolerant):
    formatted_name: Words = ""


class CardPhone(Tolerant):
    phone: Words = ""


class Card(Tolerant):
    name: CardName = CardName()
    phones: Many[CardPhone] = []


class Item(Tolerant):
    product_retailer_id: Words = ""
    quantity: Words = ""


class Order(Tolerant):
    text: Words = ""
    product_items: Many[Item] = []


class System(Tolerant):
    body: Words = ""
    type: Words = ""
    wa_id: Words = ""
    new_wa_id: Words = ""
    user_id: Words = ""


class Unsupported(Tolerant):
    type: Words = ""


class Message(Tolerant):
    """One of ``messages``. ``from_`` is digits, ``timestamp`` Unix seconds."""

    id: Words = ""
    from_: Words = Field("", alias="from")
    from_user_id: Words = ""
    timestamp: Words = ""
    type: Words = ""
    context: Context = Context()
    text: Body = Body()
    image: File = File()
    document: File = File()
    audio: File = File()
    voice: File = File()
    video: File = File()
    sticker: File = File()
    location: Place = Place()
    contacts: Many[Card] = []
    interactive: Interactive = Interactive()
    button: TemplateButton = TemplateButton()
    reaction: Reaction = Reaction()
    order: Order = Order()
    edit: "Change" = None  # type: ignore[assignment]
    revoke: "Change" = None  # type: ignore[assignment]
    system: System = System()
    unsupported: Unsupported = Unsupported()
    errors: Many[Problem] = []


class Change(Tolerant):
    """An edit or a revocation of an earlier message."""

    original_message_id: Words = ""
    message: Message | None = None


class Status(Tolerant):
    """One of ``statuses``."""

    id: Words = ""
    status: Words = ""
    timestamp: Words = ""
    biz_opaque_callback_data: Words = ""
    errors: Many[Problem] = []


Message.model_rebuild()


@dataclass(frozen=True)
class Update:
    """One message, status or call, with the line and the contacts that stood beside it. ``raw`` is storable JSON."""

    kind: str  # messages, statuses or calls
    line_id: str
    raw: dict[str, Any]
    contacts: list[Contact] = field(default_factory=list)


def read(body: bytes) -> tuple[list[Update], list[str]]:
    """Every message, status and call of every change of every entry, and in words what could not be understood."""
    try:
        payload = storable(json.loads(body))
    except (ValueError, RecursionError) as error:
        return [], [f"not JSON: {str(error)[:200]}"]
    updates: list[Update] = []
    troubles: list[str] = []
    for where, change in _changes(payload, troubles):
        name, value = words(change.get("field")) or "no field", change.get("value")
        if not isinstance(value, dict):
            troubles.append(f"{where}: value is missing or not an object")
            continue
        troubles += [
            f"{where}: Meta reports {Problem.model_validate(e)}"
            for e in _list(value.get("errors"))
            if isinstance(e, dict)
        ]
        metadata = value.get("metadata")
        line_id = words(metadata.get("phone_number_id")) if isinstance(metadata, dict) else ""
        contacts = [Contact.model_validate(c) for c in _list(value.get("contacts"))]
        understood = False
        for kind in ("messages", "statuses", "calls"):
            if value.get(kind) is not None and not isinstance(value[kind], list):
                troubles.append(f"{where}: {kind} is not a list")
            for row, raw in enumerate(_list(value.get(kind))):
                understood = True
                if isinstance(raw, dict):
                    updates.append(Update(kind, line_id, raw, contacts))
                else:
                    troubles.append(f"{where}.{kind}[{row}]: not an object")
        if not understood and not value.get("errors"):
            troubles.append(
                f"{where}: {name} {words(value.get('event'))}".rstrip() + ": nothing here reads it"
            )
    return updates, troubles


def _changes(payload: object, troubles: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    entries = payload.get("entry") if isinstance(payload, dict) else None
    if not isinstance(entries, list):
        troubles.append("entry: missing or not a list")
        return
    for i, entry in enumerate(entries):
        changes = entry.get("changes") if isinstance(entry, dict) else None
        if not isinstance(changes, list):
            troubles.append(f"entry[{i}].changes: missing or not a list")
            continue
        for j, change in enumerate(changes):
            if isinstance(change, dict):
                yield f"entry[{i}].changes[{j}]", change
            else:
                troubles.append(f"entry[{i}].changes[{j}]: not an object")


def storable(value: Any) -> Any:
    """The same JSON without what PostgreSQL cannot hold: NUL, half surrogate pairs, numbers that are none."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(k): storable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [storable(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def time_of(timestamp: str, *, latest: datetime) -> datetime | None:
    """Unix seconds as a time in UTC; None where it is none, or lies before WhatsApp or after ``latest``."""
    try:
        at = datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if EARLIEST <= at <= latest else None
