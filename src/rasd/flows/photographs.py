"""From a stored file to a photograph that was looked at."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation

from rasd.channels.jobs import defer
from rasd.channels.models import Incoming, Line
from rasd.desk.models import Conversation, HandOver
from rasd.flows import jobs, words
from rasd.flows.answering import conversation_of, origin_of, speak_as_account
from rasd.flows.identity import points_of
from rasd.flows.speaking import hand_over, log, logging_of, say
from rasd.metering.models import Photograph, Submission


def take_photograph(incoming: Incoming, *, at: datetime) -> None:
    """Make it part of a submission, and have it read. Files that are no pictures go to a person."""
    with transaction.atomic():
        message = Conversation.take_in(incoming)
        if incoming.kind not in {Incoming.Kind.IMAGE, Incoming.Kind.DOCUMENT}:
            return  # voice, video and the like: a person has them since they arrived
        if incoming.line.purpose != Line.Purpose.READINGS:
            return
        if not incoming.media.content_type.startswith("image/"):
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


def read_photograph(photograph_id: int, *, at: datetime) -> None:
    """Look at it, outside any transaction as that takes its time, and have its submission judged."""
    photograph = Photograph.objects.select_related("submission__service_point").get(pk=photograph_id)
    submission = photograph.submission
    conversation = conversation_of(submission)
    with logging_of(conversation):
        photograph.read(at)
        log.info(
            "read", photograph=photograph.pk, milliseconds=photograph.milliseconds, model=photograph.model
        )
    defer(jobs.judge, lock=jobs.lock_of(conversation.address_id), submission_id=submission.pk)
    if settings.SHADOW_EYE:
        defer(jobs.shadow, photograph_id=photograph.pk)


def say_still_reading(photograph_id: int, *, at: datetime) -> None:
    photograph = Photograph.objects.select_related("submission").get(pk=photograph_id)
    submission = photograph.submission
    if photograph.read_at is not None or submission.judgements.exists():
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
            say(conversation, words.please_resend(), key=f"resend:{message.pk}", at=at, answers=incoming)
