"""From the doors to the conductor: each signal defers a job in the transaction that made it true, so no crash loses one."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from rasd.channels.jobs import defer
from rasd.channels.models import Incoming, Media, Outgoing
from rasd.channels.signals import media_lost, media_stored, message_arrived, outgoing_changed
from rasd.desk.models import Case, Message, Notice, Obligation
from rasd.desk.signals import case_changed, case_opened, notice_told, obligation_changed
from rasd.flows import cases, jobs, optouts
from rasd.flows.live import announce, lists_of, topics_of
from rasd.metering.models import Review, Submission
from rasd.metering.signals import adopted, billing_exported, review_closed, review_reopened, submission_judged


@receiver(message_arrived)
def receive_later(sender: Any, incoming: Incoming, **_: Any) -> None:
    defer(jobs.receive, lock=jobs.lock_of(incoming.address_id), incoming_id=incoming.pk)


@receiver(media_stored)
def look_later(sender: Any, media: Media, **_: Any) -> None:
    defer(jobs.look, lock=jobs.lock_of(media.incoming.address_id), incoming_id=media.incoming_id)


@receiver(media_lost)
def ask_again_later(sender: Any, media: Media, **_: Any) -> None:
    defer(jobs.ask_again, lock=jobs.lock_of(media.incoming.address_id), incoming_id=media.incoming_id)
    announce("troubles")


@receiver(outgoing_changed)
def learn_who_wants_none(sender: Any, outgoing: Outgoing, **_: Any) -> None:
    optouts.learn(outgoing)


@receiver(outgoing_changed)
def show_what_became_of_it(sender: Any, outgoing: Outgoing, **_: Any) -> None:
    for message in Message.objects.filter(outgoing=outgoing).select_related("conversation"):
        shown = message.conversation
        announce(*(topics_of(shown) if outgoing.failed_at else [f"{shown}#{shown.pk}"]))
        if outgoing.failed_at:
            defer(jobs.not_delivered, lock=jobs.lock_of(outgoing.address_id), message_id=message.pk)
    if outgoing.failed_at:
        announce("troubles")


@receiver(submission_judged)
def show_the_judgement(sender: Any, submission: Submission, **_: Any) -> None:
    announce("review", "cycle", *([submission.conversation] if submission.conversation else []))


@receiver(adopted)
def show_the_adoption(sender: Any, **_: Any) -> None:
    announce("cycle", "review")


@receiver(billing_exported)
def show_the_file(sender: Any, **_: Any) -> None:
    announce("cycle")


@receiver(review_closed)
def answer_the_review_later(sender: Any, review: Review, **_: Any) -> None:
    """After a pause in which the reviewer may still take it back."""
    announce("review", "cycle")
    defer(jobs.answer_review, at=timezone.now() + jobs.REVIEW_CAN_BE_UNDONE, review_id=review.pk)


@receiver(review_reopened)
def show_it_is_open_again(sender: Any, review: Review, **_: Any) -> None:
    announce("review", "cycle")


@receiver(case_opened)
def tell_its_page(sender: Any, case: Case, message: Message | None, **_: Any) -> None:
    cases.tell_opened(case, message)


@receiver(case_changed)
def show_the_case(sender: Any, case: Case, **_: Any) -> None:
    announce("cases", str(case))


@receiver(obligation_changed)
def show_whose_case_it_is(sender: Any, obligation: Obligation, **_: Any) -> None:
    if obligation.case_id:
        announce("cases", f"case:{obligation.case_id}")


@receiver(obligation_changed)
def show_it_to_team_leads(sender: Any, **_: Any) -> None:
    announce("team")


@receiver(obligation_changed)
def show_who_owes_the_answer(
    sender: Any, obligation: Obligation, before: tuple[int | None, int] | None, **_: Any
) -> None:
    """In the lists of who owed it until now, too: there it goes."""
    lists = {*lists_of(obligation.owner_id, obligation.queue_id), *(lists_of(*before) if before else ())}
    of_conversation = [f"conversation:{obligation.conversation_id}"] if obligation.conversation_id else []
    announce("conversations", "owed", "troubles", *of_conversation, *sorted(lists))


@receiver(notice_told)
def show_the_notice(sender: Any, notice: Notice, **_: Any) -> None:
    announce(f"notices:{notice.to_id}")
