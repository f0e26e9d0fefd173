"""From a stored file to a photograph that was looked at."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation

from rasd.channels.jobs import defer
from rasd.channels.models import Incoming, Line, Media
from rasd.desk.models import Conversation, HandOver
from rasd.flows import jobs, words
from rasd.flows.answering import conversation_of, origin_of, speak_as_account
from rasd.flows.identity import points_of
from rasd.flows.live import announce
from rasd.flows.speaking import hand_over, log, logging_of, say
from rasd.ledger import evidence
from rasd.metering.models import Photograph, Submission
from rasd.vision import NotAPhotograph, open_photograph


def take_photograph(incoming: Incoming, *, at: datetime) -> None:
    """Make it part of a submission, and have it read. Files that are no photographs go to a person."""
    # Voice, video and the like are none of this: a person has them since they arrived.
    may_be = incoming.kind in {Incoming.Kind.IMAGE, Incoming.Kind.DOCUMENT}
    may_be = may_be and incoming.line.purpose == Line.Purpose.READINGS
    is_one = may_be and _is_photograph(incoming.media)  # outside the transaction: a PDF takes a moment
    with transaction.atomic():
        message = Conversation.take_in(incoming)
        if not may_be:
            return
        if not is_one:
            hand_over(message.conversation, message, wish=HandOver.Wish.MACHINE, why="a document", at=at)
            return
        submission, photograph = Submission.from_photograph(
            identifier=incoming.address.identifier,
            origin=origin_of(incoming),
            sha256=incoming.media.sha256,
            sent_at=incoming.sent_at,
            received_at=incoming.received_at,
            conversation=str(message.conversation),
        )
        if submission.service_point is None:
            points = list(points_of(incoming.address)[:2])
            if len(points) == 1:
                submission.identify(points[0], at=at)
        defer(jobs.read, photograph_id=photograph.pk)
        defer(jobs.still_reading, at=at + jobs.STILL_READING_AFTER, photograph_id=photograph.pk)


def _is_photograph(media: Media) -> bool:
    """Of a PDF: not where it is a bill or a letter. One that cannot be opened counts, as its sender is told why at once."""
    if media.content_type != "application/pdf":
        return media.content_type.startswith("image/")
    try:
        open_photograph(evidence.fetch(media.sha256))
    except NotAPhotograph as error:
        return error.code not in {"document", "too_large"}
    return True


def read_photograph(photograph_id: int, *, at: datetime) -> None:
    """Look at it, outside any transaction as that takes its time, and have its submission judged."""
    photograph = Photograph.objects.select_related("submission__service_point").get(pk=photograph_id)
    submission = photograph.submission
    if submission is None:  # a meter reader's: nobody is judged by it, and nobody waits for an answer
        photograph.read(at)
        announce("cycle")
        return
    if not submission.conversation:  # from the account's page, which has no chat
        photograph.read(at)
        defer(jobs.judge, submission_id=submission.pk)
        return
    conversation = conversation_of(submission)
    with logging_of(conversation):
        photograph.read(at, theirs=points_of(conversation.address))
        log.info(
            "read", photograph=photograph.pk, milliseconds=photograph.milliseconds, model=photograph.model
        )
    defer(jobs.judge, lock=jobs.lock_of(conversation.address_id), submission_id=submission.pk)
    if settings.SHADOW_EYE:
        defer(jobs.shadow, photograph_id=photograph.pk)


def say_still_reading(photograph_id: int, *, at: datetime) -> None:
    photograph = Photograph.objects.select_related("submission").get(pk=photograph_id)
    submission = photograph.submission
    if submission is None or photograph.read_at is not None or submission.judgements.exists():
        return
    conversation = conversation_of(submission)
    speak_as_account(conversation, submission)
    with translation.override(conversation.language), transaction.atomic():
        say(conversation, words.reading_now(), key=f"reading:{submission.pk}", at=at)


def ask_for_it_again(incoming: Incoming, *, at: datetime) -> None:
    with transaction.atomic():
        message = Conversation.take_in(incoming)
        conversation = message.conversation
        with translation.override(conversation.language):
            say(
                conversation,
                words.please_resend(incoming.media),
                key=f"resend:{message.pk}",
                at=at,
                answers=incoming,
            )
