"""What lies between a business and its customers: accepts messages, carries them to phones, reports what became of them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from .clock import Clock
from .delivery import Courier
from .errors import GraphError
from .outgoing import check
from .payloads import Update, status_update
from .settings import Line, Settings, digits
from .world import USER_ID, Message, Phone, World

TYPING_SECONDS = (
    25.0  # developers.facebook.com, "Typing indicators": dismissed after 25 seconds or with the answer
)


class Network:
    """One emulator: its world, its courier, and the small delays between them."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.world = World(settings, clock)
        self.courier = Courier(self.world, self._delivered_to_business)
        self._tasks: set[asyncio.Task] = set()

    def reset(self) -> None:
        """Forgets phones, chats, media, deliveries and faults; keeps the settings."""
        for task in self._tasks:
            task.cancel()
        self.world.reset()
        self.courier.begin()

    def summary(self) -> dict:
        """The courier's, and how many messages are on their way to a phone or a load has yet to send."""
        return {**self.courier.summary(), "on_the_way": len(self._tasks)}

    def later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task:
        """Runs ``work`` beside the rest; a reset cancels it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # The business writes

    def accept(self, line: Line, body: dict) -> dict:
        """Takes a body of ``POST /{phone-number-id}/messages`` that is not a read receipt and sends it on its way.

        Returns:
            The answer as Meta gives it, with the new message's id.

        Raises:
            GraphError: as Meta would refuse it.
        """
        world = self.world
        to, by_number = _recipient(body)
        if to == digits(line.display_phone_number):
            raise GraphError(131021)
        kind, content, text = check(body, world.media, world.templates)
        phone = world.find_phone(to)
        if kind == "reaction" and content["message_id"] not in world.messages:
            raise GraphError(131009, f"reaction.message_id: no message {content['message_id']} in this chat.")
        injected = world.faults.take_error(to)
        failure = self._refusal(line, to, phone, kind) if injected is None else GraphError(injected.code)
        if failure and not (
            injected.via == "webhook" if injected else failure.code in world.faults.webhook_codes
        ):
            raise failure
        if (
            phone is None
        ):  # accepted and then undeliverable; remembered so that the status has someone to name
            phone = world.add_phone(to) if by_number else world.add_phone(user_id=to)
            phone.reachable = False
        world.throughput[line.phone_number_id].count(world.clock.now())
        message = world.add_message(
            phone,
            line.phone_number_id,
            "out",
            kind,
            content,
            text=text,
            context=(body.get("context") or {}).get("message_id", ""),
            status="accepted",
            opaque=body.get("biz_opaque_callback_data"),
            hidden=True,
            sent_to_number=by_number,
        )
        message.error = failure.in_status() if failure else None
        self.later(self._carry(line, message))
        who = {"wa_id": phone.number} if phone.number else {"user_id": phone.user_id}
        answer: dict = {"id": message.id}
        if kind == "template":
            answer["message_status"] = "accepted"
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": body.get("to") or body.get("recipient"), **who}],
            "messages": [answer],
        }

    def mark_read(self, line: Line, message_id: str, *, typing: bool) -> None:
        """A read receipt: this message and the customer's earlier ones to this line become ``read``.

        Raises:
            GraphError: 131009 where the message is not one of a customer to this line.
        """
        message = self.world.messages.get(message_id)
        if message is None or message.direction != "in" or message.line != line.phone_number_id:
            raise GraphError(131009, f"message_id: no message {message_id} came to this number.")
        now = self.world.clock.now()
        for earlier in message.phone.messages:
            ours = earlier.direction == "in" and earlier.line == message.line and earlier.seq <= message.seq
            if ours and earlier.status != "read":
                earlier.set_status("read", now)
                self.world.touch(earlier)
        if typing:
            message.phone.typing_until[message.line] = now + TYPING_SECONDS
            message.phone.tell()

    # The customer's phone

    def set_online(self, phone: Phone, online: bool) -> None:
        """Switches a phone on or off; what waited for it arrives when it is on again."""
        phone.online = online
        phone.tell()
        if online:
            for message in [
                m for m in phone.messages if m.direction == "out" and m.hidden and m.status == "sent"
            ]:
                self.later(self._arrive(self.world.line(message.line), message))

    def read(self, phone: Phone) -> None:
        """The customer opens the chat: everything that arrived becomes ``read``."""
        for message in phone.messages:
            if message.direction == "out" and message.status == "delivered":
                self._report(self.world.line(message.line), message, "read")

    # Between them

    def _refusal(self, line: Line, to: str, phone: Phone | None, kind: str) -> GraphError | None:
        world, now = self.world, self.world.clock.now()
        allowed = self.settings.allowed_recipients
        if allowed is not None and to not in allowed:
            return GraphError(131030)
        if world.faults.enforce_limits:
            if world.throughput[line.phone_number_id].is_exhausted(now):
                return GraphError(130429)
            if not world.pairs[line.phone_number_id, to].take(now):
                return GraphError(131056)
        if phone is None or not phone.reachable:
            return GraphError(131026)
        if kind != "template" and not world.window_is_open(phone, line.phone_number_id):
            return GraphError(131047)
        return None

    async def _carry(self, line: Line, message: Message) -> None:
        await asyncio.sleep(self.settings.sent_after)
        if message.error:
            self._report(line, message, "failed")
            return
        self._report(line, message, "sent")
        if message.phone.online:
            await self._arrive(line, message)

    async def _arrive(self, line: Line, message: Message) -> None:
        await asyncio.sleep(self.settings.delivered_after - self.settings.sent_after)
        phone, world = message.phone, self.world
        if not phone.online or not message.hidden:
            return
        message.hidden = False
        phone.typing_until.pop(message.line, None)
        if message.type == "reaction":
            target = world.messages.get(message.content["message_id"])
            if target:
                target.reactions["business"] = message.content["emoji"]
                world.touch(target)
        skipped = phone.reads and world.random.random() < world.faults.skip_delivered_rate
        self._report(line, message, "delivered", told=not skipped)
        if phone.reads:
            await asyncio.sleep(max(0.0, self.settings.read_after - self.settings.delivered_after))
            if message.status == "delivered":
                self._report(line, message, "read")

    def _report(self, line: Line, message: Message, status: str, *, told: bool = True) -> None:
        now = self.world.clock.now()
        message.set_status(status, now)
        self.world.touch(message)
        if told:
            self.courier.post(status_update(line, message, status, now))

    def _delivered_to_business(self, update: Update) -> None:
        message = self.world.messages.get(update.message_id)
        if message and message.direction == "in" and message.status == "pending":
            message.set_status("delivered", self.world.clock.now())
            self.world.touch(message)


def _recipient(body: dict) -> tuple[str, bool]:
    """Whom a message is for: digits or a user id, and whether it was a number. ``to`` goes before ``recipient``."""
    to, user_id = body.get("to"), body.get("recipient")
    if to:
        number = digits(str(to))
        if USER_ID.fullmatch(str(to)):
            return str(to), False
        if not 7 <= len(number) <= 15:
            raise GraphError(131009, f"to: {to!r} is not a telephone number with its country code.")
        return number, True
    if not user_id:
        raise GraphError(131008, "to (a telephone number) or recipient (a user id) is missing.")
    if not USER_ID.fullmatch(str(user_id)):
        raise GraphError(131009, f"recipient: {user_id!r} is not a business-scoped user id like OM.12345.")
    return str(user_id), False
