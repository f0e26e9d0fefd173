"""Sorting a delivery: every message and status in it becomes a row, once (G6).

Each becomes one in a transaction of its own, with the signal that tells of it, so that one that cannot does not stop the
rest, two workers that sort the same at once do no harm, and a worker that dies half-way is made good by sorting again.
"""

from datetime import datetime, timedelta

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from rasd.channels import outbox, signals
from rasd.channels.erased import pseudonym_of
from rasd.channels.errors import SortingFailed
from rasd.channels.models import (
    MEDIA_ID_LIFE,
    Channel,
    Delivery,
    Incoming,
    Line,
    Media,
    Outgoing,
    StatusEvent,
)
from rasd.channels.whatsapp import payload
from rasd.channels.whatsapp.content import content_of
from rasd.channels.whatsapp.payload import ID_LENGTH, Message, Status, Update
from rasd.channels.whatsapp.senders import changed, recognise, sender_of

log = structlog.get_logger("rasd.channels.whatsapp")

CLOCK_ERROR = timedelta(days=1)  # a timestamp further ahead of our own clock than this is not believed
TROUBLES_KEPT = 50  # lines of Delivery.trouble

# An open window follows from these only: a reaction, an edit or a number change may not open one, and a template that
# was not needed does less harm than an answer refused.
NOT_WRITING = {
    Incoming.Kind.SYSTEM,
    Incoming.Kind.EDIT,
    Incoming.Kind.REVOCATION,
    Incoming.Kind.REACTION,
    Incoming.Kind.UNSUPPORTED,
}


class NotUnderstood(Exception):
    """This update cannot become a row, now or later; the words say why."""


def sort(delivery: Delivery) -> None:
    """Idempotent. What cannot be understood is written to ``delivery.trouble``.

    Raises:
        SortingFailed: something in it failed for a reason that may pass. The rest is stored.
    """
    if delivery.sorted_at is not None:
        return
    updates, troubles = payload.read(bytes(delivery.body))
    lines: dict[str, Line | None] = {}
    stored = _stored(updates)
    failures: list[str] = []
    for number, update in enumerate(updates):
        where = f"{update.kind}[{number}]"
        if update.line_id not in lines:
            lines[update.line_id] = Line.objects.filter(
                channel=Channel.WHATSAPP, external_id=update.line_id[:100]
            ).first()
        line = lines[update.line_id]
        if line is None:
            troubles.append(
                f"line {update.line_id} is not known: add it under Lines and this is sorted again"
            )
            continue
        if (line.pk, payload.words(update.raw.get("id"))) in stored:
            continue
        try:
            with transaction.atomic():
                if trouble := _keep(update, line, delivery):
                    troubles.append(f"{where}: {trouble}")
        except NotUnderstood as problem:
            troubles.append(f"{where}: {problem}")
        except OperationalError:
            raise  # the database is gone: so will it be for the rest
        except Exception as error:
            log.exception("update not stored", delivery=delivery.pk, update=where)
            failures.append(f"{where}: {type(error).__name__}: {str(error)[:200]}")
    _finish(delivery, list(dict.fromkeys(troubles)), failures)


def _stored(updates: list[Update]) -> set[tuple[int, str]]:
    """Line and external id of those messages that are rows already, those of people who were erased too: a repeated delivery
    costs one query."""
    ids = {payload.words(u.raw.get("id")) for u in updates if u.kind != "statuses"}
    names = {pseudonym_of(each): each for each in ids} | {each: each for each in ids}
    rows = Incoming.objects.filter(external_id__in=names).values_list("line_id", "external_id")
    return {(line, names[each]) for line, each in rows}


def _finish(delivery: Delivery, troubles: list[str], failures: list[str]) -> None:
    words = failures + troubles
    if len(words) > TROUBLES_KEPT:
        words = [*words[:TROUBLES_KEPT], f"… and {len(words) - TROUBLES_KEPT} more"]
    delivery.trouble = "\n".join(words)
    if not failures:
        delivery.sorted_at = timezone.now()
    delivery.save(update_fields=["trouble", "sorted_at"])
    if failures:
        raise SortingFailed(f"delivery {delivery.pk}: {len(failures)} updates not stored: {failures[0]}")


def _keep(update: Update, line: Line, delivery: Delivery) -> str:
    """Make ``update`` a row. Returns what was odd about it, or ""."""
    if update.kind == "statuses":
        return _keep_status(Status.model_validate(update.raw), update, line, delivery)
    if update.kind == "calls":
        update = Update("calls", update.line_id, {**update.raw, "type": "call"}, update.contacts)
    return _keep_message(Message.model_validate(update.raw), update, line, delivery)


def _time(timestamp: str, delivery: Delivery) -> tuple[datetime, str]:
    """The channel's own timestamp (G1), or when it was delivered, and then words about that."""
    at = payload.time_of(timestamp, latest=delivery.received_at + CLOCK_ERROR)
    if at is not None:
        return at, ""
    return (
        delivery.received_at,
        f"timestamp {timestamp[:30]!r} is no time: taken as sent when it was delivered",
    )


def _keep_message(message: Message, update: Update, line: Line, delivery: Delivery) -> str:
    if not 0 < len(message.id) <= ID_LENGTH:
        raise NotUnderstood(f"id: missing, or longer than {ID_LENGTH} characters")
    sender = sender_of(message, update.contacts)
    if not sender.is_known:
        raise NotUnderstood(f"message {message.id}: neither a number nor a user id of the sender")
    at, trouble = _time(message.timestamp, delivery)
    address = recognise(sender, at)
    content = content_of(message)
    try:
        with transaction.atomic():
            incoming = Incoming.objects.create(
                line=line,
                address=address,
                delivery=delivery,
                external_id=message.id,
                kind=content.kind,
                text=content.text,
                button_id=content.button_id,
                replies_to=content.replies_to,
                payload=update.raw,
                sent_at=at,
                received_at=delivery.received_at,
            )
    except IntegrityError:  # stored by another delivery of it, a moment ago
        return ""
    if content.kind not in NOT_WRITING:
        address.last_wrote_at = max(at, address.last_wrote_at or at)
    address.save(update_fields=["identified_at", "last_wrote_at"])
    if message.type == "system":
        changed(address, message.system, at)
    if content.file is not None:
        media = Media.objects.create(
            incoming=incoming,
            external_id=content.file.id,
            declared_type=content.file.mime_type[:200],
            file_name=content.file.filename[:300],
            gives_up_at=at + MEDIA_ID_LIFE,
        )
        media.fetch_later()
    signals.message_arrived.send(sender=Incoming, incoming=incoming)
    return trouble


def _keep_status(status: Status, update: Update, line: Line, delivery: Delivery) -> str:
    if not 0 < len(status.id) <= ID_LENGTH or not 0 < len(status.status) <= 30:
        raise NotUnderstood("id or status: missing or too long")
    at, trouble = _time(status.timestamp, delivery)
    outgoing = outbox.find(line, external_id=status.id, key=status.biz_opaque_callback_data)
    if outgoing is None and Outgoing.objects.filter(external_id=pseudonym_of(status.id)).exists():
        return ""  # of an answer to somebody who was erased since
    event, is_new = StatusEvent.objects.get_or_create(
        line=line,
        external_id=status.id,
        status=status.status,
        at=at,
        defaults={"delivery": delivery, "payload": update.raw, "outgoing": outgoing},
    )
    if outgoing is not None and (is_new or event.outgoing_id is None):
        outbox.learn(outgoing, event)
    return trouble
