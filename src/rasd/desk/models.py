from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from rasd.channels.models import Address, Incoming, Line, Outgoing


class Contact(models.Model):
    """A person, however many addresses they write from."""

    name = models.CharField(max_length=200, blank=True)
    addresses = models.ManyToManyField(Address, through="ContactAddress", related_name="contacts")

    def __str__(self) -> str:
        return self.name


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

    class Meta:
        ordering = ["since"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"],
                condition=Q(discharged_at__isnull=True),
                name="one_obligation_a_conversation",
            ),
        ]
