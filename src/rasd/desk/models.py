from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from rasd.channels.models import Address, Incoming, Line, Outgoing
from rasd.ledger.models import record

WAIT_IS_MEASURED_OVER = timedelta(days=14)
WAIT_NEEDS_ANSWERS = 10  # fewer prove nothing: the target time is told instead of a measured one


class Contact(models.Model):
    """A person, however many addresses they write from."""

    name = models.CharField(max_length=200, blank=True)
    addresses = models.ManyToManyField(Address, through="ContactAddress", related_name="contacts")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, address: Address) -> "Contact":
        """Whose address it is; a new contact for an address that nobody had yet. The caller holds the address's lock."""
        known = ContactAddress.objects.filter(address=address).select_related("contact").first()
        if known:
            return known.contact
        contact = cls.objects.create(name=address.profile_name)
        ContactAddress.objects.create(contact=contact, address=address)
        return contact


class ContactAddress(models.Model):
    contact = models.ForeignKey(Contact, models.CASCADE)
    address = models.OneToOneField(Address, models.CASCADE)
    since = models.DateTimeField(default=timezone.now)


class Conversation(models.Model):
    """Everything said between one address and one line until it is closed. One is open at a time."""

    line = models.ForeignKey(Line, models.PROTECT)
    address = models.ForeignKey(Address, models.PROTECT, related_name="conversations")
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="conversations")
    language = models.CharField(max_length=5, default="ar", help_text="the one the customer writes in")
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

    def reply(self, text: str, *, author: AbstractUser, key: str, at: datetime) -> "Message":
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

    def note(self, text: str, *, at: datetime, author: AbstractUser | None = None) -> "Message":
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
            return self._owe(message, queue)

    def _owe(self, message: "Message", queue: "Queue") -> "Obligation":
        return self.obligations.create(
            message=message, queue=queue, since=message.at, due_at=message.at + queue.answer_within
        )

    @property
    def standing_hand_over(self) -> "HandOver | None":
        return self.hand_overs.filter(ended_at=None).first()

    @property
    def is_with_people(self) -> bool:
        return self.standing_hand_over is not None

    @property
    def owed(self) -> "Obligation | None":
        return self.obligations.filter(discharged_at=None).first()

    def timeline(self) -> models.QuerySet["Message"]:
        return self.messages.select_related("incoming__media", "outgoing", "author")

    def _send(
        self, text: str, *, key: str, at: datetime, author: AbstractUser | None, **outgoing: Any
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
        message = self.messages.create(at=at, **what)
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

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["conversation", "at"], name="message_in_conversation")]
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


class Queue(models.Model):
    """A staffed queue: what is in it is owed by the people who serve it."""

    name = models.CharField(max_length=100, unique=True)
    answer_within = models.DurationField(help_text="target time to the first answer")
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="queues")

    def __str__(self) -> str:
        return self.name

    def place_of(self, obligation: "Obligation") -> int:
        """1 for the one who waits longest."""
        earlier = Q(since__lt=obligation.since) | Q(since=obligation.since, pk__lt=obligation.pk)
        return self.obligation_set.filter(earlier, discharged_at=None).count() + 1

    def usual_wait(self, at: datetime) -> timedelta | None:
        """The median wait for an answer over the last fourteen days; None where too few were answered to tell."""
        answered = self.obligation_set.filter(
            discharged_at__gt=at - WAIT_IS_MEASURED_OVER, discharged_at__lte=at
        )
        waits = [
            (ended - since).total_seconds()
            for since, ended in answered.values_list("since", "discharged_at")
            if ended
        ]
        return timedelta(seconds=median(waits)) if len(waits) >= WAIT_NEEDS_ANSWERS else None


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


class Obligation(models.Model):
    """This message is owed an answer, by this person or queue, by this time (G7)."""

    message = models.OneToOneField(
        Message, models.PROTECT, related_name="obligation", help_text="the first one unanswered"
    )
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="obligations")
    queue = models.ForeignKey(Queue, models.PROTECT)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True)
    since = models.DateTimeField()
    due_at = models.DateTimeField()
    discharged_at = models.DateTimeField(null=True)
    discharged_by = models.OneToOneField(Message, models.PROTECT, null=True, related_name="discharges")
    next_message = models.ForeignKey(
        Message,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="the first that came after the answer was written and before it was out",
    )

    class Meta:
        ordering = ["since"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(discharged_at__isnull=True),
                name="one_obligation_a_conversation",
            ),
        ]

    def move(self, queue: Queue, *, at: datetime) -> None:
        """Other people owe it from now on, by the earlier of the two times."""
        self.queue, self.due_at = queue, min(self.due_at, at + queue.answer_within)
        self.save(update_fields=["queue", "due_at"])

    def answer_with(self, message: Message) -> None:
        """``message`` is the answer; it discharges once the customer could receive it (G7)."""
        self.discharged_by = message
        self.save(update_fields=["discharged_by"])
        self.settle()

    def settle(self) -> None:
        """Discharged where the answer could be received, owed again where the channel could not deliver it after all."""
        answer = self.discharged_by.outgoing if self.discharged_by else None
        received = answer is not None and answer.could_be_received
        if answer and received and self.discharged_at is None:
            self.discharged_at = answer.accepted_at
            self.save(update_fields=["discharged_at"])
            if self.next_message:
                self.conversation._owe(self.next_message, self.queue)
        elif (
            not received and self.discharged_at and not self.conversation.owed
        ):  # a later one stands for both
            self.discharged_at = None
            self.save(update_fields=["discharged_at"])
