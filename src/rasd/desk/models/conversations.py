import re
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models, transaction
from django.db.models import F, Func, Q
from django.utils import timezone

from rasd.channels.models import Address, Incoming, Line, Outgoing
from rasd.desk.errors import AnswerHeld, GoesOnElsewhere, IsClosed, StillOwed
from rasd.desk.models.contacts import Contact
from rasd.desk.models.queues import Matter, Queue
from rasd.ledger.models import actor_of, record

if TYPE_CHECKING:
    from rasd.desk.models.cases import Case
    from rasd.desk.models.claims import Claim
    from rasd.desk.models.obligations import Obligation, Obligations


MENTION = re.compile(r"(?<![A-Za-z0-9.+-])@([\w.@+-]+)")
"""A username after an @ that is not in the middle of an e-mail address; an Arabic word may stand right before it (و@sara)."""


def mentioned(text: str) -> models.QuerySet[User]:
    """The colleagues whose usernames stand in ``text`` after an @; whatever else follows one is plain text."""
    names = set(MENTION.findall(text))
    names |= {name.rstrip(".-+@_") for name in names}
    return User.objects.filter(username__in=names, is_active=True).order_by("pk")


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
        indexes = [
            models.Index(fields=["-last_message_at"], name="conversation_latest"),
            models.Index(
                fields=["-last_message_at"], name="conversation_open", condition=Q(closed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"conversation:{self.pk}"

    @classmethod
    def take_in(cls, incoming: Incoming) -> "Message":
        """The message's place in its conversation, which is opened where none is; the same one however often it is called."""
        with transaction.atomic(savepoint=False):
            # One at a time for each address: four photographs at once make one conversation.
            Address.objects.select_for_update().get(pk=incoming.address_id)
            if found := Message.objects.filter(incoming=incoming).select_related("conversation").first():
                return found
            conversation = cls.objects.filter(
                line=incoming.line, address=incoming.address, closed_at=None
            ).first()
            if conversation is None:
                before = incoming.address.conversations.order_by("-opened_at", "-pk").first()
                conversation = cls.objects.create(
                    line=incoming.line,
                    address=incoming.address,
                    contact=Contact.of(incoming.address),
                    language=before.language if before else "ar",
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
            of_hand_over: what the machine still says then: that a person has it, and when; and that a button which the
                customer pressed did what it says.
        """
        if self.is_with_people and not of_hand_over:
            return None
        return self._send(text, key=key, at=at, kind=kind, content=content, answers=answers, author=None)

    def reply(
        self,
        text: str,
        *,
        author: User,
        key: str,
        at: datetime,
        seen: int | None = None,
        promises: datetime | None = None,
        keeps: Collection[int] = (),
        case: "Case | None" = None,
    ) -> "Message":
        """A member of staff answers; once for each ``key``, which the page makes before it sends.

        Args:
            seen: the primary key of the last message that the author's page showed.
            promises: until when what the answer promises will be; see :meth:`promise`.
            keeps: primary keys of the promises (:attr:`promises`) that it keeps, as its author says; nothing else keeps one.
                Any other key changes nothing.
            case: the one it was written in, whose answers go here, though it be closed; see :meth:`Case.say`.

        Raises:
            AnswerHeld: somebody else is answering, or has answered after what the author saw; raised again for the same
                ``key`` until the held answer is sent.
            GoesOnElsewhere: it is closed, and the customer has written since, which opened another.
            IsClosed: it is closed: :meth:`reopen` it first.
            ValueError: the answers of ``case`` go elsewhere.
        """
        from rasd.desk.models.claims import Draft, HeldAnswer

        if case is not None and case.conversation_id != self.pk:
            raise ValueError(f"case={case}: its answers do not go into {self}")
        key = f"reply:{self.pk}:{key}" if case is None else case.reply_key(key)
        with transaction.atomic():
            # One at a time: the same key twice at once is one answer, and nobody answers past another's claim.
            self.closed_at = Conversation.objects.select_for_update().get(pk=self.pk).closed_at
            held = HeldAnswer.objects.filter(key=key).first()
            is_out = Outgoing.objects.filter(key=key).exists()
            if case is None and held is None and not is_out:
                self.must_be_open()
            Draft.keep(self, author, "", at=at)
            if held is None and not is_out and (other := self._who_is_in_the_way(author, at, seen)):
                what = {"key": key, "promises": promises, "keeps": list(keeps)}
                held = HeldAnswer.hold(self, text, author=author, other=other, at=at, **what)
            if held is None or is_out:
                return self._answer(text, author=author, key=key, at=at, promises=promises, keeps=keeps)
        raise AnswerHeld(held)

    def has_reply(self, key: str) -> bool:
        """Whether :meth:`reply` has been called with ``key``: it went out, or is held."""
        from rasd.desk.models.claims import HeldAnswer

        whole = f"reply:{self.pk}:{key}"
        return Outgoing.objects.filter(key=whole).exists() or HeldAnswer.objects.filter(key=whole).exists()

    def has_note(self, key: str) -> bool:
        """Whether :meth:`note` has been called with ``key``."""
        return Message.objects.filter(note_key=self._note_key(key)).exists()

    def _note_key(self, key: str) -> str:
        return f"{self.pk}:{key}"

    def promise(
        self, text: str, *, author: User, key: str, at: datetime, by: datetime, **more: Any
    ) -> tuple["Message", "Obligation"]:
        """An answer that says when something will be: that is owed too, by its author, until ``by``.

        Args:
            more: what was ``seen`` and what it ``keeps``, as :meth:`reply`.

        Raises:
            AnswerHeld: as :meth:`reply`; it is promised when the held answer is sent.
            GoesOnElsewhere, IsClosed: as :meth:`reply`.
            ValueError: ``by`` is not after ``at``.
        """
        if by <= at:
            raise ValueError(f"by={by.isoformat()} is past: promise a moment to come")
        message = self.reply(text, author=author, key=key, at=at, promises=by, **more)
        return message, message.obligation

    def claim(self, user: User, *, at: datetime, by_force: bool = False, why: str = "") -> "Claim":
        """``user`` answers here from now on, and nobody else; what is owed becomes his until his shift ends.

        A claim holds for a minute after the last sign of life (:meth:`Claim.keep_alive`). Claiming what is one's own already
        is such a sign.

        Args:
            by_force: take it from whoever has it; that, and ``why``, is an entry of the ledger.

        Raises:
            Claimed: somebody else has it.
            GoesOnElsewhere, IsClosed: as :meth:`reply`.
        """
        from rasd.desk.models.claims import Claim

        return Claim.take(self, user, at=at, by_force=by_force, why=why)

    def release(self, user: User, *, at: datetime) -> None:
        """``user`` answers here no more; what is owed stays his. Nothing where he has no claim."""
        from rasd.desk.models.claims import Claim

        Claim.objects.filter(conversation=self, holder=user).delete()

    def claim_at(self, at: datetime) -> "Claim | None":
        """The live claim, if somebody is answering."""
        from rasd.desk.models.claims import Claim

        claim = Claim.objects.filter(conversation=self).select_related("holder").first()
        return claim if claim and claim.is_live(at) else None

    def close(self, *, at: datetime, actor: str) -> None:
        """It is over: what is written next opens another. A second call changes nothing.

        Raises:
            StillOwed: an answer or a promise is owed in it, a case is open, or a held answer is not decided on.
        """
        with transaction.atomic():
            # Whoever takes a message in holds the address: none comes in between the look and the closing.
            Address.objects.select_for_update().get(pk=self.address_id)
            now = Conversation.objects.select_for_update().get(pk=self.pk)
            self.closed_at = now.closed_at
            if self.closed_at is not None:
                return
            if owed := self.obligations.filter(discharged_at=None).order_by("kind").first():
                raise StillOwed(str(owed.kind))
            if self.cases.filter(closed_at=None).exists():
                raise StillOwed("case")
            if self.held_answers.filter(outcome="").exists():
                raise StillOwed("held")
            self.closed_at = at
            self.save(update_fields=["closed_at"])
            if claim := self.claim_at(at):
                claim.delete()
            record(actor, "conversation.closed", str(self), at=at)

    def reopen(self, *, at: datetime, actor: str) -> None:
        """It was closed by mistake and goes on. A second call changes nothing.

        Raises:
            GoesOnElsewhere: the customer has written since, which opened another.
        """
        with transaction.atomic():
            Address.objects.select_for_update().get(pk=self.address_id)
            now = Conversation.objects.select_for_update().get(pk=self.pk)
            if now.closed_at is not None:
                if other := self.goes_on_in:
                    raise GoesOnElsewhere(other)
                self.closed_at = None
                self.save(update_fields=["closed_at"])
                record(actor, "conversation.reopened", str(self), at=at)

    def is_about(self, matter: str, *, at: datetime, actor: str) -> None:
        """Somebody says what it is about; empty: nobody knows any more.

        Raises:
            ValueError: there is no such matter.
        """
        if matter and matter not in Matter.values:
            raise ValueError(f"matter={matter!r}: one of {', '.join(Matter.values)}")
        if matter == self.matter:
            return
        with transaction.atomic():
            facts = {"from": self.matter, "to": matter}
            self.matter = matter
            self.save(update_fields=["matter"])
            if owed := self.owed:  # before this entry: what is owed is locked first, the ledger's chain last
                owed.retarget(matter, at=at, actor=actor)
            record(actor, "conversation.matter_set", str(self), at=at, facts=facts)

    def speak(self, language: str | None) -> None:
        """The machine answers in it from now on; None: as before."""
        if language and language != self.language:
            self.language = language
            self.save(update_fields=["language"])

    def note(
        self, text: str, *, at: datetime, author: User | None = None, key: str | None = None
    ) -> "Message":
        """For staff only; from the machine where it has no author. Who is mentioned in it (``@username``) is told.

        Args:
            key: what makes it this note: a second call with the same key gives the same one.
        """
        from rasd.desk.models.notices import Notice

        with transaction.atomic():
            if key is not None:
                key = self._note_key(key)
                Conversation.objects.select_for_update().get(pk=self.pk)
                if found := Message.objects.filter(note_key=key).first():
                    return found
            message = self._add(at=at, note=text, author=author, note_key=key)
            for user in mentioned(text):
                if user != author:
                    Notice.tell(user, Notice.Kind.MENTION, at=at, conversation=self, message=message)
            return message

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
        with transaction.atomic(savepoint=False):
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
    def goes_on_in(self) -> "Conversation | None":
        """Of a closed one: what is open between the same two now, as the customer has written since."""
        others = Conversation.objects.filter(line=self.line_id, address=self.address_id, closed_at=None)
        return others.exclude(pk=self.pk).first()

    def must_be_open(self) -> None:
        """Raises GoesOnElsewhere or IsClosed where nothing is to be said in it any more."""
        if self.closed_at is not None:
            raise GoesOnElsewhere(newer) if (newer := self.goes_on_in) else IsClosed(self)

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

    def _who_is_in_the_way(self, author: User, at: datetime, seen: int | None) -> User | None:
        """Who answers here now, or has answered since ``author`` last looked; None where nobody but ``author`` does."""
        claim = self.claim_at(at)
        if claim and claim.holder != author:
            return claim.holder
        if seen is None:
            return None
        others = self.messages.filter(pk__gt=seen, outgoing__isnull=False, author__isnull=False)
        answer = others.exclude(author=author).select_related("author").order_by("-pk").first()
        return answer.author if answer else None

    def _answer(
        self,
        text: str,
        *,
        author: User,
        key: str,
        at: datetime,
        promises: datetime | None,
        keeps: Collection[int],
    ) -> "Message":
        """It goes out, and answers what is owed; the same one for the same key. The caller holds the conversation's lock."""
        from rasd.desk.models.cases import Case
        from rasd.desk.models.claims import make_his
        from rasd.desk.models.obligations import Obligation

        if found := Message.objects.filter(outgoing__key=key).first():
            return found
        cases = Case.of_reply(self, key)  # locked before what is owed, and that before the ledger
        in_short = cases[-1].in_short(text) if cases else ""
        content = {"in_short": in_short} if in_short else {}
        message = self._send(text, key=key, at=at, author=author, content=content)
        kept = self.promises.filter(pk__in=keeps)
        for owed in [*self._owed_between_the_two(Obligation.Kind.ANSWER).order_by("pk"), *kept]:
            owed.answer_with(message)
        if promises:
            promised = Obligation.begin(
                kind=Obligation.Kind.PROMISE,
                message=message,
                conversation=self,
                queue=self._queue_for(author),
                matter=self.matter,
                words=text[:300],
                since=at,
                due_at=promises,
                actor=actor_of(author),
            )
            make_his(promised, author, at=at, why="promised")
        for case in cases:
            case.show_reply(message, key)
        return message

    @property
    def promises(self) -> "Obligations":
        """Those made to the customer that are not kept, and that no answer on its way out keeps; the soonest due first."""
        from rasd.desk.models.obligations import Obligation

        open_ = self._owed_between_the_two(Obligation.Kind.PROMISE).not_answered()
        return open_.select_related("owner", "message__author").order_by("due_at", "pk")

    @property
    def owed_on_pages(self) -> "Obligations":
        """What its customer wrote on the pages of its cases and is owed an answer to: one given here does not answer it by
        itself, as whoever wrote it need not have read the page. Nothing that an answer on its way out answers."""
        from rasd.desk.models.obligations import Obligation

        # Few have any. Joined, PostgreSQL was seen to start a second process to go through all that is owed.
        cases = list(self.cases.values_list("pk", flat=True))
        open_ = Obligation.objects.open().not_answered().filter(kind=Obligation.Kind.ANSWER, case__in=cases)
        return open_.select_related("case").order_by("since")

    def answer_since(self, at: datetime) -> "Message | None":
        """The last answer that an employee gave in it from ``at`` on, unless it could not be delivered."""
        said = self.messages.filter(author__isnull=False, outgoing__isnull=False, outgoing__failed_at=None)
        return said.filter(at__gte=at).last()

    def _owed_between_the_two(self, kind: str) -> "Obligations":
        """What of this kind is owed in it; and, of those that are closed, what is owed again as its answer could not be
        delivered."""
        from rasd.desk.models.obligations import Obligation

        before = Q(
            conversation__line=self.line_id,
            conversation__address=self.address_id,
            conversation__closed_at__isnull=False,
        )
        return Obligation.objects.open().filter(Q(conversation=self) | before, kind=kind)

    def _queue_for(self, author: User) -> Queue:
        """Whose a promise is when its author cannot keep it: the queue that answered here last, else the author's, else any."""
        last = self.obligations.order_by("-since").select_related("queue").first()
        queue = last.queue if last else author.queues.order_by("pk").first() or Queue.objects.first()
        if queue is None:
            raise ValueError("there is no queue that could keep a promise: make one first")
        return queue

    def timeline(self) -> models.QuerySet["Message"]:
        return self.messages.select_related("incoming__media", "outgoing", "author")

    def _send(self, text: str, *, key: str, at: datetime, author: User | None, **outgoing: Any) -> "Message":
        answers = outgoing.pop("answers", None)
        with transaction.atomic():
            sent = Outgoing.queue(
                line=self.line, address=self.address, key=key, text=text, replies_to=answers, **outgoing
            )
            if found := Message.objects.filter(outgoing=sent).first():
                return found
            return self._add(at=at, outgoing=sent, author=author)

    def show(self, sent: Outgoing, *, at: datetime) -> "Message":
        """What was written to its address otherwise, as to many at once, stands in it too: whoever answers there sees it."""
        found = Message.objects.filter(outgoing=sent).first()
        return found or self._add(at=at, outgoing=sent, author=None)

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
    note_key = models.CharField(  # noqa: DJ001 (unique where there is one)
        max_length=200, null=True, help_text="made by the page: the same note is written once"
    )
    words = models.TextField(blank=True, help_text="what was said, wherever it stands, for searching")
    search = models.GeneratedField(
        expression=Func(F("words"), function="desk_words"),
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
            # Of notes alone: an index of every message would be one of millions of nulls.
            models.UniqueConstraint(
                fields=["note_key"], condition=Q(note_key__isnull=False), name="one_note_of_a_key"
            ),
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
        COMPLAINT = "complaint", "the customer complained"
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
