"""The month's billing round."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rasd.ledger.models import record
from rasd.metering import days
from rasd.metering.models import windows
from rasd.metering.models.windows import DistrictWindow as DistrictWindow

if TYPE_CHECKING:
    from rasd.metering.models.reference import ServicePoint


class DateRange(models.Func):
    """PostgreSQL's ``daterange(opens, closes, '[]')``."""

    function = "DATERANGE"
    output_field = DateRangeField()


class Cycle(models.Model):
    """A month's billing round, and the window of days in which customers read."""

    name = models.CharField(max_length=7, unique=True, help_text="2026-11")
    window_opens = models.DateField(help_text="first day, in the utility's time zone")
    window_closes = models.DateField(help_text="last day, included")
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(window_closes__gte=models.F("window_opens")),
                name="window_closes_after_it_opens",
                violation_error_message=_("the window closes before it opens"),
            ),
            # A moment counts for one cycle (G1), so no two windows may share a day.
            ExclusionConstraint(
                name="windows_do_not_overlap",
                expressions=[
                    (
                        DateRange("window_opens", "window_closes", RangeBoundary(True, True)),
                        RangeOperators.OVERLAPS,
                    )
                ],
                violation_error_message=_("another cycle's window has a day of this one"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def open(
        cls,
        name: str,
        *,
        window_opens: date | None = None,
        window_closes: date | None = None,
        at: datetime,
        actor: str,
    ) -> Cycle:
        """Open the round ``name`` (``2026-11``); its window is the month's 15th to 25th where none is given.

        Opening it again with the same window, or with none given, returns it unchanged.

        Raises:
            ValueError: ``name`` is no month, the window is upside down, shares days with another's or lies before that of a
                closed one, or the round is there with another window.
        """
        if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", name):
            raise ValueError(f"name: {name!r} is not a month such as 2026-11")
        usual_opens, usual_closes = days.usual_window(name)
        opens, closes = window_opens or usual_opens, window_closes or usual_closes
        if closes < opens:
            raise ValueError(f"window_closes: {closes} is before window_opens {opens}; exchange the two")
        with transaction.atomic():
            # Two people opening a cycle at once would both find nothing in the way.
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE metering_cycle IN SHARE ROW EXCLUSIVE MODE")
            if there := cls.objects.filter(name=name).first():
                asked = (window_opens or there.window_opens, window_closes or there.window_closes)
                if asked != (there.window_opens, there.window_closes):
                    raise ValueError(
                        f"name: cycle {name} is open already with the window {there.window_opens} to"
                        f" {there.window_closes}; leave the dates out, or choose another month"
                    )
                return there
            if other := cls.objects.filter(window_opens__lte=closes, window_closes__gte=opens).first():
                raise ValueError(
                    f"window_opens: {opens} to {closes} shares days with the window of cycle {other.name},"
                    f" {other.window_opens} to {other.window_closes}; choose other days"
                )
            if later := cls.objects.exclude(closed_at=None).filter(window_opens__gt=opens).last():
                raise ValueError(
                    f"window_opens: {opens} is before the window of cycle {later.name}, which is closed: what was used until then"
                    " is billed; choose later days"
                )
            cycle = cls.objects.create(name=name, window_opens=opens, window_closes=closes, opened_at=at)
            if faults := windows.shared(cycle, {}):
                raise windows.FaultyWindows(faults)
            record(
                actor,
                "cycle.opened",
                f"cycle:{name}",
                at=at,
                facts={"window_opens": opens, "window_closes": closes},
            )
        return cycle

    @classmethod
    def containing(cls, sent_at: datetime, point: ServicePoint | None = None) -> Cycle | None:
        """G1: the open cycle in whose window the sender sent it, by the utility's calendar; None outside every window.

        ``point``: whose it is; its district may have days of its own.
        """
        day = days.local_day(sent_at)
        found: Cycle | None = (
            windows.with_days(point).filter(closed_at=None, opens__lte=day, closes__gte=day).first()
        )
        return found

    @classmethod
    def latest(cls, at: datetime, point: ServicePoint | None = None) -> Cycle | None:
        """The cycle whose dates a customer should be told at ``at``: the current one, else the next, else the last.

        ``point``: whose reading it is about; its district may have days of its own.
        """
        day = days.local_day(at)
        theirs = windows.with_days(point)
        ahead: Cycle | None = theirs.filter(closed_at=None, closes__gte=day).order_by("opens").first()
        return ahead or theirs.order_by("-opens").first()

    def days_of(self, point: ServicePoint | None) -> windows.Days:
        """First and last day in which ``point`` is read for it: its district's, or the cycle's own."""
        return windows.days_of(self, point)

    def put_windows(self, of_districts: Mapping[str, windows.Days], *, at: datetime, actor: str) -> None:
        """These districts have days of their own, all others the cycle's. Nothing is recorded where nothing changes.

        What came in before keeps the cycle that it was counted for, or the answer that it came outside.

        Raises:
            FaultyWindows: a window is upside down, shares a day with another cycle's, or no service point is there.
            ValueError: the cycle is closed.
        """
        windows.put(self, of_districts, at=at, actor=actor)

    def progress(self) -> dict[str, int]:
        """How far the round is, in service points that have a meter.

        ``points`` all; ``read`` something came from them; of these ``adopted``, ``in_review`` by a person, ``asked``
        (the customer must answer), and the few being read just now; ``missing`` nothing came that is adopted or looked at:
        where the month is closed these are on estimates.
        """
        with connection.cursor() as cursor:
            cursor.execute(_PROGRESS, {"cycle": self.pk})
            points, read, adopted, in_review, asked = cursor.fetchone() or (0, 0, 0, 0, 0)
        return {
            "points": points,
            "read": read,
            "adopted": adopted,
            "in_review": in_review,
            "asked": asked,
            "missing": max(points - read, 0),
        }

    def progress_by_day(self) -> list[dict[str, Any]]:
        """``{"day": date, "adopted": readings adopted up to its end}`` for each day of the window, by the utility's calendar.
        Estimates are none.

        Days after the window follow where something was adopted on them.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT (adopted_at AT TIME ZONE %s)::date, count(*)
                   FROM metering_adoption WHERE cycle_id = %s AND superseded_at IS NULL AND rule <> 'estimate'
                   GROUP BY 1""",
                [timezone.get_default_timezone_name(), self.pk],
            )
            counts: dict[date, int] = dict(cursor.fetchall())
        last = max([self.window_closes, *counts])
        total, found = 0, []
        for offset in range((last - self.window_opens).days + 1):
            day = self.window_opens + timedelta(days=offset)
            total += counts.get(day, 0)
            found.append({"day": day, "adopted": total})
        return found


_PROGRESS = """
WITH adopted AS (
    SELECT DISTINCT service_point_id FROM metering_adoption
    WHERE cycle_id = %(cycle)s AND superseded_at IS NULL AND rule <> 'estimate'
), latest AS (
    SELECT DISTINCT ON (service_point_id) id, service_point_id FROM metering_submission
    WHERE cycle_id = %(cycle)s AND service_point_id IS NOT NULL
    ORDER BY service_point_id, sent_at DESC, id DESC
), waiting AS (
    SELECT latest.service_point_id,
        EXISTS (SELECT FROM metering_review r JOIN metering_submission s ON s.id = r.submission_id
                WHERE s.cycle_id = %(cycle)s AND s.service_point_id = latest.service_point_id
                AND r.closed_at IS NULL) AS in_review,
        (SELECT verdict FROM metering_judgement j WHERE j.submission_id = latest.id
         ORDER BY j.id DESC LIMIT 1) IN ('confirm', 'retake', 'other_meter', 'withdrawn') AS asked
    FROM latest LEFT JOIN adopted USING (service_point_id) WHERE adopted.service_point_id IS NULL
)
SELECT (SELECT count(*) FROM metering_meter WHERE removed_on IS NULL),
       (SELECT count(*) FROM adopted) + (SELECT count(*) FROM waiting),
       (SELECT count(*) FROM adopted),
       (SELECT count(*) FROM waiting WHERE in_review),
       (SELECT count(*) FROM waiting WHERE asked AND NOT in_review)
"""
