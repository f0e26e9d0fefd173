"""What a customer can do with the phone."""

from typing import Any

from .media import LIMITS, WEBHOOK_ID_SECONDS, bare
from .network import Network
from .payloads import message_update, system_update
from .settings import digits
from .world import USER_ID, Message, Phone

# An upload of the phone becomes a message of this type; anything else is a document.
KIND_OF_MIME = {"image/jpeg": "image", "image/png": "image", "image/webp": "sticker"}


class Customer:
    """Acts for one phone towards one line.

    Every method returns the message that it made. Raises ValueError (or LookupError for what is not in the chat) with
    words that name the field and the mend.
    """

    def __init__(self, network: Network, phone: Phone, phone_number_id: str = "") -> None:
        self._network = network
        self._world = network.world
        self.phone = phone
        self.line = network.world.line(phone_number_id)

    def text(self, body: str, context: str = "", forwarded: bool = False) -> Message:
        """Writes ``body``; ``context`` is the id of the message that is answered."""
        if not body:
            raise ValueError("text: it is empty. Write something.")
        return self._send("text", {"body": body}, body, context, forwarded=forwarded)

    def upload(
        self,
        data: bytes,
        mime_type: str,
        *,
        caption: str = "",
        filename: str = "",
        voice: bool = False,
        kind: str = "",
        context: str = "",
    ) -> Message:
        """Sends a file: image, sticker, audio (``voice``: a voice note), video or document, by its MIME type or by ``kind``."""
        if not data:
            raise ValueError("file: it is empty. Choose another one.")
        kind = kind or KIND_OF_MIME.get(bare(mime_type)) or bare(mime_type).split("/")[0]
        if kind not in {"image", "audio", "video", "sticker"}:
            kind = "document"
        size_max = LIMITS[kind][0]
        if len(data) > size_max:
            raise ValueError(
                f"file: {len(data)} bytes; {kind} may have {size_max} at most. Choose a smaller one."
            )
        media = self._world.media.add(
            data,
            mime_type,
            filename=filename,
            phone_number_id=self.line.phone_number_id,
            seconds=WEBHOOK_ID_SECONDS,
        )
        content: dict = {"mime_type": mime_type, "sha256": media.sha256_base64, "id": media.id}
        if kind == "audio":
            content["voice"] = voice
        elif kind == "sticker":
            content["animated"] = False
        elif kind == "document":
            content["filename"] = filename or "file"
        if caption and kind in {"image", "video", "document"}:
            content["caption"] = caption
        return self._send(kind, content, caption, context)

    def press(self, button: str) -> Message:
        """Presses the newest button with this title or id (a reply button, or a template's quick reply)."""
        for message in reversed(self._business_messages()):
            for title, button_id in reply_buttons(message):
                if button in (title, button_id):
                    reply = {"id": button_id, "title": title}
                    content = {"type": "button_reply", "button_reply": reply}
                    return self._send("interactive", content, title, message.id)
            for title, payload in quick_replies(message):
                if button in (title, payload):
                    return self._send("button", {"payload": payload, "text": title}, title, message.id)
        raise LookupError(
            f"button: no button {button!r} in this chat. There are: {self._titles(reply_buttons)}."
        )

    def choose(self, row: str) -> Message:
        """Chooses the newest list row with this title or id."""
        for message in reversed(self._business_messages()):
            for title, row_id, description in list_rows(message):
                if row in (title, row_id):
                    reply = {"id": row_id, "title": title}
                    if description:
                        reply["description"] = description
                    content = {"type": "list_reply", "list_reply": reply}
                    return self._send("interactive", content, title, message.id)
        raise LookupError(f"row: no row {row!r} in this chat. There are: {self._titles(list_rows)}.")

    def location(self, latitude: float, longitude: float, name: str = "", address: str = "") -> Message:
        """Shares a place; degrees, WGS 84."""
        if not (abs(latitude) <= 90 and abs(longitude) <= 180):
            raise ValueError(f"location: {latitude}, {longitude} is not on Earth. Give degrees.")
        content: dict = {"latitude": latitude, "longitude": longitude}
        content |= {k: v for k, v in (("name", name), ("address", address)) if v}
        return self._send("location", content, f"{name} {address}".strip())

    def contacts(self, contacts: list[dict]) -> Message:
        """Shares cards from the address book, in the Cloud API's form."""
        names = ", ".join((c.get("name") or {}).get("formatted_name", "?") for c in contacts)
        return self._send("contacts", contacts, names)

    def react(self, message_id: str, emoji: str) -> Message:
        """Reacts to a message; an empty ``emoji`` takes the reaction back."""
        target = self._message(message_id)
        target.reactions["customer"] = emoji
        self._world.touch(target)
        content = {"message_id": message_id, **({"emoji": emoji} if emoji else {})}
        return self._send("reaction", content, emoji)

    def edit(self, message_id: str, text: str) -> Message:
        """Changes an own text, or the caption of an own picture."""
        target = self._own(message_id)
        part = "body" if target.type == "text" else "caption"
        target.content = {**target.content, part: text}
        target.text, target.edited = text, True
        self._world.touch(target)
        inner = {"context": {"id": message_id}, "type": target.type, target.type: target.content}
        return self._send("edit", {"original_message_id": message_id, "message": inner}, text)

    def revoke(self, message_id: str) -> Message:
        """Deletes an own message for everyone."""
        target = self._own(message_id)
        target.revoked = True
        self._world.touch(target)
        return self._send("revoke", {"original_message_id": message_id}, "")

    def change_number(self, number: str) -> Message:
        """Moves to another number; the business gets a system message from the old one."""
        old, new = self.phone.number, digits(number)
        if not old or not 7 <= len(new) <= 15:
            raise ValueError(
                f"number: {number!r} is not a number with its country code, or the phone had none before."
            )
        sender = {"from": old, "from_user_id": self.phone.user_id}
        self._world.renumber(self.phone, number=new)
        words = f"User {self.phone.name} changed from {old} to {new}"
        return self._system(sender, {"body": words, "wa_id": new, "type": "user_changed_number"})

    def change_user_id(self, user_id: str) -> Message:
        """Gets another business-scoped user id; the business gets a system message."""
        if not USER_ID.fullmatch(user_id):
            raise ValueError(f"user_id: {user_id!r} is not like OM.12345.")
        old = self.phone.user_id
        sender = {**({"from": self.phone.number} if self.phone.number else {}), "from_user_id": old}
        self._world.renumber(self.phone, user_id=user_id)
        words = f"User {self.phone.name} changed from {old} to {user_id}"
        return self._system(sender, {"body": words, "user_id": user_id, "type": "user_changed_user_id"})

    def unsupported(self, of_type: str = "poll") -> Message:
        """Something that the Cloud API does not carry (a poll, a view-once picture)."""
        error = {
            "code": 131051,
            "title": "Message type unknown",
            "message": "Message type unknown",
            "error_data": {"details": "Message type is currently not supported."},
        }
        message = self._keep("unsupported", {"type": of_type}, f"[{of_type}]")
        item = {"type": "unsupported", "errors": [error], "unsupported": {"type": of_type}}
        self._network.courier.post(message_update(self.line, message, item))
        return message

    def raw(self, kind: str, content: Any) -> Message:
        """Any other type with any content, as it shall stand in the webhook (an ``order``, say)."""
        return self._send(kind, content, f"[{kind}]")

    def _send(
        self, kind: str, content: Any, text: str, context: str = "", *, forwarded: bool = False
    ) -> Message:
        message = self._keep(kind, content, text, context)
        item: dict = {"type": kind, kind: content}
        if context:
            sender = self._world.messages.get(context)
            ours = sender is None or sender.direction == "out"
            item["context"] = {
                "from": digits(self.line.display_phone_number) if ours else self.phone.key,
                "id": context,
            }
        elif forwarded:
            item["context"] = {"forwarded": True}
        self._network.courier.post(message_update(self.line, message, item))
        return message

    def _system(self, sender: dict, system: dict) -> Message:
        message = self._keep("system", system, system["body"])
        self._network.courier.post(system_update(self.line, message, sender, system))
        return message

    def _keep(self, kind: str, content: Any, text: str, context: str = "") -> Message:
        now, line = self._world.clock.now(), self.line.phone_number_id
        if kind != "system":  # which the customer did not write, so it opens no window
            self.phone.last_wrote[line] = now
        self._world.throughput[line].count(now)
        return self._world.add_message(self.phone, line, "in", kind, content, text=text, context=context)

    def _business_messages(self) -> list[Message]:
        line = self.line.phone_number_id
        return [m for m in self.phone.messages if m.direction == "out" and not m.hidden and m.line == line]

    def _titles(self, of: Any) -> str:
        return ", ".join(repr(found[0]) for m in self._business_messages() for found in of(m)) or "none"

    def _message(self, message_id: str) -> Message:
        found = self._world.messages.get(message_id)
        if found is None or found.phone is not self.phone:
            raise LookupError(f"message_id: no message {message_id} in this chat.")
        return found

    def _own(self, message_id: str) -> Message:
        found = self._message(message_id)
        if found.direction != "in" or found.type not in {
            "text",
            "image",
            "video",
            "document",
            "audio",
            "location",
        }:
            raise ValueError(f"message_id: {message_id} is not a message that this customer can change.")
        return found


def reply_buttons(message: Message) -> list[tuple[str, str]]:
    """Title and id of the reply buttons of an interactive message."""
    if message.type != "interactive":
        return []
    replies = [b["reply"] for b in message.content["action"].get("buttons", [])]
    return [(r["title"], r["id"]) for r in replies]


def list_rows(message: Message) -> list[tuple[str, str, str]]:
    """Title, id and description of the rows of a list message."""
    if message.type != "interactive":
        return []
    rows = [
        row for section in message.content["action"].get("sections", []) for row in section.get("rows", [])
    ]
    return [(r["title"], r["id"], r.get("description", "")) for r in rows]


def quick_replies(message: Message) -> list[tuple[str, str]]:
    """Text and payload of a template's quick replies. The emulator does not know their titles: the payload stands for them."""
    if message.type != "template":
        return []
    buttons = [
        c
        for c in message.content.get("components") or []
        if str(c.get("sub_type", "")).lower() == "quick_reply"
    ]
    payloads = [p.get("payload") or p.get("text", "") for b in buttons for p in b.get("parameters") or []]
    return [(str(p), str(p)) for p in payloads]
