"""Cases in the flows: what a customer's message means for the cases of his conversation, what he is told of them, and when the
machine opens one.

The machine opens a case by itself in four places only, each where something is the matter that no further message to the
machine could put right, and never a second one while the first is open:

- the customer complains, in so many words;
- a person has looked at his photographs twice in one month, and twice nothing could be read: somebody must see the meter;
- his photographs show another meter's serial number for the second time in one month: the meter, or the books, are wrong;
- he was told that his reading came outside the window, and writes back within a day what the machine does not understand.
"""

import re
from contextlib import suppress
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rasd.channels.models import Incoming
from rasd.desk.errors import NotOnShift
from rasd.desk.models import Case, Conversation, HandOver, Matter, Message, Rating
from rasd.flows import words
from rasd.flows.speaking import log, say
from rasd.language import normalise_arabic
from rasd.metering.models import Judgement, Review, Submission

Kind = Incoming.Kind

COMPLAINT = re.compile(r"(?<!رقم )\b(?:ال)?شكو[يى]\b|\b[انب]?شتكي\b|\bcomplain(?:t|ts|ing)?\b", re.IGNORECASE)
"""In normalised Arabic. "رقم الشكوى" asks about one that there is."""

MACHINE = "machine:flows"
"""Who gives what a customer wrote to whoever has his case: he does not choose."""

TIMES = 2
"""Of the same trouble in one month, before a case is opened: once is an accident."""

DISPUTES_WITHIN = timedelta(days=1)
WORDS_WITHIN = timedelta(hours=1)
"""After a tap on "solved": the next message is the free word to it, and does not reopen the case."""

TITLE = 80  # characters of the customer's words that make a title


OTHER_METER = _(
    "Reading %(number)s: for the second time in this month the photographs show another meter's serial number."
)
NOTHING_READ = _(
    "Reading %(number)s: for the second time in this month a person could read nothing in the photographs."
)
DISPUTED = _(
    "Reading %(number)s: the customer was told that it came outside the window, and does not accept that."
)

# What he writes.


def has_any(message: Message) -> bool:
    """Whether its chat has, or had, a case."""
    return Case.objects.of_chat(message.conversation).exists()


def show(message: Message, *, at: datetime, expects_answer: bool) -> None:
    """It is shown in the open cases of this chat, whose clocks run again. Before anything that writes into the ledger."""
    if message.incoming and message.incoming.kind == Kind.BUTTON:
        return  # an answer to the machine
    for case in Case.objects.of_chat(message.conversation).open().order_by("pk"):
        case.hear(message.words, at=at, message=message, expects_answer=expects_answer)


def case_of(message: Message, *, at: datetime, reopens: bool = True) -> Case | None:
    """Whose case a message is that expects an answer, and that the machine does not understand: the newest open one, else
    the one closed last, reopened if that is not too long ago and ``reopens``."""
    cases = Case.objects.of_chat(message.conversation)
    if open_ := cases.open().order_by("-pk").first():
        return open_
    last = cases.order_by("-closed_at").first()
    if last is None or not reopens or not last.may_reopen(at):
        return None
    return last.hear(message.words, at=at, message=message, expects_answer=True)


def complaint(message: Message, *, at: datetime) -> Case | None:
    """The case that is opened as the customer complains in so many words; None where he does not."""
    incoming = message.incoming
    if (
        incoming is None
        or incoming.kind != Kind.TEXT
        or not COMPLAINT.search(normalise_arabic(incoming.text))
    ):
        return None
    conversation, actor = message.conversation, f"customer:{incoming.address.identifier}"
    case = case_of(message, at=at) or Case.open(
        "complaint",
        _title(incoming.text),
        at=at,
        actor=actor,
        origin=Case.Origin.CUSTOMER,
        conversation=conversation,
        text=incoming.text,
        message=message,
    )
    if not conversation.matter:  # what a person said that it is about stands
        conversation.is_about(Matter.COMPLAINT, at=at, actor=actor)
    return case


def to_people(case: Case, message: Message, *, at: datetime, wish: str = HandOver.Wish.MACHINE) -> None:
    """People answer ``message``: those who have the case. The customer is told so where it was the machine's till now."""
    conversation = message.conversation
    was_with_people = conversation.is_with_people
    conversation.hand_over(wish=wish, why=f"about the case {case.reference}", at=at, actor=MACHINE)
    if (work := case.work) is None:
        raise ValueError(f"{case} is closed: nobody has it")
    owed = conversation.owe(message, queue=work.home)
    if work.owner and owed.owner is None:
        with suppress(NotOnShift):  # the queue's, then
            owed.give(work.owner, at=at, actor=MACHINE, why="has the case")
    log.info("to the people of a case", case=case.pk)
    reopened = case.entries.filter(kind="reopened", at=at).exists()
    opened = case.entries.filter(kind="opened", message=message).exists()
    if opened or (was_with_people and not reopened):
        return  # he was told the page just now, or knows whom he is talking to
    with translation.override(conversation.language):
        told = words.case_reopened(case) if reopened else words.passed_on(case)
    say(conversation, told, key=f"case-heard:{message.pk}", at=at, of_hand_over=True)


# How he rates it.


def rate(message: Message, pressed: str, *, at: datetime) -> bool:
    """He pressed a button ``rate:CASE:SCORE`` under a closing answer, and is told that it counts, also where people have the
    conversation; False where it is none of his cases."""
    _rate, number, score = [*pressed.split(":"), "", ""][:3]
    case = Case.objects.of_chat(message.conversation).filter(pk=number).first() if number.isdigit() else None
    if case is None or not score.isdigit() or int(score) not in Rating.Score:
        return False
    case.rate(int(score), at=at)
    told = words.rated(int(score))
    say(message.conversation, told, key=f"rated:{message.pk}", at=at, of_hand_over=True)
    return True


def free_word(message: Message, *, at: datetime) -> bool:
    """Whether ``message`` is what he adds to his tap on "solved": kept with it. It is owed an answer all the same, which
    an employee may find needless (G7)."""
    rating = (
        Rating.objects.filter(
            case__in=Case.objects.of_chat(message.conversation).filter(stage=Case.Stage.CLOSED),
            score=Rating.Score.SOLVED,
            words="",
            at__gt=at - WORDS_WITHIN,
        )
        .select_related("case__kind__queue")
        .last()
    )
    if rating is None or "?" in message.words or "؟" in message.words:
        return False
    rating.case.rate(rating.score, message.words, at=at)
    message.conversation.owe(message, queue=rating.case.kind.queue)
    say(message.conversation, words.thanks(), key=f"free-word:{message.pk}", at=at)
    return True


# What he is told.


def tell_opened(case: Case, message: Message | None) -> None:
    """The page of his case, in his language. Who opened it on the page of an old one is there already."""
    if case.conversation is None or (case.origin == Case.Origin.CUSTOMER and message is None):
        return
    with translation.override(case.language):
        told = words.case_opened(case)
    say(case.conversation, told, key=f"case-opened:{case.pk}", at=case.opened_at, of_hand_over=True)


# When the machine opens one.


def after_other_meter(conversation: Conversation, submission: Submission, *, at: datetime) -> None:
    """The photographs show another meter's serial number: for the second time in this month?"""
    same = Submission.objects.filter(
        service_point=submission.service_point,
        cycle=submission.cycle,
        judgements__verdict=Judgement.Verdict.OTHER_METER,
    )
    if same.distinct().count() >= TIMES:
        _open_for_meter(conversation, submission, OTHER_METER, at=at)


def after_review(conversation: Conversation, submission: Submission, *, at: datetime) -> None:
    """A person could read nothing: for the second time in this month?"""
    same = Review.objects.filter(
        outcome__in=[Review.Outcome.ASKED_AGAIN, Review.Outcome.NOT_A_METER],
        submission__service_point=submission.service_point,
        submission__cycle=submission.cycle,
    )
    if same.count() >= TIMES:
        _open_for_meter(conversation, submission, NOTHING_READ, at=at)


def dispute(message: Message, *, at: datetime) -> Case | None:
    """The case that is opened as he does not accept that his reading came outside the window; None where it was not so."""
    conversation = message.conversation
    told = Judgement.objects.filter(submission__conversation=str(conversation)).last()
    if told is None or told.verdict != Judgement.Verdict.OUTSIDE_WINDOW or told.at < at - DISPUTES_WITHIN:
        return None
    point = told.submission.service_point
    return Case.open(
        "reading",
        _title(message.words),
        at=at,
        actor=MACHINE,
        origin=Case.Origin.SUBMISSION,
        conversation=conversation,
        service_point=point.number if point else "",
        text=_for_staff(DISPUTED, told.submission),
        message=message,
    )


def _for_staff(why: Promise, submission: Submission) -> str:
    """A note, in the installation's language."""
    with translation.override(settings.LANGUAGE_CODE):
        return str(why) % {"number": submission.pk}


def _open_for_meter(
    conversation: Conversation, submission: Submission, why: Promise, *, at: datetime
) -> None:
    point = submission.service_point
    if point is None or Case.objects.open().filter(kind__code="meter", service_point=point.number).exists():
        return
    with translation.override(conversation.language):
        title = words.meter_to_be_seen(point)
    Case.open(
        "meter",
        title,
        at=at,
        actor=MACHINE,
        origin=Case.Origin.SUBMISSION,
        conversation=conversation,
        service_point=point.number,
        text=_for_staff(why, submission),
    )


def _title(text: str) -> str:
    words_ = " ".join(text.split())
    return words_ if len(words_) <= TITLE else words_[: TITLE - 1].rstrip() + "…"
