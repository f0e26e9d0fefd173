"""What customers do on the page of their account: photographs from the phone's camera, and the dispute of a month's number.

The same eye and the same rules as in a chat; the answer stands on the page, for who has no chat with us.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from rasd.channels.jobs import defer
from rasd.desk.models import Case, CaseEntry, Contact, Conversation
from rasd.flows import jobs, words
from rasd.flows.models.links import address_of
from rasd.ledger import evidence
from rasd.metering.models import (
    AccountContact,
    Cycle,
    Judgement,
    NotAdoptable,
    Photograph,
    Review,
    ServicePoint,
    Submission,
)

ORIGIN = "page:"
LARGEST = 16 * 1024 * 1024
"""Bytes of one photograph: what the largest cameras of phones make, and as much as WhatsApp passes on."""

MOST, WITHIN = 12, timedelta(hours=24)
"""Photographs of one contact within that time: four meters, three tries each. Each costs the eye half a second."""

TITLE = 80  # characters of a place in a case's title
Verdict = Judgement.Verdict


class TooMany(Exception):
    """He has sent :data:`MOST` within :data:`WITHIN`."""


def take(
    contact: AccountContact, point: ServicePoint, chunks: Iterable[bytes], *, key: str, at: datetime
) -> Submission:
    """A photograph from the page: a submission of ``contact`` for ``point``, sent ``at``; once for each ``key``.

    Raises:
        TooMany: see there; nothing is kept.
        evidence.TooLarge: more than :data:`LARGEST` bytes; nothing is kept.
    """
    origin = f"{ORIGIN}{contact.pk}:{key}"
    if there := Submission.objects.filter(origin=origin).first():
        return there
    sent = Photograph.objects.filter(origin__startswith=f"{ORIGIN}{contact.pk}:", sent_at__gt=at - WITHIN)
    if sent.count() >= MOST:
        raise TooMany
    sha256, _size = evidence.keep(chunks, limit=LARGEST)
    with transaction.atomic():
        submission, is_new = Submission.objects.get_or_create(
            origin=origin,
            defaults={"identifier": contact.identifier, "sent_at": at, "received_at": at},
        )
        if is_new:
            submission.identify(point, at)
            photograph = submission.photographs.create(origin=origin, sha256=sha256, sent_at=at)
            defer(jobs.read, photograph_id=photograph.pk)
    return submission


def judge(submission: Submission, *, at: datetime) -> None:
    """Every photograph of it was looked at: adopt it, or put it before a person; the page says the rest."""
    judgement = submission.judge(at)
    if judgement.verdict == Verdict.ACCEPT and judgement.value is not None:
        submission.adopt(
            judgement.value,
            at=at,
            actor=judgement.actor,
            why=judgement.why,
            confidence=judgement.confidence,
        )
    elif judgement.verdict == Verdict.REVIEW:
        submission.send_to_review(why=judgement.why, at=at, actor=judgement.actor)


def confirm(submission: Submission, value: Decimal, *, at: datetime) -> None:
    """The customer says on the page that it is ``value``. Nothing where it can be adopted for no cycle: the page says so."""
    if submission.adoption is None:
        try:
            submission.confirm(value, at, f"customer:{submission.identifier}")
        except NotAdoptable:
            return


def answer(submission: Submission, at: datetime) -> words.Say:
    """What there is to say of it now. Buttons: yes, with the value; never "talk to a person", who is not on the page."""
    if adoption := submission.adoption:
        return words.adopted(adoption, adoption.consumption())
    judgement = submission.judgement
    if judgement is None:
        return words.reading_now()
    review = submission.reviews.order_by("pk").last()
    if review and review.closed_at is None:
        return words.with_reviewer_on_page()
    if review and review.outcome in {Review.Outcome.ASKED_AGAIN, Review.Outcome.NOT_A_METER}:
        return words.Say(
            words.again_in_words("no_meter" if review.outcome == "not_a_meter" else judgement.why)
        )
    return _of_judgement(submission, judgement, at)


def _of_judgement(submission: Submission, judgement: Judgement, at: datetime) -> words.Say:
    point, value = submission.service_point, judgement.value
    verdict = Verdict(judgement.verdict)
    if verdict == Verdict.OUTSIDE_WINDOW:
        return words.outside_window(Cycle.latest(at, point), point, at)
    if verdict == Verdict.OTHER_METER and point:
        return words.Say(words.other_meter(point).text)
    standing = point.adoption_in(submission.cycle) if point and submission.cycle else None
    if verdict == Verdict.ALREADY_ADOPTED and standing:
        if judgement.why == "replaces" and value is not None:
            return words.replace(submission, standing, value)
        return words.already_adopted(standing)
    if verdict == Verdict.CONFIRM and value is not None:
        return words.is_it(submission, value, submission.as_shown(value))
    return words.Say(words.again_in_words(judgement.why))


# The dispute


def dispute_key(point: ServicePoint, cycle: Cycle) -> str:
    """Of the account that has the point: who moved in is not led to the case of who moved out."""
    return f"dispute:{cycle.name}:{point.pk}:{point.account_id}"


def dispute_of(point: ServicePoint, cycle: Cycle) -> Case | None:
    """The case in which this month's number was disputed, if it was."""
    entry = CaseEntry.objects.filter(key=dispute_key(point, cycle)).select_related("case").first()
    return entry.case if entry else None


def dispute(contact: AccountContact, point: ServicePoint, cycle: Cycle, text: str, *, at: datetime) -> Case:
    """He does not agree with the month's number: a case for a person, one a point, month and account. He is given its page.

    Its answers go into his chat where one is open, and stand on its page in any case.
    """
    address = address_of(contact)
    talks = (
        Conversation.objects.filter(address=address, closed_at=None)
        if address
        else Conversation.objects.none()
    )
    about = {"month": cycle.name, "place": point.place[:TITLE]}
    with transaction.atomic():
        case = Case.open(
            "reading",
            _("The number of %(month)s is disputed: %(place)s") % about,
            at=at,
            actor=f"customer:{contact.identifier}",
            origin=Case.Origin.CUSTOMER,
            conversation=talks.order_by("-opened_at").first(),
            contact=Contact.of(address) if address else None,
            service_point=point.number,
            text=text or _("I do not agree with this month's number."),
            key=dispute_key(point, cycle),
        )
        if case.page_known_at is None:
            case.page_known_at = at
            case.save(update_fields=["page_known_at"])
    return case
