"""What went wrong and has not been dealt with: seven lists, each with its newest first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.api.models import WebhookDelivery
from rasd.channels.models import Delivery, Media, Outgoing, Refusal
from rasd.console.models import Settlement
from rasd.desk.models import Obligation
from rasd.ledger.models import Verification, actor_of, record

LOOKS_BACK = timedelta(days=30)
SHOWN = 50  # of each kind; the number says how many there are


def dead_jobs() -> QuerySet[ProcrastinateJob]:
    """Jobs that were tried as often as they may be. They stay until somebody tries them again."""
    dead: QuerySet[ProcrastinateJob] = ProcrastinateJob.objects.filter(status="failed")
    return dead.annotate(failed_at=Max("procrastinateevent__at")).order_by("-id")


def media(at: datetime) -> QuerySet[Media]:
    """Files that could not be had: lost ones, and those whose download failed and will be tried again."""
    failing = Q(stored_at=None) & ~Q(last_error="")
    recent = Media.objects.filter(
        Q(lost_at__isnull=False) | failing, incoming__received_at__gt=at - LOOKS_BACK
    )
    return _unsettled(recent, "media").select_related("incoming__address").order_by("-id")


def outgoing(at: datetime) -> QuerySet[Outgoing]:
    """Answers that the customer does not have."""
    failed = Outgoing.objects.filter(failed_at__gt=at - LOOKS_BACK, delivered_at=None, read_at=None)
    failed = failed.exclude(key__startswith="reminder:")  # each round's page counts its own
    return _unsettled(failed, "outgoing").select_related("address", "line", "message").order_by("-failed_at")


def deliveries(at: datetime) -> QuerySet[Delivery]:
    """Deliveries of a channel with something in them that was not understood; they are kept whole."""
    troubled = Delivery.objects.filter(received_at__gt=at - LOOKS_BACK).exclude(trouble="").defer("body")
    return _unsettled(troubled, "delivery").order_by("-received_at")


def refusals(at: datetime) -> QuerySet[Refusal]:
    """Calls of the webhook that were turned away, hour by hour; one that went on after it was settled is shown again."""
    recent = Refusal.objects.filter(hour__gt=at - timedelta(days=7))
    return _unsettled(recent, "refusal", goes_on="last_at").order_by("-hour", "reason")


def webhooks(at: datetime) -> QuerySet[WebhookDelivery]:
    """What a program was to be told and did not take in seven days."""
    untaken = WebhookDelivery.untaken().filter(given_up_at__gt=at - LOOKS_BACK)
    return _unsettled(untaken, "webhook").order_by("-given_up_at")


def in_nobodys_hands(at: datetime) -> QuerySet[Obligation]:
    """What is owed and lies with nobody who is at work (G7): always to be empty."""
    return (
        Obligation.objects.in_nobodys_hands(at)
        .select_related("queue", "owner", "conversation__contact", "case")
        .order_by("due_at")
    )


def ledger(at: datetime) -> dict[str, Any]:
    """Whether the ledger was found changed, or nobody looked for two days (G12); ``last``, when somebody did, is None where
    nobody ever did."""
    last = Verification.last()
    broken = last is not None and last.broken_at is not None
    return {"last": last, "broken": broken, "overdue": not broken and Verification.is_overdue(at)}


def count(at: datetime) -> int:
    lists = (in_nobodys_hands(at), media(at), outgoing(at), deliveries(at), refusals(at), webhooks(at))
    of_ledger = ledger(at)
    dead = ProcrastinateJob.objects.filter(status="failed").count()
    return dead + sum(each.count() for each in lists) + int(of_ledger["broken"] or of_ledger["overdue"])


def _unsettled(rows: QuerySet[Any], kind: str, *, goes_on: str = "") -> QuerySet[Any]:
    """``goes_on`` names the column that moves on when there is more of the same after it was settled."""
    subject = Concat(Value(f"{kind}:"), Cast("pk", CharField()))
    settled = Settlement.objects.filter(subject=OuterRef("subject"))
    if goes_on:
        settled = settled.filter(at__gte=OuterRef(goes_on))
    unsettled: QuerySet[Any] = rows.annotate(subject=subject).filter(~Exists(settled))
    return unsettled


def try_again(job_id: int, actor: str, at: datetime) -> None:
    """Put a dead job back into its queue.

    Raises:
        ProcrastinateJob.DoesNotExist: it is not dead (any more): somebody else was quicker.
    """
    with transaction.atomic():
        job = ProcrastinateJob.objects.get(pk=job_id, status="failed")
        app.job_manager.retry_job_by_id(job_id, retry_at=at)
        record(actor, "job.retried", f"job:{job_id}", at=at, facts={"task": job.task_name})


def settle(subject: str, user: Any, at: datetime) -> None:
    """``user`` has dealt with it."""
    with transaction.atomic():
        Settlement.objects.update_or_create(subject=subject, defaults={"by": user, "at": at})
        record(actor_of(user), "trouble.settled", subject, at=at)


def unsettle(subject: str, user: Any, at: datetime) -> None:
    """Not yet, after all."""
    with transaction.atomic():
        Settlement.objects.filter(subject=subject).delete()
        record(actor_of(user), "trouble.reopened", subject, at=at)


@dataclass(frozen=True)
class Advice:
    """What one of Meta's error codes means for whoever has to do something now."""

    codes: frozenset[int]
    words: str | Promise


ADVICE = (
    Advice(
        frozenset({131047}),
        _(
            "More than 24 hours have passed since the customer wrote. Telephone, or wait until they write again; with"
            " a reopening template on the line (under Lines), Rasd can write even so."
        ),
    ),
    Advice(
        frozenset({131026}),
        _(
            "This number cannot receive it: no WhatsApp there, or an old one. Telephone, and check the number."
        ),
    ),
    Advice(
        frozenset({130429, 131056, 80007, 4}),
        _("Too many messages at once. Rasd tries again by itself; if it stays, send more slowly."),
    ),
    Advice(
        frozenset({0, 3, 10, 190}),
        _("WhatsApp does not accept our access token. An administrator must renew RASD_WHATSAPP_TOKEN."),
    ),
    Advice(
        frozenset({131042, 131031, 368, 130497}),
        _(
            "Meta has stopped this account or its payment. An administrator must look in Meta's business manager."
        ),
    ),
    Advice(
        frozenset({132000, 132001, 132005, 132007, 132012, 132015, 132016}),
        _(
            "The template is missing, paused or filled wrongly. An administrator must look at it in Meta's manager."
        ),
    ),
    Advice(
        frozenset({1, 2, 131000, 131016}),
        _("WhatsApp itself was out of order. Open the conversation and send the answer again."),
    ),
)
OTHERWISE = _("Open the conversation, read what was not delivered, and answer in another way.")


def advice(code: int | None) -> str | Promise:
    return next((each.words for each in ADVICE if code in each.codes), OTHERWISE)
