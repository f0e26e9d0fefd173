"""Fetching a file that a customer sent: tried until its id dies, kept under its SHA-256, checked by its content.

A download that fails is tried again; it never touches the message, which is long stored. A file that nobody may open
(:mod:`rasd.channels.files`) is kept as evidence and told as lost, so that the customer is asked to send it again.
"""

from datetime import datetime, timedelta

import structlog
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from rasd.channels import rules, signals
from rasd.channels.errors import ChannelError
from rasd.channels.files import Head, Verdict, examine
from rasd.channels.models import Media
from rasd.channels.whatsapp import api
from rasd.ledger import evidence

log = structlog.get_logger("rasd.channels.media")

LARGEST = (
    100 * 1024 * 1024
)  # bytes: a document, the largest that WhatsApp carries [Meta, "Supported media types"]
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)


def fetch(media: Media) -> datetime | None:
    """See :meth:`Media.fetch`. Call it outside a transaction: it commits the attempt before it calls out."""
    now = timezone.now()
    with transaction.atomic():
        media = _locked(media.pk)
        if not media.is_wanted:
            return None
        if now >= media.gives_up_at:
            _lose(
                media, f"its id died on {media.gives_up_at:%Y-%m-%d %H:%M} UTC; last: {media.last_error}", now
            )
            return None
        media.attempts += 1
        media.save(update_fields=["attempts"])
    try:
        with api.download(media.incoming.line, media.external_id) as chunks:
            head = Head(chunks)
            sha256, size = evidence.keep(head, limit=LARGEST)
    except evidence.TooLarge as error:
        with transaction.atomic():
            _lose(_locked(media.pk), f"too large: {error}", now)
        return None
    except (ChannelError, OSError) as error:  # OSError: our own disk or bucket
        return _try_again(media.pk, str(error), timezone.now())
    with default_storage.open(evidence.path_of(sha256)) as stored:
        verdict = examine(head.bytes, stored)
    _store(media.pk, sha256, size, verdict, timezone.now())
    return None


def _try_again(pk: int, words: str, now: datetime) -> datetime:
    with transaction.atomic():
        media = _locked(pk)
        media.last_error = words
        media.save(update_fields=["last_error"])
    log.warning("media not fetched", media=pk, attempts=media.attempts, words=words)
    return now + rules.wait_before(media.attempts, first=FIRST_WAIT, longest=LONGEST_WAIT)


def _store(pk: int, sha256: str, size: int, verdict: Verdict, now: datetime) -> None:
    with transaction.atomic():
        media = _locked(pk)
        if not media.is_wanted:  # fetched twice at once: the same bytes are stored once
            return
        media.sha256, media.size, media.content_type = sha256, size, verdict.content_type
        declared = media.declared_type.partition(";")[0].strip().lower()
        if declared and declared != verdict.content_type:
            media.note = f"declared as {declared}, is {verdict.content_type or 'of no known kind'}"
        if verdict.refusal:
            _lose(media, f"{verdict.refusal}; kept as evidence, to be opened by nobody", now)
            return
        media.stored_at, media.last_error = now, ""
        media.save()
        signals.media_stored.send(sender=Media, media=media)


def _lose(media: Media, words: str, now: datetime) -> None:
    media.lost_at, media.last_error = now, words
    media.save()
    log.warning("media lost", media=media.pk, words=words)
    signals.media_lost.send(sender=Media, media=media)


def _locked(pk: int) -> Media:
    return Media.objects.select_for_update(of=("self",)).select_related("incoming__line").get(pk=pk)
