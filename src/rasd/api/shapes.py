"""What the API says of each thing. Made from rows that :mod:`rasd.api.reading` has fetched with all that is needed."""

from datetime import datetime, timedelta
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from rasd.api.models import ApiToken, WebhookDelivery, WebhookSubscription
from rasd.desk.models import Case, CaseEntry, Conversation, HeldAnswer, Message, Obligation
from rasd.desk.models.claims import CLAIM_LASTS


class Named(Schema):
    id: int
    name: str


class Address(Schema):
    """Where answers go."""

    channel: str
    phone: str | None
    user_id: str | None
    name: str


class Claim(Schema):
    holder: str = Field(description="username of who is answering")
    since: datetime


class Owed(Schema):
    """In short: what is owed, by whom, by when."""

    id: int
    queue: Named
    owner: str | None = Field(description="username; null: whoever serves the queue")
    due_at: datetime
    running: bool = Field(description="whether the clock runs; else it is the customer's turn")
    late: bool

    @classmethod
    def of(cls, owed: Obligation, at: datetime) -> "Owed":
        return cls(
            id=owed.pk,
            queue=Named(id=owed.queue_id, name=owed.queue.name),
            owner=username(owed.owner),
            due_at=owed.due_at,
            running=owed.running_since is not None,
            late=owed.is_late(at),
        )


class ConversationOut(Schema):
    id: int
    line: Named
    contact: Named
    address: Address
    language: str
    matter: str
    opened_at: datetime
    last_message_at: datetime
    closed_at: datetime | None
    with_people: bool = Field(description="no robot speaks in it")
    claim: Claim | None
    owed: Owed | None = Field(description="the answer that is owed, if one is")
    held_answers: list[int] = Field(description="answers that were held and wait for a decision")

    @classmethod
    def of(cls, conversation: Conversation, at: datetime) -> "ConversationOut":
        rows: Any = conversation
        address, claim = conversation.address, getattr(conversation, "standing_claim", None)
        owed = next(iter(rows.open_answers), None)
        return cls(
            id=conversation.pk,
            line=Named(id=conversation.line_id, name=conversation.line.name),
            contact=Named(id=conversation.contact_id, name=conversation.contact.name),
            address=Address(
                channel=address.channel,
                phone=address.phone,
                user_id=address.user_id,
                name=address.profile_name,
            ),
            language=conversation.language,
            matter=conversation.matter,
            opened_at=conversation.opened_at,
            last_message_at=conversation.last_message_at,
            closed_at=conversation.closed_at,
            with_people=bool(rows.with_people),
            claim=Claim(holder=claim.holder.get_username(), since=claim.at)
            if claim and claim.seen_at > at - CLAIM_LASTS
            else None,
            owed=Owed.of(owed, at) if owed else None,
            held_answers=[each.pk for each in rows.undecided],
        )


class MediaOut(Schema):
    file_name: str
    content_type: str = Field(
        description="by its content, not by what the sender says; empty until it is here"
    )
    size: int | None = Field(description="bytes")
    state: Literal["wanted", "stored", "lost"]


class Failure(Schema):
    code: int | None = Field(description="the channel's own")
    words: str


class MessageOut(Schema):
    id: int
    conversation: int
    at: datetime
    kind: Literal["received", "sent", "note"] = Field(description="a note is for staff only")
    format: str = Field(description="text, image, audio …; of a note: text")
    author: str | None = Field(description="username; null: the customer, or the machine")
    text: str
    state: str | None = Field(
        description="of what was sent: waiting, calling, accepted, sent, delivered, read, failed"
    )
    failure: Failure | None
    media: MediaOut | None

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        sent, came = message.outgoing, message.incoming
        media = getattr(came, "media", None) if came else None
        return cls(
            id=message.pk,
            conversation=message.conversation_id,
            at=message.at,
            kind="sent" if sent else "received" if came else "note",
            format=str((sent or came).kind) if sent or came else "text",  # type: ignore[union-attr]
            author=username(message.author),
            text=sent.text if sent else came.text if came else message.note,
            state=str(sent.state) if sent else None,
            failure=Failure(code=sent.error_code, words=sent.error_words)
            if sent and sent.failed_at
            else None,
            media=_media(media) if media else None,
        )


def _media(media: Any) -> MediaOut:
    state: Literal["wanted", "stored", "lost"] = (
        "lost" if media.lost_at else "stored" if media.stored_at else "wanted"
    )
    return MediaOut(file_name=media.file_name, content_type=media.content_type, size=media.size, state=state)


class HeldOut(Schema):
    id: int
    conversation: int
    author: str
    other: str = Field(description="who has the conversation, or has answered in it")
    text: str
    promise_by: datetime | None
    keeps: list[int] = Field(description="ids of the promises that it keeps")
    at: datetime
    outcome: str = Field(description="sent, dropped, or empty while nobody has decided")
    settled_at: datetime | None
    settled_by: str | None

    @classmethod
    def of(cls, held: HeldAnswer) -> "HeldOut":
        return cls(
            id=held.pk,
            conversation=held.conversation_id,
            author=held.author.get_username(),
            other=held.other.get_username(),
            text=held.text,
            promise_by=held.promises,
            keeps=held.keeps,
            at=held.at,
            outcome=held.outcome,
            settled_at=held.settled_at,
            settled_by=username(held.settled_by),
        )


class Rated(Schema):
    score: int = Field(description="1 not solved, 2 partly, 3 solved")
    words: str
    at: datetime


class CaseOut(Schema):
    id: int
    reference: str = Field(description="as customers and staff call it: 26-000123")
    title: str
    kind: str = Field(description="the kind's code")
    stage: str
    whose_turn: str
    origin: str
    language: str
    contact: Named | None
    conversation: int | None
    service_point: str
    opened_at: datetime
    closed_at: datetime | None
    reopens_until: datetime | None = Field(description="until when a reply of the customer reopens it")
    repeats: int | None = Field(
        description="the case of the same matter that was closed a short while before"
    )
    work: Owed | None = Field(description="what is owed on it; null once it is closed")
    rating: Rated | None = Field(description="of the last closing")

    @classmethod
    def of(cls, case: Case, at: datetime) -> "CaseOut":
        rows: Any = case
        work = next(iter(rows.open_work), None)
        rating = max(rows.rated, key=lambda each: (each.closing.at, each.closing_id), default=None)
        return cls(
            id=case.pk,
            reference=case.reference,
            title=case.title,
            kind=case.kind.code,
            stage=str(case.stage),
            whose_turn=str(case.whose_turn),
            origin=str(case.origin),
            language=case.language,
            contact=Named(id=case.contact.pk, name=case.contact.name) if case.contact else None,
            conversation=case.conversation_id,
            service_point=case.service_point,
            opened_at=case.opened_at,
            closed_at=case.closed_at,
            reopens_until=case.reopens_until,
            repeats=case.repeats_id,
            work=Owed.of(work, at) if work else None,
            rating=Rated(score=rating.score, words=rating.words, at=rating.at) if rating else None,
        )


class CaseEntryOut(Schema):
    """One line of a case's history."""

    id: int
    case: int
    at: datetime
    kind: str
    actor: str = Field(description="as in the ledger: user:NAME, customer:ADDRESS, machine:NAME")
    text: str
    stage: str = Field(description="of the case from then on, where it changed")
    public: bool = Field(description="whether the customer sees it")
    message: int | None = Field(description="where it went by a channel")

    @classmethod
    def of(cls, entry: CaseEntry) -> "CaseEntryOut":
        return cls(
            id=entry.pk,
            case=entry.case_id,
            at=entry.at,
            kind=str(entry.kind),
            actor=entry.actor,
            text=entry.text,
            stage=entry.stage,
            public=entry.is_public,
            message=entry.message_id,
        )


class ObligationOut(Schema):
    id: int
    kind: str = Field(description="answer, promise or work")
    matter: str
    words: str = Field(description="what was promised, or is to be done")
    conversation: int | None
    case: int | None
    message: int | None = Field(description="the first one unanswered; the one that promises; none for work")
    queue: Named
    owner: str | None = Field(description="username; null: whoever serves the queue")
    owner_until: datetime | None = Field(
        description="when the owner's shift ends and it goes back to the queue"
    )
    since: datetime
    due_at: datetime = Field(description="while the clock stands still: when it would have been due")
    running: bool
    late: bool
    allowance: timedelta = Field(description="of the queue's working time")
    discharged_at: datetime | None
    discharged_by: int | None = Field(description="the message that answers it")
    waived_by: str | None

    @classmethod
    def of(cls, owed: Obligation, at: datetime) -> "ObligationOut":
        return cls(
            id=owed.pk,
            kind=str(owed.kind),
            matter=owed.matter,
            words=owed.words,
            conversation=owed.conversation_id,
            case=owed.case_id,
            message=owed.message_id,
            queue=Named(id=owed.queue_id, name=owed.queue.name),
            owner=username(owed.owner),
            owner_until=owed.owner_until,
            since=owed.since,
            due_at=owed.due_at,
            running=owed.running_since is not None,
            late=owed.is_late(at),
            allowance=owed.allowance,
            discharged_at=owed.discharged_at,
            discharged_by=owed.discharged_by_id,
            waived_by=username(owed.waived_by),
        )


class WebhookOut(Schema):
    id: int
    url: str
    events: list[str]
    made_at: datetime
    ended_at: datetime | None
    last_taken_at: datetime | None
    next_try_at: datetime | None = Field(description="not before: nobody answered the last time")
    last_error: str

    @classmethod
    def of(cls, subscription: WebhookSubscription) -> "WebhookOut":
        return cls(**{name: getattr(subscription, name) for name in cls.model_fields})


class NewWebhookOut(WebhookOut):
    secret: str = Field(description="signs each call; shown here only")


class DeliveryOut(Schema):
    id: int
    event_id: str
    event: str
    about: str = Field(description="message:17, case:4 …")
    at: datetime
    state: Literal["waiting", "taken", "given_up"]
    attempts: int
    next_try_at: datetime | None
    taken_at: datetime | None
    last_error: str

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> "DeliveryOut":
        told = {name: getattr(delivery, name) for name in cls.model_fields}
        return cls(**told | {"event_id": str(delivery.event_id), "state": delivery.state.value})


class TokenOut(Schema):
    """The token that calls, so that a program can see what it may do."""

    name: str
    user: str
    scopes: list[str]
    lines: list[int] = Field(description="it sees these only; empty: all")
    queues: list[int] = Field(description="it sees these only; empty: all")
    per_minute: int
    expires_at: datetime | None

    @classmethod
    def of(cls, token: ApiToken) -> "TokenOut":
        lines, queues = token.limits
        return cls(
            name=token.name,
            user=token.user.get_username(),
            scopes=token.scopes,
            lines=lines,
            queues=queues,
            per_minute=token.per_minute,
            expires_at=token.expires_at,
        )


def username(user: Any) -> str | None:
    return user.get_username() if user else None
