"""A conversation as its customer sees it, with what became of each photograph beside it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rasd.channels.models import Incoming, Media, Outgoing
from rasd.console import words
from rasd.desk.models import Conversation, Message
from rasd.metering.models import Adoption, Judgement, Photograph, Submission

SHOWN = 100  # messages; the earlier ones are a click away

STATES: dict[Any, str | Promise] = {
    Outgoing.State.WAITING: _("waiting to be sent"),
    Outgoing.State.CALLING: _("being sent"),
    Outgoing.State.ACCEPTED: _("accepted by WhatsApp"),
    Outgoing.State.SENT: _("sent"),
    Outgoing.State.DELIVERED: _("delivered"),
    Outgoing.State.READ: _("read"),
    Outgoing.State.FAILED: _("not delivered"),
}
TICKS: dict[Any, str] = {
    Outgoing.State.WAITING: "◷",
    Outgoing.State.CALLING: "◷",
    Outgoing.State.ACCEPTED: "✓",
    Outgoing.State.SENT: "✓",
    Outgoing.State.DELIVERED: "✓✓",
    Outgoing.State.READ: "✓✓",
    Outgoing.State.FAILED: "!",
}
KINDS: dict[Any, str | Promise] = {
    Incoming.Kind.IMAGE: _("Photograph"),
    Incoming.Kind.DOCUMENT: _("Document"),
    Incoming.Kind.AUDIO: _("Voice note"),
    Incoming.Kind.VIDEO: _("Video"),
    Incoming.Kind.STICKER: _("Sticker"),
    Incoming.Kind.LOCATION: _("Location"),
    Incoming.Kind.CONTACTS: _("Contact card"),
    Incoming.Kind.BUTTON: _("pressed"),
    Incoming.Kind.REACTION: _("Reaction"),
    Incoming.Kind.ORDER: _("Order"),
    Incoming.Kind.EDIT: _("changed an earlier message"),
    Incoming.Kind.REVOCATION: _("took an earlier message back"),
    Incoming.Kind.SYSTEM: _("WhatsApp says"),
    Incoming.Kind.UNSUPPORTED: _("A kind of message that WhatsApp does not pass on"),
}


@dataclass(frozen=True)
class Outcome:
    """What became of a submission."""

    submission: Submission
    judgement: Judgement | None
    adoption: Adoption | None

    @property
    def tone(self) -> str:
        return words.VERDICTS[self.judgement.verdict][0] if self.judgement else ""

    @property
    def verdict(self) -> str | Promise:
        if self.judgement is None:
            return _("being read")
        return words.VERDICTS[self.judgement.verdict][1]


@dataclass(frozen=True)
class Bubble:
    """One entry: the customer's, the machine's, a colleague's, or a note."""

    message: Message
    day: date | None
    outcome: Outcome | None
    is_photograph: bool = False  # taken as one by metering, whatever its file is: a PDF may be

    @property
    def side(self) -> str:
        if self.message.incoming_id:
            return "theirs"
        return "ours" if self.message.outgoing_id else "note"

    @property
    def is_machine(self) -> bool:
        return self.message.author_id is None and not self.message.incoming_id

    @property
    def media(self) -> Media | None:
        incoming = self.message.incoming
        return getattr(incoming, "media", None) if incoming else None

    @property
    def is_picture(self) -> bool:
        if not self.media or not self.media.sha256:
            return False
        return self.is_photograph or self.media.content_type.startswith("image/")

    @property
    def is_open(self) -> bool:
        """Whether there is a file that one may have."""
        return bool(self.media and self.media.stored_at and self.media.sha256)

    @property
    def plays(self) -> str:
        """``audio``, ``video``, or nothing where browsers cannot play it (AMR)."""
        if not self.is_open or not self.media or self.media.content_type == "audio/amr":
            return ""
        kind = self.media.content_type.partition("/")[0]
        return kind if kind in {"audio", "video"} else ""

    @property
    def is_pdf(self) -> bool:
        return bool(self.media and self.media.content_type == "application/pdf")

    @property
    def kind(self) -> str | Promise:
        incoming = self.message.incoming
        return KINDS.get(incoming.kind, "") if incoming else ""

    @property
    def state(self) -> str:
        return self.message.outgoing.state if self.message.outgoing else ""

    @property
    def state_words(self) -> str | Promise:
        return STATES.get(self.state, "")

    @property
    def ticks(self) -> str:
        return TICKS.get(self.state, "")


@dataclass(frozen=True)
class Chat:
    """The bubbles, oldest first, and how many earlier ones are not shown."""

    bubbles: list[Bubble]
    earlier: int


def chat_of(conversation: Conversation, *, everything: bool = False) -> Chat:
    newest_first = conversation.timeline().order_by("-at", "-id")
    rows = list(newest_first if everything else newest_first[: SHOWN + 1])
    earlier = 0
    if not everything and len(rows) > SHOWN:
        rows = rows[:SHOWN]
        earlier = conversation.messages.count() - SHOWN
    rows.reverse()
    arrived = [row.incoming for row in rows if row.incoming]
    outcomes, photographs = _outcomes(conversation, arrived), _photographs(conversation, arrived)
    bubbles: list[Bubble] = []
    last: date | None = None
    for row in rows:
        day = timezone.localdate(row.at)
        outcome = outcomes.get(row.incoming_id) if row.incoming_id else None
        bubbles.append(
            Bubble(row, day if day != last else None, outcome, is_photograph=row.incoming_id in photographs)
        )
        last = day
    return Chat(bubbles, earlier)


def _by_origin(conversation: Conversation, arrived: Iterable[Incoming]) -> dict[str, int]:
    """What metering knows each message by → its key."""
    return {f"{conversation.line.channel}:{one.external_id}": one.pk for one in arrived}


def _photographs(conversation: Conversation, arrived: Iterable[Incoming]) -> set[int | None]:
    """Those that metering took as photographs; whatever comes without a file is none."""
    by_origin = _by_origin(conversation, (one for one in arrived if hasattr(one, "media")))
    taken = Photograph.objects.filter(origin__in=by_origin).values_list("origin", flat=True)
    return {by_origin[origin] for origin in taken}


def _outcomes(conversation: Conversation, arrived: Iterable[Incoming]) -> dict[int, Outcome]:
    """For each message that began a submission, what became of it: beside its last photograph, as the chat shows it."""
    by_origin = _by_origin(conversation, arrived)
    submissions = list(
        Submission.objects.filter(conversation=str(conversation), origin__in=by_origin)
        .prefetch_related("photographs", "judgements")
        .order_by("id")
    )
    standing = {
        one.reading.submission_id: one
        for one in Adoption.objects.filter(
            reading__submission__in=submissions, superseded_at=None
        ).select_related("reading", "register")
    }
    found = {}
    for one in submissions:
        judged = max(one.judgements.all(), key=lambda each: each.pk, default=None)
        origins = [one.origin, *(each.origin for each in one.photographs.all())]
        last = max(by_origin[origin] for origin in origins if origin in by_origin)
        found[last] = Outcome(one, judged, standing.get(one.pk))
    return found
