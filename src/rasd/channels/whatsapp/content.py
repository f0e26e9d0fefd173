"""What a message of WhatsApp is in the inbox: a kind, words that a person can read, and the file where there is one."""

import json
from dataclasses import dataclass

from rasd.channels.models import Incoming
from rasd.channels.whatsapp.payload import ID_LENGTH, File, Message

Kind = Incoming.Kind
FILES = {
    "image": Kind.IMAGE,
    "document": Kind.DOCUMENT,
    "audio": Kind.AUDIO,
    "voice": Kind.AUDIO,
    "video": Kind.VIDEO,
    "sticker": Kind.STICKER,
}


@dataclass(frozen=True)
class Content:
    kind: str
    text: str = ""
    button_id: str = ""
    replies_to: str = ""
    file: File | None = None


def content_of(message: Message) -> Content:
    """Anything that is not known becomes UNSUPPORTED with the words that Meta gives for it."""
    answered = message.context.id[:ID_LENGTH]
    if message.type in FILES:
        file: File = getattr(message, message.type)
        known = 0 < len(file.id) <= ID_LENGTH
        return Content(
            FILES[message.type],
            file.caption or file.filename,
            replies_to=answered,
            file=file if known else None,
        )
    match message.type:
        case "text":
            return Content(Kind.TEXT, message.text.body, replies_to=answered)
        case "location":
            place = message.location
            words = [f"{place.latitude}, {place.longitude}", place.name, place.address]
            return Content(Kind.LOCATION, "\n".join(filter(None, words)), replies_to=answered)
        case "contacts":
            cards = [
                " ".join(filter(None, [card.name.formatted_name, *(p.phone for p in card.phones)]))
                for card in message.contacts
            ]
            return Content(Kind.CONTACTS, "\n".join(filter(None, cards)), replies_to=answered)
        case "button":
            return Content(Kind.BUTTON, message.button.text, message.button.payload[:300], answered)
        case "interactive":
            return _interactive(message, answered)
        case "reaction":
            return Content(
                Kind.REACTION, message.reaction.emoji, replies_to=message.reaction.message_id[:ID_LENGTH]
            )
        case "order":
            items = [f"{item.quantity} × {item.product_retailer_id}" for item in message.order.product_items]
            return Content(Kind.ORDER, "\n".join(filter(None, [message.order.text, *items])))
        case "edit" if message.edit:
            inner = content_of(message.edit.message) if message.edit.message else Content(Kind.UNSUPPORTED)
            return Content(Kind.EDIT, inner.text, replies_to=message.edit.original_message_id[:ID_LENGTH])
        case "revoke" if message.revoke:
            return Content(Kind.REVOCATION, replies_to=message.revoke.original_message_id[:ID_LENGTH])
        case "system":
            return Content(Kind.SYSTEM, message.system.body or message.system.type)
        case _:
            return _unsupported(message, answered)


def _interactive(message: Message, answered: str) -> Content:
    part = message.interactive
    match part.type:
        case "button_reply" | "list_reply":
            choice = part.button_reply if part.type == "button_reply" else part.list_reply
            return Content(Kind.BUTTON, choice.title, choice.id[:300], answered)
        case "nfm_reply":
            return Content(
                Kind.FORM, _form(part.nfm_reply.response_json) or part.nfm_reply.body, replies_to=answered
            )
        case "call_permission_reply":
            return Content(
                Kind.UNSUPPORTED, f"{part.type}: {part.call_permission_reply.response}", replies_to=answered
            )
        case _:
            return _unsupported(message, answered)


def _form(response_json: str) -> str:
    """The fields of a form filled in, a line each."""
    try:
        fields = json.loads(response_json)
    except (ValueError, RecursionError):
        return response_json
    if not isinstance(fields, dict):
        return response_json
    return "\n".join(f"{name}: {value}" for name, value in fields.items() if name != "flow_token").replace(
        "\0", ""
    )


def _unsupported(message: Message, answered: str) -> Content:
    words = [message.unsupported.type or message.type, *(str(error) for error in message.errors)]
    return Content(Kind.UNSUPPORTED, "\n".join(filter(None, words)), replies_to=answered)
