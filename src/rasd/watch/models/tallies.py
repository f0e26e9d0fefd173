"""Visits counted by day, so that pages which speak of millions read thousands of rows. The database counts them as it takes each
visit in (migration 0007); ``rasd watch verify`` holds the counts against the visits."""

from typing import Self

from django.db import connection, models

from rasd.watch.models.targets import JourneyFile, Target

WRONG = """
SELECT day
FROM (SELECT target_id, journey_id, day, why, verdict, count(*) AS visits FROM watch_probe GROUP BY 1, 2, 3, 4, 5) counted
FULL JOIN watch_tally USING (target_id, journey_id, day, why, verdict)
WHERE counted.visits IS DISTINCT FROM watch_tally.visits ORDER BY day LIMIT 1
"""


class Tallies(models.QuerySet["Tally"]):
    def wrong(self: Self) -> str:
        """The first day of which the counts are not those of the visits; empty where there is none. Reads all visits."""
        with connection.cursor() as cursor:
            cursor.execute(WRONG)
            found = cursor.fetchone()
        return str(found[0]) if found else ""


class Tally(models.Model):
    """So many visits of one journey's wording, one day, one verdict. Of ``Probe``, as its columns are named there."""

    target = models.ForeignKey(Target, models.PROTECT, related_name="+", db_index=False)
    journey = models.ForeignKey(JourneyFile, models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    why = models.CharField(max_length=16)
    verdict = models.CharField(max_length=16)
    visits = models.PositiveIntegerField()

    objects = Tallies.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["target", "day", "journey", "why", "verdict"], name="one_tally")
        ]

    def __str__(self) -> str:
        return f"{self.journey_id} {self.day} {self.why} {self.verdict}: {self.visits}"
