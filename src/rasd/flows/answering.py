"""From a judgement to what the customer is told: adopted, "is it 04521?", again, the dates, a person …"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import translation

from rasd.channels.jobs import defer
from rasd.channels.models import Incoming
from rasd.desk.models import Conversation, HandOver, Message, Queue
from rasd.flows import account_page, cases, identity, jobs, words
from rasd.flows.models import Dialogue
from rasd.flows.models.links import url_for
from rasd.flows.speaking import dialogue_of, hand_over, hold, log, logging_of, say
from rasd.metering.models import Adoption, Cycle, Judgement, NotAdoptable, Review, Submission
from rasd.metering.models.reviews import UNDO_WITHIN

Expecting = Dialogue.Expecting
Verdict = Judgement.Verdict


def origin_of(incoming: Incoming) -> str:
    """What metering knows a message by."""
    return f"{incoming.line.channel}:{incoming.external_id}"


def conversation_of(submission: Submission) -> Conversation:
    return Conversation.objects.select_related("line", "address").get(
        pk=submission.conversation.removeprefix("conversation:")
    )


def message_of(submission: Submission) -> Message:
    """The message that began it."""
    channel, _, external_id = submission.origin.partition(":")
    return Message.objects.get(incoming__line__channel=channel, incoming__external_id=external_id)


def speak_as_account(conversation: Conversation, submission: Submission) -> None:
    """The account's language is the customer's until he has written in one himself, now or at an earlier time."""
    wrote = conversation.address.incoming_set.filter(kind=Incoming.Kind.TEXT)
    if submission.service_point and not wrote.exists():
        conversation.speak(submission.service_point.account.language)


def judge_and_answer(submission_id: int, *, at: datetime) -> None:
    """Judge, once all of it was read, and tell the customer. Photographs that come after the decision are evidence only."""
    with transaction.atomic():
        submission = Submission.objects.select_for_update().get(pk=submission_id)
        if not submission.conversation:
            account_page.judge(submission, at=at)
            return
        conversation = conversation_of(submission)
        hold(conversation)
        being_read = submission.photographs.filter(read_at=None).exists()
        decided = submission.readings.exists() or submission.reviews.filter(closed_at=None).exists()
        if being_read or decided:
            return
        before = submission.judgements.last()
        judgement = submission.judge(at)
        if before and _said(before) == _said(judgement):
            return  # another photograph of the same says the same: the customer was told
        speak_as_account(conversation, submission)
        with translation.override(conversation.language), logging_of(conversation):
            log.info("judged", submission=submission.pk, verdict=judgement.verdict, why=judgement.why)
            Answer(conversation, submission, judgement, at=at).give()


def _said(judgement: Judgement) -> tuple[object, ...]:
    """What the customer would be told of it."""
    return judgement.verdict, judgement.value, judgement.why, judgement.basis.get("service_point")


class Answer:
    """What follows from one judgement."""

    def __init__(
        self, conversation: Conversation, submission: Submission, judgement: Judgement, *, at: datetime
    ) -> None:
        self.conversation, self.submission, self.judgement, self.at = conversation, submission, judgement, at

    def give(self) -> None:
        {
            Verdict.ACCEPT: self._accept,
            Verdict.CONFIRM: self._confirm,
            Verdict.RETAKE: self._retake,
            Verdict.REVIEW: self._review,
            Verdict.OUTSIDE_WINDOW: self._outside_window,
            Verdict.ALREADY_ADOPTED: self._already_adopted,
            Verdict.OTHER_METER: self._other_meter,
            Verdict.UNKNOWN_SENDER: self._unknown_sender,
        }[Verdict(self.judgement.verdict)]()

    def _accept(self) -> None:
        if self.judgement.value is None:
            raise ValueError(f"judgement {self.judgement.pk} accepts no value")
        adoption = self.submission.adopt(
            self.judgement.value,
            at=self.at,
            actor=self.judgement.actor,
            why=self.judgement.why,
            confidence=self.judgement.confidence,
        )
        tell_adopted(self.conversation, adoption, at=self.at)

    def _confirm(self) -> None:
        if self.judgement.value is None:
            raise ValueError(f"judgement {self.judgement.pk} asks for no value")
        self._expect(Expecting.CONFIRMATION)
        shown = self.submission.as_shown(self.judgement.value)
        self._say(words.is_it(self.submission, self.judgement.value, shown))

    def _retake(self) -> None:
        self._say(words.again(self.judgement.why))

    def _review(self) -> None:
        self.submission.send_to_review(why=self.judgement.why, at=self.at, actor=self.judgement.actor)
        self.conversation.owe(message_of(self.submission), queue=Queue.standing(Queue.Purpose.PHOTOGRAPHS))
        self._expect(Expecting.NOTHING)
        self._say(words.with_reviewer(self.submission))

    def _outside_window(self) -> None:
        point = self.submission.service_point
        self._say(words.outside_window(Cycle.latest(self.at, point), point, self.at))

    def _already_adopted(self) -> None:
        standing = self._standing_adoption()
        if self.judgement.value is None or self.judgement.why != "replaces":
            self._say(words.already_adopted(standing))
        else:
            self._expect(Expecting.REPLACEMENT)
            self._say(words.replace(self.submission, standing, self.judgement.value))

    def _standing_adoption(self) -> Adoption:
        point, cycle = self.submission.service_point, self.submission.cycle
        standing = point.adoption_in(cycle) if point and cycle else None
        if standing is None:
            raise ValueError(f"submission {self.submission.pk} was judged already adopted, and nothing is")
        return standing

    def _other_meter(self) -> None:
        """Another of their own: it is that one's reading. Anybody else's: please photograph yours."""
        points = list(identity.points_of(self.conversation.address).select_related("account"))
        theirs = self.submission.point_shown(points)
        if theirs is not None and theirs != self.submission.service_point:
            self.submission.identify(theirs, at=self.at)
            submission_identified(self.submission, at=self.at)
        elif self.submission.service_point:
            self._say(words.other_meter(self.submission.service_point))
            cases.after_other_meter(self.conversation, self.submission, at=self.at)

    def _unknown_sender(self) -> None:
        ask_whose(self.conversation, self.submission, message=message_of(self.submission), at=self.at)

    def _expect(self, what: str) -> None:
        if not self.conversation.is_with_people:
            dialogue_of(self.conversation).expect(what, at=self.at, submission=self.submission)

    def _say(self, message: words.Say) -> None:
        named = naming_meter(self.conversation, self.submission, message)
        tell(self.conversation, named, key=f"judgement:{self.judgement.pk}", at=self.at)


def naming_meter(conversation: Conversation, submission: Submission, message: words.Say) -> words.Say:
    """Who has several meters is told which one it is about."""
    point = submission.service_point
    if point is None or identity.points_of(conversation.address).count() < 2:
        return message
    return words.about_meter(point, message)


def tell(conversation: Conversation, message: words.Say, *, key: str, at: datetime) -> Message:
    """Tell the customer, or the people who have the conversation: no robot speaks to the customer then (G8)."""
    told = say(conversation, message, key=key, at=at)
    if told is None:
        with translation.override(settings.LANGUAGE_CODE):
            told = conversation.note(message.text, at=at)
    return told


def tell_adopted(conversation: Conversation, adoption: Adoption, *, at: datetime) -> Message:
    dialogue_of(conversation).expect(Expecting.NOTHING, at=at)
    said = words.adopted(adoption, adoption.consumption())
    url = url_for(adoption.service_point.account, conversation.address.identifier, at)
    said = replace(said, text=said.text + words.month_page(url))
    if adoption.reading.submission:
        said = naming_meter(conversation, adoption.reading.submission, said)
    told = tell(conversation, said, key=f"adoption:{adoption.pk}", at=at)
    owed = conversation.owed
    if (
        told.outgoing
        and owed
        and owed.home.purpose == Queue.Purpose.PHOTOGRAPHS
        and not has_review(conversation)
    ):
        owed.answer_with(told)
    return told


def has_review(conversation: Conversation) -> bool:
    """Whether something from this conversation waits for a reviewer."""
    return Review.objects.filter(closed_at=None, submission__conversation=str(conversation)).exists()


def ask_whose(conversation: Conversation, submission: Submission, *, message: Message, at: datetime) -> None:
    """Whose service point is it? One is theirs, or one's serial number is in the photograph → go on; several → a list; none →
    the account's number, in few tries."""
    points = list(identity.points_of(conversation.address).select_related("account"))
    if point := points[0] if len(points) == 1 else submission.point_shown(points):
        dialogue_of(conversation).expect(Expecting.NOTHING, at=at)
        submission.identify(point, at=at)
        submission_identified(submission, at=at)
    elif points:
        dialogue_of(conversation).expect(Expecting.SERVICE_POINT, at=at, submission=submission)
        tell(conversation, words.which_point(submission, points), key=f"which-point:{submission.pk}", at=at)
    elif identity.tries_left(submission.identifier, at):
        dialogue_of(conversation).expect(Expecting.ACCOUNT, at=at, submission=submission)
        tell(conversation, words.which_account(), key=f"which-account:{submission.pk}", at=at)
    else:
        hand_over(
            conversation,
            message,
            wish=HandOver.Wish.MACHINE,
            why="could not prove whose account it is",
            at=at,
        )


def submission_identified(submission: Submission, *, at: datetime) -> None:
    """Now that the meter is known, its history says more about what the photographs show: they are read again."""
    photographs = submission.photographs.all()
    if not photographs:
        judge_and_answer(submission.pk, at=at)
    photographs.update(read_at=None)
    for photograph in photographs:
        defer(jobs.read, photograph_id=photograph.pk)


def confirm(
    conversation: Conversation, submission: Submission, value: Decimal, *, message: Message, at: datetime
) -> None:
    """The customer said yes to a value, or typed one: adopted where it is plausible, else a person looks (G3)."""
    dialogue_of(conversation).expect(Expecting.NOTHING, at=at)
    if adoption := submission.adoption:
        tell(conversation, words.already_adopted(adoption), key=f"confirmed-again:{message.pk}", at=at)
        return
    try:
        judgement = submission.confirm(value, at, f"customer:{submission.identifier}")
    except NotAdoptable:  # a button of a submission that was outside every window, or whose meter is gone
        point = submission.service_point
        dates = words.outside_window(Cycle.latest(at, point), point, at)
        tell(conversation, dates, key=f"too-late:{message.pk}", at=at)
        return
    Answer(conversation, submission, judgement, at=at).give()


def decline(conversation: Conversation, submission: Submission, *, message: Message, at: datetime) -> None:
    dialogue_of(conversation).expect(Expecting.VALUE, at=at, submission=submission)
    tell(conversation, words.what_is_it(submission), key=f"what-is-it:{message.pk}", at=at)


def answer_review(review_id: int, *, at: datetime) -> None:
    """Tell the customer what the person decided; nothing where the person took it back in time."""
    with transaction.atomic():
        review = Review.objects.select_related("submission").get(pk=review_id)
        if review.closed_at is None or at < review.closed_at + UNDO_WITHIN:
            return  # taken back; where it was decided anew, another job will tell
        submission = review.submission
        if not submission.conversation:
            return  # the account's page shows it
        conversation = conversation_of(submission)
        hold(conversation)
        with translation.override(conversation.language), logging_of(conversation):
            told = _tell_review(conversation, submission, review, at=at)
        owed = conversation.owed
        if told and told.outgoing and owed and owed.home.purpose == Queue.Purpose.PHOTOGRAPHS:
            owed.answer_with(told)


def _tell_review(
    conversation: Conversation, submission: Submission, review: Review, *, at: datetime
) -> Message | None:
    if review.outcome in {Review.Outcome.ACCEPTED, Review.Outcome.CORRECTED}:
        return tell_adopted(conversation, review.adoption, at=at) if review.adoption else None
    if not submission.photographs.exists():
        return tell(conversation, words.please_photograph(), key=f"review:{review.pk}", at=at)
    judgement = submission.judgement
    cases.after_review(conversation, submission, at=at)
    why = "no_meter" if review.outcome == Review.Outcome.NOT_A_METER else (judgement.why if judgement else "")
    return tell(conversation, words.again(why), key=f"review:{review.pk}", at=at)
