"""Reminders of a cycle: one round at a window's start, one three days before its end, to those who have not read."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Count, Q
from django.utils import timezone, translation

from rasd.channels import tiers
from rasd.channels.models import Address, Line, OptOut, Outgoing
from rasd.desk.models import Conversation
from rasd.flows import words
from rasd.flows.models.links import address_to_begin_with, url_of
from rasd.flows.models.templates import ApprovedTemplate
from rasd.ledger.models import record
from rasd.metering import days
from rasd.metering.models import AccountContact, Cycle
from rasd.metering.models.windows import Days

MACHINE = "machine:flows"
BEFORE_END = timedelta(days=3)
HOURS = (time(9), time(20))
"""Of the day, by the utility's clock, in which people are written to who did not write."""

BATCH = 200
"""Customers in one transaction: some two seconds, after which answers take their turn and a stop is seen."""


class Reminder(models.Model):
    """A round of reminders: of a cycle, for one district or for all that have no days of their own.

    Its recipients are drawn once; each is written to once, whatever crashes: the message's row, its job, and the mark that the
    recipient has it are one transaction.
    """

    class Occasion(models.TextChoices):
        START = "start", "at the window's start"
        ENDING = "ending", "three days before its end"

    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="reminders")
    occasion = models.CharField(max_length=10, choices=Occasion)
    district = models.CharField(max_length=100, blank=True, help_text="empty: all without days of their own")
    begun_at = models.DateTimeField()
    drawn = models.PositiveIntegerField(help_text="recipients, at the beginning")
    ended_at = models.DateTimeField(null=True, help_text="when nobody was left")
    stopped_at = models.DateTimeField(null=True)
    stopped_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["begun_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "occasion", "district"], name="one_round_of_reminders")
        ]

    def __str__(self) -> str:
        return f"reminder:{self.pk}"

    # It begins

    @classmethod
    def begin_due(cls, at: datetime) -> list[Reminder]:
        """Begin every round that is due at ``at`` and has not begun; none where a template or the site's address is missing."""
        begun = []
        for cycle in Cycle.objects.filter(closed_at=None):
            own = {one.district: (one.opens, one.closes) for one in cycle.district_windows.all()}
            for district, window in {"": (cycle.window_opens, cycle.window_closes), **own}.items():
                occasion = occasion_at(window, at)
                there = cls.objects.filter(cycle=cycle, occasion=occasion, district=district)
                if occasion and not there.exists() and not cls.what_is_missing(occasion):
                    begun.append(cls.begin(cycle, occasion, district, at=at))
        return begun

    @classmethod
    def begin(cls, cycle: Cycle, occasion: str, district: str = "", *, at: datetime) -> Reminder:
        """Draw everybody who has not read now. Called again it returns the round that there is."""
        with transaction.atomic():
            tiers.take_turns()
            if there := cls.objects.filter(cycle=cycle, occasion=occasion, district=district).first():
                return there
            reminder = cls.objects.create(
                cycle=cycle, occasion=occasion, district=district, begun_at=at, drawn=0
            )
            reminder.drawn = reminder._draw()
            reminder.save(update_fields=["drawn"])
            facts = {"occasion": occasion, "district": district, "drawn": reminder.drawn}
            record(MACHINE, "reminders.begun", f"cycle:{cycle.name}", at=at, facts=facts)
        return reminder

    @staticmethod
    def what_is_missing(occasion: str) -> str:
        """Why no round of it can begin: ``template``, ``line``, ``address`` of this site; empty where nothing is missing."""
        if ApprovedTemplate.in_language(occasion, settings.LANGUAGE_CODE) is None:
            return "template"
        if not Line.objects.filter(purpose=Line.Purpose.READINGS).exists():
            return "line"
        return "" if settings.PUBLIC_URL else "address"

    def _draw(self) -> int:
        """One statement, however many there are: each contact of an account with a point that nobody has read."""
        asked = {"reminder": self.pk, "purpose": Line.Purpose.READINGS, **self._whose}
        with connection.cursor() as cursor:
            cursor.execute(_DRAW, asked)
            return int(cursor.rowcount)

    @property
    def _whose(self) -> dict[str, Any]:
        own = list(self.cycle.district_windows.values_list("district", flat=True))
        return {"cycle": self.cycle_id, "district": self.district, "own": own}

    # It goes on

    @property
    def is_over(self) -> bool:
        return self.stopped_at is not None or self.ended_at is not None

    @classmethod
    def go_on_with_all(cls, at: datetime) -> int:
        """What the job does each minute: begin what is due, and write to as many as may be. How many were."""
        if not is_an_hour_for_it(at):
            return 0
        cls.begin_due(at)
        written = 0
        for reminder in cls.objects.filter(ended_at=None, stopped_at=None):
            line = Line.objects.filter(purpose=Line.Purpose.READINGS).order_by("-sends_per_second").first()
            budget = line.sends_per_second * 15 if line else 0  # a quarter of what a minute carries
            while written < budget and (more := reminder.go_on(at)):
                written += more
        return written

    def go_on(self, at: datetime) -> int:
        """Write to the next :data:`BATCH`, as far as Meta's limit has room. How many were; 0: it is over, stopped, or waits."""
        with transaction.atomic():
            tiers.take_turns()
            now = Reminder.objects.select_for_update().get(pk=self.pk)
            self.ended_at, self.stopped_at = now.ended_at, now.stopped_at
            if self.is_over:
                return 0
            if self._is_too_late(at):
                return self._end(at)
            waiting = self.recipients.filter(outgoing=None, left_out="").order_by("pk")
            batch: list[Reminded] = []
            for line in Line.objects.filter(pk__in=waiting.values("line").distinct()):
                free = tiers.room(line, at)
                most = BATCH if free is None else min(BATCH, free)
                batch += list(waiting.filter(line=line).select_related("contact__account", "line")[:most])
            unread = self._still_unread([one.contact_id for one in batch])
            for recipient in batch:
                recipient.write_to(at, is_unread=recipient.contact_id in unread)
            if not waiting.exists():
                self._end(at)
            return len(batch)

    def _is_too_late(self, at: datetime) -> bool:
        """The next round has its turn, or the window is over: what was not sent by then is not sent any more."""
        opens, closes = self.window
        last = closes if self.occasion == self.Occasion.ENDING else max(closes - BEFORE_END, opens)
        today = days.local_day(at)
        ending_is_on = self.occasion == self.Occasion.START and today >= last and closes - BEFORE_END > opens
        return today > closes or ending_is_on or Cycle.objects.get(pk=self.cycle_id).closed_at is not None

    @property
    def window(self) -> Days:
        own = self.cycle.district_windows.filter(district=self.district).first()
        return (own.opens, own.closes) if own else (self.cycle.window_opens, self.cycle.window_closes)

    def _still_unread(self, contacts: Collection[int]) -> set[int]:
        """Who of them has a point yet that nobody has read: between the draw and the turn of somebody lie hours, or days."""
        with connection.cursor() as cursor:
            cursor.execute(_UNREAD_OF, {"contacts": list(contacts), **self._whose})
            return {contact for (contact,) in cursor.fetchall()}

    def _end(self, at: datetime) -> int:
        self.ended_at = at
        self.save(update_fields=["ended_at"])
        record(
            MACHINE,
            "reminders.ended",
            f"cycle:{self.cycle.name}",
            at=at,
            facts={"round": self.pk, **self.progress()},
        )
        return 0

    def stop(self, *, at: datetime, actor: str) -> None:
        """Nobody else is written to. A second call changes nothing."""
        with transaction.atomic():
            now = Reminder.objects.select_for_update().get(pk=self.pk)
            if now.is_over:
                return
            self.stopped_at, self.stopped_by = at, actor
            self.save(update_fields=["stopped_at", "stopped_by"])
            facts = {"round": self.pk, **self.progress()}
            record(actor, "reminders.stopped", f"cycle:{self.cycle.name}", at=at, facts=facts)

    def progress(self) -> dict[str, int]:
        """``drawn``, and of these ``waiting``, ``written`` (of these ``delivered``, ``seen``, ``failed``), and left out because
        they had ``read``, had ``opted_out``, were ``with_people``, or had ``no_address``."""
        got = Q(outgoing__delivered_at__isnull=False) | Q(outgoing__read_at__isnull=False)
        found = self.recipients.aggregate(
            waiting=Count("pk", filter=Q(outgoing=None, left_out="")),
            written=Count("outgoing"),
            delivered=Count("pk", filter=got),
            seen=Count("pk", filter=Q(outgoing__read_at__isnull=False)),
            failed=Count("pk", filter=Q(outgoing__failed_at__isnull=False)),
            **{why: Count("pk", filter=Q(left_out=why)) for why in Reminded.LeftOut.values},
        )
        return {"drawn": self.drawn, **found}


class Reminded(models.Model):
    """One recipient of a round: written to once, or left out and why."""

    class LeftOut(models.TextChoices):
        READ = "read", "has read meanwhile"
        OPTED_OUT = "opted_out", "wants no reminders"
        WITH_PEOPLE = "with_people", "a person answers him (G8)"
        NO_ADDRESS = "no_address", "the number is another person's now"

    reminder = models.ForeignKey(Reminder, models.CASCADE, related_name="recipients")
    contact = models.ForeignKey(AccountContact, models.CASCADE, related_name="+")
    identifier = models.CharField(max_length=200)
    line = models.ForeignKey(Line, models.PROTECT, related_name="+")
    outgoing = models.OneToOneField(Outgoing, models.PROTECT, null=True, related_name="+")
    left_out = models.CharField(max_length=12, choices=LeftOut, blank=True)

    class Meta:
        constraints = [
            # One person with several accounts is written to once.
            models.UniqueConstraint(fields=["reminder", "identifier"], name="reminded_once")
        ]
        indexes = [
            models.Index(
                fields=["reminder", "line", "id"],
                name="reminded_next",
                condition=Q(outgoing__isnull=True, left_out=""),
            )
        ]

    def __str__(self) -> str:
        return f"reminded:{self.pk}"

    def write_to(self, at: datetime, *, is_unread: bool) -> None:
        """Queue the message, or note why not. In the round's transaction."""
        address = address_to_begin_with(self.identifier, known_since=self.contact.since)
        talks = Conversation.objects.filter(line=self.line, address=address)
        talk = talks.order_by("-opened_at", "-pk").first()
        if address is None:
            self.left_out = self.LeftOut.NO_ADDRESS
        elif not is_unread:
            self.left_out = self.LeftOut.READ
        elif OptOut.stands_for(address):
            self.left_out = self.LeftOut.OPTED_OUT
        elif talk and talk.closed_at is None and talk.is_with_people:
            self.left_out = self.LeftOut.WITH_PEOPLE
        else:
            self.outgoing = self._queue(address, talk, at)
        self.save(update_fields=["left_out", "outgoing"])

    def _queue(self, address: Address, talk: Conversation | None, at: datetime) -> Outgoing:
        language = talk.language if talk else self.contact.account.language
        template = ApprovedTemplate.in_language(self.reminder.occasion, language)
        if template is None:
            raise LookupError(
                f"no template for {self.reminder.occasion}: it was taken away while the round went on"
            )
        opens, closes = self.reminder.window
        with translation.override(template.language):
            filled = [words.day(opens), words.day(closes), url_of(self.contact, at)]
        queued = Outgoing.queue(
            line=self.line,
            address=address,
            key=f"reminder:{self.reminder_id}:{self.pk}",
            text=template.text(filled),
            kind=Outgoing.Kind.TEMPLATE,
            content=template.content(filled),
            unasked=True,
        )
        if talk and talk.closed_at is None:  # whoever answers there sees it
            talk.show(queued, at=at)
        return queued


def occasion_at(window: Days, at: datetime) -> str:
    """Which round of ``window`` is to be on at ``at``; empty: none. Pure but for the utility's zone.

    A window of four days or fewer has the first one only: two reminders on neighbouring days are one too many.
    """
    opens, closes = window
    today = days.local_day(at)
    if not opens <= today <= closes:
        return ""
    ending = closes - BEFORE_END
    return Reminder.Occasion.ENDING if opens < ending <= today else Reminder.Occasion.START


def is_an_hour_for_it(at: datetime) -> bool:
    here = timezone.localtime(at, timezone.get_default_timezone()).time()
    return HOURS[0] <= here < HOURS[1]


_IS_UNREAD = """
    EXISTS (SELECT FROM metering_meter m WHERE m.service_point_id = p.id AND m.removed_on IS NULL)
    AND NOT EXISTS (
        SELECT FROM metering_adoption a JOIN metering_reading r ON r.id = a.reading_id
        WHERE a.cycle_id = %(cycle)s AND a.service_point_id = p.id AND a.superseded_at IS NULL
        AND r.source <> 'estimate')
    AND NOT EXISTS (
        SELECT FROM metering_fieldread f
        WHERE f.cycle_id = %(cycle)s AND f.service_point_id = p.id AND f.value IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM metering_submission s
        WHERE s.cycle_id = %(cycle)s AND s.service_point_id = p.id AND coalesce(
            (SELECT j.verdict FROM metering_judgement j WHERE j.submission_id = s.id ORDER BY j.id DESC LIMIT 1), ''
        ) NOT IN ('confirm', 'retake', 'other_meter', 'withdrawn'))
"""
# Who was asked for another photograph, or whether it is 04521, and did not answer, has no reading yet.

_IN_DISTRICT = (
    "CASE WHEN %(district)s = '' THEN NOT p.district = ANY(%(own)s) ELSE p.district = %(district)s END"
)

_DRAW = f"""
INSERT INTO flows_reminded (reminder_id, contact_id, identifier, line_id, left_out)
SELECT * FROM (
SELECT DISTINCT ON (c.identifier) %(reminder)s::bigint, c.id, c.identifier, coalesce(wrote.line_id, usual.id), ''
FROM metering_servicepoint p
JOIN metering_accountcontact c ON c.account_id = p.account_id
CROSS JOIN (
    SELECT id FROM channels_line WHERE purpose = %(purpose)s AND channel = 'whatsapp' ORDER BY id LIMIT 1
) usual
LEFT JOIN channels_address by_phone ON by_phone.channel = 'whatsapp'
    AND by_phone.phone = CASE WHEN c.identifier LIKE 'tel:%%' THEN substr(c.identifier, 5) END
LEFT JOIN channels_address by_name ON by_name.channel = 'whatsapp'
    AND by_name.user_id = CASE WHEN c.identifier LIKE 'whatsapp:%%' THEN substr(c.identifier, 10) END
CROSS JOIN LATERAL (
    SELECT coalesce(by_phone.id, by_name.id) AS id, by_phone.phone_moved_at
) d
LEFT JOIN LATERAL (
    SELECT i.line_id FROM channels_incoming i JOIN channels_line l ON l.id = i.line_id AND l.purpose = %(purpose)s
    WHERE i.address_id = d.id ORDER BY i.sent_at DESC LIMIT 1
) wrote ON true
WHERE {_IN_DISTRICT}
AND (c.identifier LIKE 'tel:%%' OR d.id IS NOT NULL)
AND (d.phone_moved_at IS NULL OR d.phone_moved_at <= c.since)
AND NOT EXISTS (SELECT FROM channels_optout o WHERE o.address_id = d.id AND o.ended_at IS NULL)
AND {_IS_UNREAD}
ORDER BY c.identifier, c.id
) AS drawn
ORDER BY EXISTS (
    SELECT FROM flows_reminded d JOIN flows_reminder r ON r.id = d.reminder_id
    WHERE r.cycle_id = %(cycle)s AND d.identifier = drawn.identifier AND d.outgoing_id IS NOT NULL
), md5(%(reminder)s || drawn.identifier)
ON CONFLICT DO NOTHING
"""  # noqa: S608 (a constant of ours)
# Where Meta's limit does not reach for all, nobody is reminded twice before everybody was once, and no number comes first
# in every month.

_UNREAD_OF = f"""
SELECT DISTINCT mine.id FROM metering_accountcontact mine
JOIN metering_accountcontact c ON c.identifier = mine.identifier
JOIN metering_servicepoint p ON p.account_id = c.account_id
WHERE mine.id = ANY(%(contacts)s) AND {_IN_DISTRICT} AND {_IS_UNREAD}
"""  # noqa: S608 (a constant of ours)
