from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models, transaction
from django.db.models import F, Func, Q, Value
from django.utils import timezone

from rasd.channels.models import Address, Incoming, Line, Outgoing
from rasd.desk.models.contacts import Contact
from rasd.desk.models.queues import Matter, Queue
from rasd.ledger.models import record

if TYPE_CHECKING:
    from rasd.desk.models.obligations import Obligation


class Conversation(models.Model):
    """Everything said between one address and one line until it is closed. One is open at a time."""

    line = models.ForeignKey(Line, models.PROTECT)
    address = models.ForeignKey(Address, models.PROTECT, related_name="conversations")
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="conversations")
    language = models.CharField(max_length=5, default="ar", help_text="the one the customer writes in")
    matter = models.CharField(
        max_length=20, choices=Matter, blank=True, help_text="what it is about, where somebody said so"
    )
    opened_at = models.DateTimeField(default=timezone.now)
    last_message_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "address"], condition=Q(closed_at__isnull=True), name="one_open_conversation"
            ),
        ]
        indexes = [models.Index(fields=["-last_message_at"], name="conversation_latest")]

    def __str__(self) -> str:
        return f"conversation:{self.pk}"

    @classmethod
    def take_in(cls, incoming: Incoming) -> "Message":
        """The message's place in its conversation, which is opened where none is; the same one however often it is called."""
        with transaction.atomic():
            # One at a time for each address: four photographs at once make one conversation.
            Address.objects.select_for_update().get(pk=incoming.address_id)
            if found := Message.objects.filter(incoming=incoming).select_related("conversation").first():
                return found
            conversation = cls.objects.filter(
                line=incoming.line, address=incoming.address, closed_at=None
            ).first()
            if conversation is None:
                conversation = cls.objects.create(
                    line=incoming.line,
                    address=incoming.address,
                    contact=Contact.of(incoming.address),
                    opened_at=incoming.sent_at,
                    last_message_at=incoming.sent_at,
                )
            return conversation._add(at=incoming.sent_at, incoming=incoming)

    def say(
        self,
        text: str,
        *,
        key: str,
        at: datetime,
        kind: str = Outgoing.Kind.TEXT,
        content: dict[str, Any] | None = None,
        answers: Incoming | None = None,
        of_hand_over: bool = False,
    ) -> "Message | None":
        """The machine speaks. None, and nothing is said, while the conversation is with people (G8).

        Args:
            key: what makes it this message: a second call with the same key changes nothing.
            of_hand_over: the one thing that the machine still says then: that a person has it, and when.
        """
        if self.is_with_people and not of_hand_over:
            return None
        return self._send(text, key=key, at=at, kind=kind, content=content, answers=answers, author=None)

    def reply(self, text: str, *, author: User, key: str, at: datetime) -> "Message":
        """A member of staff answers; once for each ``key``, which the page makes before it sends."""
        with transaction.atomic():
            message = self._send(text, key=f"reply:{key}", at=at, author=author)
            if owed := self.owed:
                owed.answer_with(message)
            return message

    def speak(self, language: str | None) -> None:
        """The machine answers in it from now on; None: as before."""
        if language and language != self.language:
            self.language = language
            self.save(update_fields=["language"])

    def note(self, text: str, *, at: datetime, author: User | None = None) -> "Message":
        """For staff only; from the machine where it has no author."""
        return self._add(at=at, note=text, author=author)

    def hand_over(self, *, wish: str, why: str, at: datetime, actor: str) -> "HandOver":
        """From here on no robot speaks (G8), until :meth:`give_back`. The hand-over that stands already, if one does."""
        with transaction.atomic():
            Conversation.objects.select_for_update().get(pk=self.pk)
            if standing := self.standing_hand_over:
                return standing
            hand_over = self.hand_overs.create(wish=wish, why=why, at=at)
            record(actor, "conversation.handed_over", str(self), at=at, why=why, facts={"wish": wish})
            return hand_over

    def give_back(self, *, at: datetime, actor: str) -> None:
        """The machine may speak again: the customer wants it, or the person is done."""
        with transaction.atomic():
            if self.hand_overs.filter(ended_at=None).update(ended_at=at):
                record(actor, "conversation.given_back", str(self), at=at)

    def owe(self, message: "Message", *, queue: "Queue") -> "Obligation":
        """``message`` is owed an answer (G7). Several in a row are one obligation, from the first of them.

        One that is answered, but whose answer the channel has not taken yet, does not count: what comes meanwhile is
        owed as soon as that answer is out.
        """
        with transaction.atomic():
            Conversation.objects.select_for_update().get(pk=self.pk)
            if owed := self.owed:
                if owed.discharged_by_id and owed.next_message_id is None:
                    owed.next_message = message
                    owed.save(update_fields=["next_message"])
                return owed
            return self.owe_from(message, queue)

    def owe_from(self, message: "Message", queue: Queue) -> "Obligation":
        """A new obligation, from ``message`` on; the caller knows that none stands."""
        from rasd.desk.models.obligations import Obligation

        return Obligation.begin(
            message=message,
            conversation=self,
            queue=queue,
            matter=self.matter,
            since=message.at,
            actor=f"customer:{self.address.identifier}" if message.incoming_id else "machine:flows",
        )

    @property
    def standing_hand_over(self) -> "HandOver | None":
        return self.hand_overs.filter(ended_at=None).first()

    @property
    def is_with_people(self) -> bool:
        return self.standing_hand_over is not None

    @property
    def owed(self) -> "Obligation | None":
        """The answer that is owed in it, if one is."""
        return self.obligations.filter(kind="answer", discharged_at=None).first()

    def timeline(self) -> models.QuerySet["Message"]:
        return self.messages.select_related("incoming__media", "outgoing", "author")

    def _send(
        self, text: str, *, key: str, at: datetime, author: User | None, **outgoing: Any
    ) -> "Message":
        answers = outgoing.pop("answers", None)
        with transaction.atomic():
            sent = Outgoing.queue(
                line=self.line, address=self.address, key=key, text=text, replies_to=answers, **outgoing
            )
            if found := Message.objects.filter(outgoing=sent).first():
                return found
            return self._add(at=at, outgoing=sent, author=author)

    def _add(self, *, at: datetime, **what: Any) -> "Message":
        said = what.get("incoming") or what.get("outgoing")
        message = self.messages.create(at=at, words=said.text if said else what["note"], **what)
        if at > self.last_message_at:
            self.last_message_at = at
            self.save(update_fields=["last_message_at"])
        return message


class Message(models.Model):
    """One entry of a conversation: a customer's message, an answer, or a note that only staff see."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="messages")
    at = models.DateTimeField()
    incoming = models.OneToOneField(Incoming, models.PROTECT, null=True, related_name="message")
    outgoing = models.OneToOneField(Outgoing, models.PROTECT, null=True, related_name="message")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, help_text="null: the customer, or the machine"
    )
    note = models.TextField(blank=True, help_text="for staff only")
    words = models.TextField(blank=True, help_text="what was said, wherever it stands, for searching")
    search = models.GeneratedField(
        expression=SearchVector(Func(F("words"), function="desk_plain"), config=Value("simple")),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["conversation", "at"], name="message_in_conversation"),
            GinIndex(fields=["search"], name="message_search", fastupdate=False),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(incoming__isnull=False, outgoing__isnull=True, note="")
                    | Q(incoming__isnull=True, outgoing__isnull=False, note="")
                    | (Q(incoming__isnull=True, outgoing__isnull=True) & ~Q(note=""))
                ),
                name="message_is_one_thing",
            ),
        ]


class HandOver(models.Model):
    """From the machine to people (G8): until it ends, no robot speaks in the conversation."""

    class Wish(models.TextChoices):
        CUSTOMER = "customer", "the customer asked for a person"
        MACHINE = "machine", "the machine could not go on"
        STAFF = "staff", "a member of staff took over"

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="hand_overs")
    at = models.DateTimeField(default=timezone.now)
    wish = models.CharField(max_length=10, choices=Wish)
    why = models.CharField(max_length=300, blank=True)
    ended_at = models.DateTimeField(
        null=True, help_text="when the customer wanted the machine again, or staff gave it back"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(ended_at__isnull=True), name="one_hand_over_stands"
            ),
        ]
