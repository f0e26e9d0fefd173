"""The webhook's JSON. Shapes: ``WebhookPayload`` of Meta's OpenAPI v23.0 and developers.facebook.com, "Webhooks reference"
and "Business-scoped user IDs"."""

import hashlib
from dataclasses import dataclass
from itertools import groupby

from .settings import Line, digits
from .world import WINDOW_SECONDS, Message, Phone


@dataclass
class Update:
    """One message or status on its way to the webhook.

    ``kind`` is the list of ``value`` in which it stands: ``messages`` or ``statuses``. ``contact`` is None where Meta leaves
    contacts out (system messages, statuses failed for want of an account). ``message_id`` is the message that it is about.
    """

    line: Line
    kind: str
    item: dict
    contact: dict | None
    message_id: str
    phone_key: str


def contact(phone: Phone) -> dict:
    """An element of ``contacts``: who wrote. Someone who hides the number has ``user_id`` only."""
    profile = {"name": phone.name}
    if phone.username:
        profile["username"] = phone.username
    return {
        "profile": profile,
        **({"wa_id": phone.number} if phone.number else {}),
        "user_id": phone.user_id,
    }


def message_update(line: Line, message: Message, item: dict) -> Update:
    """A customer's message; ``item`` is what differs by type (with ``type``)."""
    phone = message.phone
    return Update(
        line=line,
        kind="messages",
        item={
            **({"from": phone.number} if phone.number else {}),
            "from_user_id": phone.user_id,
            "id": message.id,
            "timestamp": str(int(message.at)),
            **item,
        },
        contact=contact(phone),
        message_id=message.id,
        phone_key=phone.key,
    )


def system_update(line: Line, message: Message, sender: dict, system: dict) -> Update:
    """A system message (number or user id changed); ``sender`` is who the customer was before."""
    item = {**sender, "id": message.id, "timestamp": str(int(message.at)), "type": "system", "system": system}
    return Update(line, "messages", item, None, message.id, message.phone.key)


def status_update(line: Line, message: Message, status: str, at: float) -> Update:
    """What became of a business's message. ``at`` in emulated Unix seconds."""
    phone = message.phone
    failed = status == "failed"
    item: dict = {
        "id": message.id,
        "status": status,
        "timestamp": str(int(at)),
        "recipient_id": phone.number or phone.user_id,
    }
    if not (failed and message.sent_to_number):
        item["recipient_user_id"] = phone.user_id
    if message.opaque is not None:
        item["biz_opaque_callback_data"] = message.opaque
    if failed:
        item["errors"] = [message.error]
    else:
        category = "utility" if message.type == "template" else "service"
        conversation: dict = {"id": _conversation_id(line, phone, at), "origin": {"type": category}}
        if status == "sent":
            conversation["expiration_timestamp"] = str(int(at) + WINDOW_SECONDS)
        item["conversation"] = conversation
        item["pricing"] = {
            "billable": category != "service",
            "pricing_model": "PMP",
            "category": category,
            "type": "regular" if category != "service" else "free_customer_service",
        }
    who = (
        None if failed and not phone.reachable else contact(phone)
    )  # Meta names nobody who is not on the network
    return Update(line, "statuses", item, who, message.id, phone.key)


def payload(updates: list[Update]) -> dict:
    """The body of one webhook call: an entry an account, a change for each run of updates that can share one."""
    entries = []
    for waba_id, of_account in groupby(
        sorted(updates, key=lambda u: u.line.waba_id), key=lambda u: u.line.waba_id
    ):
        changes = [
            _change(list(run))
            for _, run in groupby(
                of_account, key=lambda u: (u.line.phone_number_id, u.kind, u.contact is None)
            )
        ]
        entries.append({"id": waba_id, "changes": changes})
    return {"object": "whatsapp_business_account", "entry": entries}


def _change(updates: list[Update]) -> dict:
    line = updates[0].line
    value: dict = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": digits(line.display_phone_number),
            "phone_number_id": line.phone_number_id,
        },
    }
    contacts = {u.contact["user_id"]: u.contact for u in updates if u.contact}
    if contacts:
        value["contacts"] = list(contacts.values())
    value[updates[0].kind] = [u.item for u in updates]
    return {"value": value, "field": "messages"}


def _conversation_id(line: Line, phone: Phone, at: float) -> str:
    day = int(at // WINDOW_SECONDS)
    return hashlib.sha256(f"{line.phone_number_id} {phone.user_id} {day}".encode()).hexdigest()[:32]
