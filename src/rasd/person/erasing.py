"""Forgetting a person: words, files, names and numbers go from every room, the work that was done for him stays on record.

All rows in one transaction, the ledger's last (:mod:`rasd.ledger.erasing`). Files cannot be taken back, so they go after it is
committed, as does what a channel delivered more than once, which only a look through everything that came can find.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from rasd.channels.erased import GONE, pseudonym_of
from rasd.channels.jobs import defer
from rasd.channels.models import Address, Delivery, Media, Outgoing
from rasd.desk.models import Case, FormerToken, HandOver, SavedView
from rasd.desk.models.case_records import new_token
from rasd.flows.models import Dialogue
from rasd.ledger import erasing, evidence
from rasd.ledger.models import actor_of
from rasd.metering.models import Photograph, Submission
from rasd.person.models import Erasure, Export
from rasd.person.whole import NO_FILE, Person

KEPT = frozenset(
    {
        "kind", "matter", "queue", "owner", "line", "since", "due_at", "told", "role", "reference", "stage",
        "wish", "from", "to", "author", "other", "outcome", "standard", "of", "began_at", "ended_at",
        "compensation", "token", "event", "receipt", "service_point", "meter", "register", "cycle", "value",
        "unit", "source", "quality", "supersedes", "moved",
    }
)  # fmt: skip
"""Keys of the ledger's facts that are about the work and the bill alone; what is not named here goes."""

AT_A_TIME = 1_000  # deliveries


class StillOpen(Exception):
    """``what``: how many of each kind are not done; end them first, or what is owed to him is owed to nobody."""

    def __init__(self, what: dict[str, int]) -> None:
        super().__init__(", ".join(f"{name}: {count}" for name, count in what.items()))
        self.what = what


def still_open(person: Person) -> dict[str, int]:
    """What has to be ended first; empty where nothing has to."""
    found = {
        "owed": person.obligations.filter(discharged_at=None).count(),
        "open cases": person.cases.exclude(stage=Case.Stage.CLOSED).count(),
        "reviews": person.reviews.filter(closed_at=None).count(),
        "held answers": person.held_answers.filter(outcome="").count(),
        "answers on their way": person.outgoing.filter(accepted_at=None, failed_at=None).count(),
    }
    return {name: count for name, count in found.items() if count}


def what_goes(person: Person) -> dict[str, int]:
    return {
        "messages": person.messages.count(),
        "files": len(person.files()),
        "addresses": len(person.addresses),
        "drafts": person.drafts.count(),
        "accounts": person.accounts.count(),
        "entries": len(person.entry_numbers),
    }


def what_stays(person: Person) -> dict[str, int]:
    """Without a name or a number of his."""
    return {
        "adoptions": person.adoptions.count(),
        "obligations": person.obligations.count(),
        "cases": person.cases.count(),
        "breaches": person.breaches.count(),
    }


def erase(person: Person, *, by: User, at: datetime, why: str) -> Erasure:
    """See :meth:`Erasure.of`."""
    why = why.strip()
    with transaction.atomic():
        # Whoever takes a message of his in waits here, and then meets somebody new.
        list(
            Address.objects.select_for_update()
            .filter(pk__in=[each.pk for each in person.addresses])
            .order_by("pk")
        )
        before = Erasure.objects.filter(contact=person.contact).order_by("-pk").first()
        if before and person.is_gone:
            return before
        _check(why, person)
        if what := still_open(person):
            raise StillOpen(what)
        for conversation in person.conversations.filter(closed_at=None):
            conversation.close(at=at, actor=actor_of(by))
        erasure = Erasure.objects.create(contact=person.contact, by=by, at=at, why=why)
        erasure.still_to_go = {"files": sorted(person.files()), "needles": person.needles}
        erasure.counts = what_goes(person)
        numbers = person.entry_numbers  # found by what is erased now
        for export in Export.objects.filter(contact__in=person.contacts, gone_at=None):
            transaction.on_commit(lambda export=export: export.throw_away(at))  # type: ignore[misc]
        _erase_rows(person, erasure)
        made = erasing.erase(
            numbers,
            kept=KEPT,
            actor=actor_of(by),
            subject=str(person),
            at=at,
            why=why,
            facts={"erasure": erasure.pk, "contacts": [each.pk for each in person.contacts]},
        )
        erasure.entry = made.number
        erasure.save()
        from rasd.person import jobs

        defer(jobs.finish, lock=str(erasure), erasure_id=erasure.pk)
    return erasure


def _check(why: str, person: Person) -> None:
    if not why:
        raise ValueError("why: say how he asked for it")
    plain = why.casefold()
    digits = "".join(str(int(letter)) for letter in why if letter.isdecimal())
    names = {word for each in person.contacts for word in each.name.casefold().split() if len(word) > 2}
    if any(name in plain for name in names) or any(
        each in digits for each in person.needles if each.isdecimal()
    ):
        raise ValueError("why: leave his name and number out of it: it is kept for ever")


def _erase_rows(person: Person, erasure: Erasure) -> None:
    gone = f"{GONE}{erasure.pk}"
    customer = f"customer:{gone}"
    _copies(person)
    # By keys that are known now: what they are found by is erased on the way.
    of_cases = list(person.cases.values_list("pk", flat=True))
    of_submissions = list(person.submissions.values_list("pk", flat=True))
    # What was read
    for one in Photograph.objects.filter(submission__in=of_submissions):
        Photograph.objects.filter(same_as=one).update(same_as=None)
        one.origin, one.sha256, one.fingerprint, one.same_as = pseudonym_of(one.origin), NO_FILE, None, None
        one.seen = _without_faces(one.seen)
        one.save()
        for shadow in one.shadows.all():
            shadow.seen, shadow.error = _without_faces(shadow.seen), ""
            shadow.save(update_fields=["seen", "error"])
    for rows in (person.judgements, person.adoptions, person.case_entries):
        rows.filter(actor__startswith="customer:").update(actor=customer)
    person.judgements.update(basis={})
    for submission in Submission.objects.filter(pk__in=of_submissions):
        submission.origin, submission.identifier, submission.typed = pseudonym_of(submission.origin), gone, ""
        submission.save(update_fields=["origin", "identifier", "typed"])
    person.accounts.delete()
    person.identity_attempts.delete()
    # What was done
    person.case_entries.exclude(text="").update(text=gone)
    person.case_entries.update(key=None)
    person.ratings.update(words="")
    FormerToken.objects.filter(case__in=of_cases).delete()
    for case in Case.objects.filter(pk__in=of_cases):
        case.title, case.token, case.service_point = gone, new_token(), ""
        case.save(update_fields=["title", "token", "service_point"])
    person.obligations.update(words="")
    person.breaches.update(excused_why="")
    # What was said
    person.drafts.delete()
    for held in person.held_answers:
        held.text, held.key = gone, pseudonym_of(held.key)
        held.save(update_fields=["text", "key"])
    Dialogue.objects.filter(conversation__in=person.conversations).update(account_number="")
    HandOver.objects.filter(conversation__in=person.conversations).update(why="")
    person.handlings.exclude(trouble="").update(trouble=gone)
    person.messages.exclude(note="").update(note=gone, note_key=None)
    person.messages.update(words="")
    _erase_traffic(person, gone)
    _erase_who(person, gone)


def _copies(person: Person) -> None:
    """What was made of it for others: events for programs, answers kept for them, words looked for."""
    person.keyed_calls().delete()
    person.webhook_deliveries.delete()
    for view in SavedView.objects.filter(filters__has_key="q"):
        if any(each in "".join(filter(str.isdecimal, view.filters["q"])) for each in person.needles):
            view.filters = {name: each for name, each in view.filters.items() if name != "q"}
            view.save(update_fields=["filters"])
    told = Q()
    for each in person.needles:
        told |= Q(object_repr__contains=each) | Q(change_message__contains=each)
    if told:
        LogEntry.objects.filter(told).update(object_repr="", change_message="")


def _erase_traffic(person: Person, gone: str) -> None:
    deliveries = set(person.incoming.values_list("delivery", flat=True))
    deliveries |= set(person.statuses.values_list("delivery", flat=True))
    for delivery in Delivery.objects.filter(pk__in=deliveries).iterator(chunk_size=AT_A_TIME):
        _prune(delivery, person.needles)
    for media in person.media:
        media.external_id, media.file_name, media.declared_type, media.note = gone, "", "", ""
        media.last_error, media.sha256, media.size = "", "", None
        media.stored_at, media.lost_at = None, media.stored_at or media.lost_at or media.incoming.received_at
        media.save()
    for status in person.statuses:
        status.external_id, status.payload = pseudonym_of(status.external_id), {}
        status.save(update_fields=["external_id", "payload"])
    for sent in person.outgoing:
        sent.key, sent.external_id = (
            pseudonym_of(sent.key),
            pseudonym_of(sent.external_id) if sent.external_id else "",
        )
        sent.text, sent.content, sent.error_words = "", {}, ""
        sent.save(update_fields=["key", "external_id", "text", "content", "error_words"])
    for came in person.incoming:
        came.external_id, came.text, came.button_id = pseudonym_of(came.external_id), "", ""
        came.replies_to, came.payload = pseudonym_of(came.replies_to) if came.replies_to else "", {}
        came.save(update_fields=["external_id", "text", "button_id", "replies_to", "payload"])


def _erase_who(person: Person, gone: str) -> None:
    for address in person.addresses:
        address.phone, address.user_id, address.profile_name, address.former_phone = None, None, gone, gone
        address.last_wrote_at, address.phone_moved_at = None, None
        address.save()
    for contact in person.contacts:
        contact.name = gone
        contact.save(update_fields=["name"])


def _without_faces(seen: Any) -> Any:
    """Of what an eye saw the counter alone."""
    if not isinstance(seen, dict):
        return seen
    return seen | {name: [] for name in ("serials", "barcodes", "findings") if name in seen}


def _prune(delivery: Delivery, needles: list[str]) -> bool:
    """Take out of a delivery what is about him; what others sent in it stays. Whether anything had to be taken out."""
    body = bytes(delivery.body)
    if not any(each.encode() in body for each in needles) and not _has(delivery.trouble, needles):
        return False
    try:
        rest = _pruned(json.loads(body), needles)
        text = json.dumps(rest, ensure_ascii=False)
        body = b"{}" if _has(text, needles) else text.encode()
    except ValueError:
        body = b"{}"
    delivery.body = body
    delivery.trouble = "" if _has(delivery.trouble, needles) else delivery.trouble
    delivery.save(update_fields=["body", "trouble"])
    return True


def _pruned(told: Any, needles: list[str]) -> Any:
    """Of a list what has him in it goes whole; what others stand deeper down in (an entry, its changes) is looked into."""
    if isinstance(told, dict):
        return {name: _pruned(each, needles) for name, each in told.items()}
    if not isinstance(told, list):
        return told
    return [
        _pruned(each, needles)
        for each in told
        if _holds_others(each) or not _has(json.dumps(each, ensure_ascii=False), needles)
    ]


def _holds_others(told: Any) -> bool:
    return isinstance(told, dict) and bool(told.keys() & {"changes", "value"})


def _has(text: str, needles: list[str]) -> bool:
    return any(each in text for each in needles)


# After it is committed


def finish(erasure: Erasure, at: datetime) -> None:
    """See :meth:`Erasure.finish`."""
    if erasure.finished_at is not None:
        return
    needles = erasure.still_to_go.get("needles", [])
    for sha256 in erasure.still_to_go.get("files", []):
        if not _is_used(sha256):
            default_storage.delete(evidence.path_of(sha256))
    for delivery in _with(needles, until=erasure.at):
        _prune(delivery, needles)
    erasure.still_to_go, erasure.finished_at = {}, at
    erasure.save(update_fields=["still_to_go", "finished_at"])


def _is_used(sha256: str) -> bool:
    """By somebody else, who sent the very same file."""
    sent = Q(content__sha256=sha256) | Q(content__picture=sha256)
    return (
        Media.objects.filter(sha256=sha256).exists()
        or Photograph.objects.filter(sha256=sha256).exists()
        or Outgoing.objects.filter(sent).exists()
    )


def _with(needles: list[str], *, until: datetime) -> Iterator[Delivery]:
    """Deliveries from before the erasure that have him in them: repeated ones, which no message points at."""
    for needle in needles:
        rows = Delivery.objects.extra(where=["position(%s::bytea in body) > 0"], params=[needle.encode()])
        yield from rows.filter(received_at__lte=until).iterator(chunk_size=AT_A_TIME)
