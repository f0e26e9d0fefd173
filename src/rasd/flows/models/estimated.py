"""Whoever is billed on an estimate is told so: that it is one, why, and how to replace it (G2)."""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection, models, transaction
from django.utils import translation

from rasd.channels import rules, tiers
from rasd.channels.models import Address, Line, OptOut, Outgoing
from rasd.channels.outbox import last_wrote_at
from rasd.desk.models import Conversation
from rasd.flows import words
from rasd.flows.models.links import address_to_begin_with
from rasd.flows.models.reminders import MACHINE, is_an_hour_for_it
from rasd.flows.models.templates import ApprovedTemplate
from rasd.ledger.models import record
from rasd.metering import days
from rasd.metering.models import AccountContact, Adoption, Cycle, FieldRead, ServicePoint

BATCH = 100
"""Customers in one transaction, after which answers take their turn."""


class EstimateTold(models.Model):
    """One person to be told of one estimate: written to once, or left out and why.

    Drawn when the cycle is closed. The message's row, its job and the mark that he has it are one transaction.
    """

    class LeftOut(models.TextChoices):
        REPLACED = "replaced", "a real reading has taken its place"
        OPTED_OUT = "opted_out", "wants no messages that he did not ask for"
        WITH_PEOPLE = "with_people", "a person answers him (G8)"
        NO_ADDRESS = "no_address", "the number is another person's now"
        NO_TEMPLATE = "no_template", "no template is approved, and he did not write within 24 hours"
        LATE = "late", "the next bill is near"

    adoption = models.ForeignKey(Adoption, models.PROTECT, related_name="+")
    contact = models.ForeignKey(AccountContact, models.CASCADE, related_name="+")
    identifier = models.CharField(max_length=200)
    outgoing = models.OneToOneField(Outgoing, models.PROTECT, null=True, related_name="+")
    left_out = models.CharField(max_length=12, choices=LeftOut, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["adoption", "identifier"], name="told_of_an_estimate_once")
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="estimate_told_next",
                condition=models.Q(outgoing__isnull=True, left_out=""),
            )
        ]

    def __str__(self) -> str:
        return f"estimate_told:{self.pk}"

    @classmethod
    def draw(cls, cycle: Cycle, at: datetime) -> int:
        """Everybody whose bill of ``cycle`` stands on an estimate: one statement, however many. Done again it adds who is new."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_DRAW, {"cycle": cycle.pk})
            drawn = int(cursor.rowcount)
            if drawn:
                record(MACHINE, "estimates.to_tell", f"cycle:{cycle.name}", at=at, facts={"drawn": drawn})
        return drawn

    @classmethod
    def go_on_with_all(cls, at: datetime) -> int:
        """What the job does each minute of the day: tell as many as may be. How many were."""
        line = Line.objects.filter(purpose=Line.Purpose.READINGS).order_by("-sends_per_second", "pk").first()
        if line is None or not is_an_hour_for_it(at):
            return 0
        done, budget = 0, line.sends_per_second * 15  # a quarter of what a minute carries, as reminders
        while done < budget and (more := cls._go_on(line, at)):
            done += more
        return done

    @classmethod
    def _go_on(cls, line: Line, at: datetime) -> int:
        with transaction.atomic():
            tiers.take_turns()
            room = tiers.room(line, at)
            waiting = cls.objects.filter(outgoing=None, left_out="").order_by("pk")
            about = "adoption__reading__estimate", "adoption__register", "adoption__cycle", "contact__account"
            batch = list(
                waiting.select_related("adoption__service_point", *about)[
                    : BATCH if room is None else min(BATCH, room)
                ]
            )
            for one in batch:
                one._tell(line, at)
            return len(batch)

    def _tell(self, line: Line, at: datetime) -> None:
        address = address_to_begin_with(self.identifier, known_since=self.contact.since)
        talk = (
            Conversation.objects.filter(address=address).order_by("-opened_at", "-pk").first()
            if address
            else None
        )
        opens, closes = next_window(self.adoption.cycle, self.adoption.service_point)
        if address is None:
            self.left_out = self.LeftOut.NO_ADDRESS
        elif self.adoption.superseded_at is not None:
            self.left_out = self.LeftOut.REPLACED
        elif OptOut.stands_for(address):
            self.left_out = self.LeftOut.OPTED_OUT
        elif talk and talk.closed_at is None and talk.is_with_people:
            self.left_out = self.LeftOut.WITH_PEOPLE
        elif days.local_day(at) > closes:
            self.left_out = self.LeftOut.LATE
        else:
            self._queue(line, address, talk, (opens, closes), at)
        self.save(update_fields=["left_out", "outgoing"])

    def _queue(
        self, line: Line, address: Address, talk: Conversation | None, window: tuple[date, date], at: datetime
    ) -> None:
        line = talk.line if talk and talk.line.purpose == Line.Purpose.READINGS else line
        language = talk.language if talk else self.contact.account.language
        template = ApprovedTemplate.in_language(ApprovedTemplate.Use.ESTIMATE, language)
        may_carry = template is not None or line.reopening_template.get("name")
        if not may_carry and not rules.window_is_open(last_wrote_at(line, address), at):
            self.left_out = self.LeftOut.NO_TEMPLATE
            return
        with translation.override(language):
            said = words.estimated(self.adoption, why_unread(self.adoption), window)
        content = dict(said.content)
        if template is not None:
            with translation.override(template.language):
                content |= template.content(words.of_estimate(self.adoption, window))
        self.outgoing = Outgoing.queue(
            line=line,
            address=address,
            key=f"estimate:{self.pk}",
            text=said.text,
            kind=said.kind,
            content=content,
            unasked=True,
        )
        if talk and talk.closed_at is None:  # whoever answers there sees it
            talk.show(self.outgoing, at=at)


def next_window(cycle: Cycle, point: ServicePoint) -> tuple[date, date]:
    """The days in which a photograph replaces the estimate: of the next cycle, or the usual ones where it is not open yet."""
    following = Cycle.objects.filter(window_opens__gt=cycle.window_closes).order_by("window_opens").first()
    if following is not None:
        return following.days_of(point)
    year, month = (int(part) for part in cycle.name.split("-"))
    return days.usual_window(f"{year + month // 12}-{month % 12 + 1:02}")


def why_unread(adoption: Adoption) -> str:
    """``no_access`` the reader came and could not read; ``not_accepted`` what was read could not be billed on; ``unread`` neither
    a photograph nor a reader's reading came."""
    visits = FieldRead.objects.filter(cycle=adoption.cycle, service_point=adoption.service_point)
    sent = adoption.service_point.submissions.filter(cycle=adoption.cycle)
    if visits.filter(value__isnull=False).exists() or sent.exists():
        return "not_accepted"
    return "no_access" if visits.exists() else "unread"


_DRAW = """
INSERT INTO flows_estimatetold (adoption_id, contact_id, identifier, left_out)
SELECT DISTINCT ON (a.id, c.identifier) a.id, c.id, c.identifier, ''
FROM metering_adoption a
JOIN metering_reading r ON r.id = a.reading_id AND r.source = 'estimate'
JOIN metering_servicepoint p ON p.id = a.service_point_id
JOIN metering_accountcontact c ON c.account_id = p.account_id
WHERE a.cycle_id = %(cycle)s AND a.superseded_at IS NULL
ORDER BY a.id, c.identifier, c.id
ON CONFLICT DO NOTHING
"""
