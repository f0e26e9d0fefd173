""" "Did the reader come?", asked of customers drawn at random: evidence of a visit, or of none. No one is accused by it (G5)."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import connection, models, transaction
from django.utils import translation
from django.utils.timezone import localtime

from rasd.channels import tiers
from rasd.channels.models import Address, Incoming, Line, OptOut, Outgoing
from rasd.flows import words
from rasd.flows.models.links import address_to_begin_with
from rasd.flows.models.reminders import MACHINE
from rasd.flows.models.templates import ApprovedTemplate
from rasd.ledger.models import record
from rasd.metering.models import AccountContact, FieldRead, VisitQuestion

SHARE = 0.02
"""Of the visits that are asked about. A reader of 1,500 stops a month is asked about some 30 times: of those, ten answers that
nobody came say more than any statistic of his numbers, and a customer is asked once in four years."""

REMEMBERED = timedelta(days=3)
"""A visit: nobody is asked about an older one."""

NOT_AGAIN_WITHIN = timedelta(days=180)
"""Somebody who was asked is left alone."""

Answer = VisitQuestion.Answer


class VisitSample(models.Model):
    """One drawing: which visits it was made from, and the seed by which anybody can make it again.

    A visit is in it where ``md5(seed:key)`` begins below the share of all 32-bit numbers; ``key`` is the field read's
    primary key.
    The seed is made after the visits came in, so nobody knows beforehand who is asked.
    """

    seed = models.CharField(max_length=64)
    share = models.FloatField()
    after = models.BigIntegerField(
        help_text="the last field read (primary key) before those it was made from"
    )
    upto = models.BigIntegerField(help_text="the last of them")
    visits = models.PositiveIntegerField(help_text="how many there were, of the last days")
    drawn = models.PositiveIntegerField(help_text="of these")
    asked = models.PositiveIntegerField(
        help_text="of these: who can be written to, wants to be, was not asked lately, and as Meta's limit had room"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"visit_sample:{self.pk}"

    @classmethod
    def draw(cls, at: datetime, *, share: float = SHARE, seed: str | None = None) -> VisitSample | None:
        """Ask a sample of the visits that came in since the last one. None where there are none, or no template to ask with."""
        with transaction.atomic():
            tiers.take_turns()
            last = cls.objects.last()
            after = last.upto if last else 0
            visits = FieldRead.objects.filter(pk__gt=after, visited_at__gt=at - REMEMBERED)
            upto = visits.aggregate(last=models.Max("pk"))["last"]
            line = Line.objects.filter(purpose=Line.Purpose.READINGS).order_by("pk").first()
            if upto is None or line is None or not ApprovedTemplate.objects.filter(use="visit").exists():
                return None
            sample = cls(seed=seed or secrets.token_hex(16), share=share, after=after, upto=upto, at=at)
            drawn = sample.members()
            sample.visits, sample.drawn = visits.count(), len(drawn)
            room = tiers.room(line, at)
            sample.asked = sum(sample._ask(one, line) for one in drawn[:room])
            sample.save()
            facts = {
                field: getattr(sample, field)
                for field in ("seed", "share", "after", "upto", "visits", "drawn", "asked")
            }
            record(MACHINE, "visits.sampled", str(sample), at=at, facts=facts)
        return sample

    def members(self) -> list[FieldRead]:
        """The visits that were drawn, in the order of their lot: where there is no room for all, the first are a sample too."""
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT id FROM (
                       SELECT id, ('x' || substr(md5(%s || ':' || id), 1, 8))::bit(32)::bigint AS lot
                       FROM metering_fieldread WHERE id > %s AND id <= %s AND visited_at > %s
                   ) AS lots WHERE lot < %s ORDER BY lot, id""",
                [self.seed, self.after, self.upto, self.at - REMEMBERED, round(self.share * 2**32)],
            )
            keys = [key for (key,) in cursor.fetchall()]
        found = FieldRead.objects.select_related("service_point__account").in_bulk(keys)
        return [found[key] for key in keys]

    def _ask(self, visit: FieldRead, line: Line) -> bool:
        asked = self._whom(visit)
        if asked is None:
            return False
        contact, address = asked
        template = ApprovedTemplate.in_language("visit", _language(contact, address))
        if template is None:
            return False
        question = VisitQuestion.objects.create(field_read=visit, asked_at=self.at)
        with translation.override(template.language):
            said = words.did_the_reader_come(question)
            filled = [words.day(localtime(visit.visited_at).date()), visit.service_point.place]
        pressed = [button["id"] for button in said.content["buttons"]]
        sent = Outgoing.queue(
            line=line,
            address=address,
            key=f"visit:{question.pk}",
            text=said.text,
            kind=said.kind,
            content=said.content | template.content(filled, pressed),
            unasked=True,
        )
        question.message = f"outgoing:{sent.pk}"
        question.save(update_fields=["message"])
        return True

    def _whom(self, visit: FieldRead) -> tuple[AccountContact, Address] | None:
        """The first contact of the account who may be asked; None where nobody may."""
        account = visit.service_point.account
        lately = VisitQuestion.objects.filter(
            field_read__service_point__account=account, asked_at__gt=self.at - NOT_AGAIN_WITHIN
        )
        if lately.exists():
            return None
        for contact in account.contacts.order_by("pk"):
            address = address_to_begin_with(contact.identifier, known_since=contact.since)
            if address and not OptOut.stands_for(address) and not _is_with_people(address):
                return contact, address
        return None


def answer(incoming: Incoming, *, at: datetime) -> VisitQuestion | None:
    """What he pressed, kept as evidence; None where it is no answer, or to a question that somebody else was asked.

    Pressed again, otherwise, the last counts; the ledger has both.
    """
    _visit, number, said = [*incoming.button_id.split(":"), "", ""][:3]
    if said not in Answer.values or not number.isdigit():
        return None
    with transaction.atomic():
        question = VisitQuestion.objects.select_for_update().filter(pk=number).first()
        sent = Outgoing.objects.filter(key=f"visit:{number}", address=incoming.address_id)
        if question is None or not sent.exists():
            return None
        question.answer, question.answered_at = said, incoming.sent_at
        question.save(update_fields=["answer", "answered_at"])
        visit = question.field_read
        facts = {
            "answer": said,
            "field_read": visit.pk,
            "reader": visit.reader.code,
            "message": incoming.external_id,
        }
        actor = f"customer:{incoming.address.identifier}"
        record(actor, "visit.answered", str(question), at=at, facts=facts)
    return question


def _language(contact: AccountContact, address: Address) -> str:
    talk = address.conversations.order_by("-opened_at", "-pk").first()
    return talk.language if talk else contact.account.language


def _is_with_people(address: Address) -> bool:
    return any(talk.is_with_people for talk in address.conversations.filter(closed_at=None))
