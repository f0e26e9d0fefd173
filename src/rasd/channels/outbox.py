"""The outbox: a message to a customer is a row first, sent by a job, and followed until it is read or has failed.

**Sent once, and what can still double.** Meta takes no key that would make a repeated call harmless. So ``called_at`` is
committed *before* the call: a worker that dies between the call and the commit leaves a row that says "handed over, answer not
seen". Such a row is not sent again until :data:`GRACE` has passed; in that time Meta's own status webhook, which brings our
``key`` back in ``biz_opaque_callback_data``, proves that the message was accepted. Only where no status came either is it sent
again. What remains: Meta accepted the message, the worker died or the answer was lost, *and* Meta's webhooks were held up
for longer than the grace. Then the customer gets the same message a second time, a minute and a half or more after the
first. The same holds for a message that Meta reports as failed for a passing reason and delivers all the same.
"""

import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rasd.channels import rules, signals
from rasd.channels.errors import ChannelError
from rasd.channels.models import Address, Incoming, Line, Outgoing, StatusEvent
from rasd.channels.whatsapp import api, compose

log = structlog.get_logger("rasd.channels.outbox")

GRACE = timedelta(seconds=90)  # for a status webhook to prove an acceptance that we did not see
MAX_ATTEMPTS = 10  # with the waits below, about 17 minutes
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=10)
SHORT_WAIT = timedelta(
    milliseconds=500
)  # for the line's own rate a worker waits this long rather than come back
WINDOW_CLOSED = 131047  # Meta's code for it, used for our own finding too
NO_ADDRESS = "this person's number has moved to someone else, and no other way to write is known"


def queue(
    *,
    line: Line,
    address: Address,
    key: str,
    text: str,
    kind: str,
    content: dict[str, Any],
    replies_to: Incoming | None,
    unasked: bool = False,
) -> Outgoing:
    """See :meth:`Outgoing.queue`."""
    compose.check(kind, text, content)
    with transaction.atomic():
        outgoing, is_new = Outgoing.objects.get_or_create(
            key=key,
            defaults={
                "line": line,
                "address": address,
                "kind": kind,
                "text": text,
                "content": content,
                "replies_to": replies_to,
            },
        )
        if is_new:
            outgoing.send_later(unasked=unasked)
    return outgoing


def send(outgoing: Outgoing) -> datetime | None:
    """See :meth:`Outgoing.send`. Call it outside a transaction: it commits before and after the call."""
    turn = _take_turn(outgoing.pk, timezone.now())
    if not isinstance(turn, _Turn):
        return turn
    time.sleep(max(0.0, turn.wait.total_seconds()))
    try:
        external_id = api.send(turn.outgoing.line, turn.body)
    except ChannelError as error:
        return _not_accepted(outgoing.pk, error, timezone.now())
    _accepted(outgoing.pk, external_id, timezone.now())
    return None


def send_again(outgoing: Outgoing) -> bool:
    """See :meth:`Outgoing.send_again`."""
    with transaction.atomic():
        outgoing = _locked(outgoing.pk)
        if outgoing.state != Outgoing.State.FAILED:
            return False
        _start_over(outgoing)
        outgoing.attempts = 0
        outgoing.save()
        outgoing.send_later()
        signals.outgoing_changed.send(sender=Outgoing, outgoing=outgoing)
    return True


def _start_over(outgoing: Outgoing) -> None:
    outgoing.external_id = ""
    outgoing.called_at = outgoing.accepted_at = outgoing.sent_at = outgoing.failed_at = None


class _Turn:
    """The right to call the channel now; it is committed that we do."""

    def __init__(self, outgoing: Outgoing, body: dict[str, Any], wait: timedelta) -> None:
        self.outgoing = outgoing
        self.body = body
        self.wait = wait


def _take_turn(pk: int, now: datetime) -> "_Turn | datetime | None":
    """A turn, or when to come back, or None where there is nothing to do."""
    with transaction.atomic():
        outgoing = _locked(pk)
        if outgoing.accepted_at or outgoing.failed_at:
            return None
        if outgoing.called_at and now < outgoing.called_at + GRACE:
            return outgoing.called_at + GRACE
        if outgoing.attempts >= MAX_ATTEMPTS:
            _fail(outgoing, outgoing.error_code, f"tried {MAX_ATTEMPTS} times: {outgoing.error_words}", now)
            return None
        address = Address.objects.select_for_update(no_key=True).get(pk=outgoing.address_id)
        line = Line.objects.select_for_update(no_key=True).get(pk=outgoing.line_id)
        if not address.phone and not address.user_id:
            _fail(outgoing, None, NO_ADDRESS, now)
            return None
        outgoing.address, outgoing.line = address, line
        body = _body(outgoing, now)
        if body is None:
            return None
        slot, arrival = rules.next_slot(
            address.next_send_slot, now, interval=rules.PAIR_INTERVAL, burst=rules.PAIR_BURST
        )
        if slot > now:
            return slot
        line_slot, line_arrival = rules.next_slot(
            line.next_send_slot, now, interval=timedelta(seconds=1) / line.sends_per_second
        )
        if line_slot - now > SHORT_WAIT:
            return line_slot
        Address.objects.filter(pk=address.pk).update(next_send_slot=arrival)
        Line.objects.filter(pk=line.pk).update(next_send_slot=line_arrival)
        outgoing.called_at, outgoing.attempts = now, outgoing.attempts + 1
        outgoing.save()
        return _Turn(outgoing, body, line_slot - now)


def _body(outgoing: Outgoing, now: datetime) -> dict[str, Any] | None:
    """What to send, or None where nothing may be sent and the row now says why."""
    is_template = outgoing.kind == Outgoing.Kind.TEMPLATE
    if not is_template and rules.window_is_open(last_wrote_at(outgoing.line, outgoing.address), now):
        return compose.body(outgoing, as_template=False)
    if fault := compose.fault_of_template(outgoing):
        _fail(outgoing, None, fault, now)
        return None
    if is_template or compose.template_of(outgoing):
        return compose.body(outgoing, as_template=True)
    _fail(
        outgoing,
        WINDOW_CLOSED,
        "the customer last wrote more than 24 hours ago, and there is no template to write with: give the line a "
        "reopening template, or wait until the customer writes",
        now,
    )
    return None


def last_wrote_at(line: Line, address: Address) -> datetime | None:
    """When the customer last wrote to this very line: its window is open to it alone."""
    if address.last_wrote_at is None:
        return None
    from rasd.channels.whatsapp.inbox import NOT_WRITING

    newest = (
        Incoming.objects.filter(address=address, line=line)
        .exclude(kind__in=NOT_WRITING)
        .order_by("-sent_at")
        .first()
    )
    return newest.sent_at if newest else None


def _accepted(pk: int, external_id: str, now: datetime) -> None:
    with transaction.atomic():
        outgoing = _locked(pk)
        if not outgoing.external_id:
            outgoing.external_id = external_id
        outgoing.accepted_at = outgoing.accepted_at or now
        outgoing.failed_at, outgoing.error_code, outgoing.error_words = None, None, ""
        outgoing.save()
        early = StatusEvent.objects.filter(line=outgoing.line_id, external_id=external_id, outgoing=None)
        for event in early.order_by("at", "pk"):
            learn(outgoing, event)
        signals.outgoing_changed.send(sender=Outgoing, outgoing=outgoing)


def _not_accepted(pk: int, error: ChannelError, now: datetime) -> datetime | None:
    with transaction.atomic():
        outgoing = _locked(pk)
        if outgoing.accepted_at:  # a status has proved it meanwhile
            return None
        outgoing.error_code, outgoing.error_words = error.code, str(error)
        if error.unanswered:
            outgoing.save()
            return (outgoing.called_at or now) + GRACE
        outgoing.called_at = None
        if error.permanent:
            _fail(outgoing, error.code, str(error), now)
            return None
        outgoing.save()
        return now + (error.retry_after or _wait(outgoing))


def _wait(outgoing: Outgoing) -> timedelta:
    return rules.wait_before(outgoing.attempts, first=FIRST_WAIT, longest=LONGEST_WAIT)


def _fail(outgoing: Outgoing, code: int | None, words: str, at: datetime) -> None:
    outgoing.failed_at, outgoing.error_code, outgoing.error_words = at, code, words
    outgoing.save()
    log.warning("not sent", outgoing=outgoing.pk, code=code, words=words)
    signals.outgoing_changed.send(sender=Outgoing, outgoing=outgoing)


def _locked(pk: int) -> Outgoing:
    # no_key: status events that point at the row may be written meanwhile
    return Outgoing.objects.select_for_update(no_key=True).get(pk=pk)


# What the channel tells of it afterwards


def find(line: Line, *, external_id: str, key: str = "") -> Outgoing | None:
    """The message that a status is about, locked: by the channel's id, else by our own key that came back with it."""
    ours = Outgoing.objects.select_for_update(no_key=True).filter(line=line)
    return ours.filter(external_id=external_id).first() or (ours.filter(key=key).first() if key else None)


def learn(outgoing: Outgoing, event: StatusEvent) -> None:
    """Merge a status into the row: times are only ever added, so that the order in which statuses come does not matter.

    ``outgoing`` is locked, in the caller's transaction.
    """
    if event.outgoing_id is None:
        event.outgoing = outgoing
        event.save(update_fields=["outgoing"])
    if event.status == "failed":
        _learn_failure(outgoing, event)
        return
    name = {"sent": "sent_at", "delivered": "delivered_at", "read": "read_at", "played": "read_at"}.get(
        event.status
    )
    if name is None:  # a kind of status that does not say how far it got: kept raw
        return
    if name == "sent_at" and outgoing.external_id != event.external_id and _has_failed(event):
        return  # that copy has failed since: "sent" says nothing of the one that goes in its place
    _learn_acceptance(outgoing, event)
    known = getattr(outgoing, name)
    setattr(outgoing, name, min(known, event.at) if known else event.at)
    outgoing.save()
    signals.outgoing_changed.send(sender=Outgoing, outgoing=outgoing)


def _has_failed(event: StatusEvent) -> bool:
    return StatusEvent.objects.filter(
        line=event.line_id, external_id=event.external_id, status="failed"
    ).exists()


def _learn_acceptance(outgoing: Outgoing, event: StatusEvent) -> None:
    outgoing.external_id = outgoing.external_id or event.external_id
    outgoing.accepted_at = outgoing.accepted_at or event.at


def _learn_failure(outgoing: Outgoing, event: StatusEvent) -> None:
    of_another_copy = outgoing.external_id not in ("", event.external_id)
    if of_another_copy or outgoing.delivered_at or outgoing.read_at:
        return
    code, words = compose.failure_of(event.payload)
    if code in api.RETRYABLE and outgoing.attempts < MAX_ATTEMPTS:
        _start_over(outgoing)
        outgoing.error_code, outgoing.error_words = code, words
        outgoing.save()
        outgoing.send_later(at=timezone.now() + _wait(outgoing))
        signals.outgoing_changed.send(sender=Outgoing, outgoing=outgoing)
        return
    _learn_acceptance(outgoing, event)
    _fail(outgoing, code, words, event.at)


def merge_orphans(now: datetime) -> int:
    """Join statuses that came before we knew the channel's id. Returns how many."""
    recent = StatusEvent.objects.filter(outgoing=None, delivery__received_at__gt=now - timedelta(hours=1))
    joined = 0
    for event in recent.filter(
        Q(external_id__in=Outgoing.objects.exclude(external_id="").values("external_id"))
    )[:1000]:
        with transaction.atomic():
            outgoing = find(event.line, external_id=event.external_id)
            if outgoing is not None:
                learn(outgoing, event)
                joined += 1
    return joined
