"""What the watch did and saw. A probe is written once and never changed; each carries the hash of the one before it."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, models, transaction
from django.utils.crypto import get_random_string

from rasd.watch.evidence import columns
from rasd.watch.evidence.box import Box
from rasd.watch.evidence.chain import digest_of, plain
from rasd.watch.models.plans import Planned, Watcher
from rasd.watch.models.targets import JourneyFile, Target
from rasd.watch.players.report import Report
from rasd.watch.verdicts import Verdict
from rasd.watch.watchfile import Keep

CHAIN_LOCK = 0x5741_5443  # "WATC": the advisory lock under which the chain grows by one link
AT_A_TIME = 500  # probes in memory while the chain is walked; files of the box asked for at once
TOKEN = 22
"""Letters and digits, 131 bits. No signs: a ``-`` at its beginning would be taken for a formula in a spreadsheet."""
UNTOUCHED = timedelta(days=1)
"""Before which nothing in the box is deleted: a visit that is being played may rest on it."""


@dataclass(frozen=True)
class Changed:
    """The first place where the record is not what it was."""

    token: str
    why: str

    def __str__(self) -> str:
        return f"probe {self.token}: {self.why}"


def the_box() -> Box:
    """Where the evidence of this machine's visits lies."""
    return Box(Path(settings.WATCH_FOLDER) / "box")


class Probes(models.QuerySet["Probe"]):
    def record(
        self,
        report: Report,
        *,
        journey: JourneyFile,
        watcher: Watcher,
        why: str,
        visit: Planned | None = None,
        confirms: "Probe | None" = None,
        keep: Keep | None = None,
    ) -> "Probe":
        """The probe with its steps and exhibits: all of it or nothing.

        The chain (``evidence/chain.py``) grows by one link at a time: others wait from here until the transaction ends, so call
        it in a short one, last. Exhibits of a visit that was completed with nothing amiss are kept ``keep.days`` from its end,
        all others ``keep.failures_days``.

        Raises IntegrityError where the visit, or the confirmation of that probe, is recorded already.
        """
        whole = plain(report.model_dump(mode="json"))
        probe = Probe(
            token=get_random_string(TOKEN),
            target=journey.target,
            journey=journey,
            watcher=watcher,
            why=why,
            visit=visit,
            confirms=confirms,
            report=whole,
            zone=journey.target.zone,
            **columns.of_the_probe(whole, journey.target.zone),
        )
        keep = keep or Keep()
        kept = keep.days if probe.verdict == Verdict.COMPLETED else keep.failures_days
        until = probe.ended_at + timedelta(days=kept)
        with transaction.atomic():
            probe.previous = _last_digest()
            probe.digest = digest_of(probe.document)
            probe.save(force_insert=True)
            StepPlayed.objects.bulk_create(
                StepPlayed(probe=probe, **each) for each in columns.of_its_steps(whole)
            )
            Shown.objects.bulk_create(
                Shown(probe=probe, keep_until=until, **each) for each in columns.of_its_exhibits(whole)
            )
        return probe

    def last_of_each(self, targets: Iterable[Target], many: int) -> "dict[int, list[Probe]]":
        """So many of each target, by its key, the oldest first; without their reports. One question for all of them."""
        theirs = Probe.objects.filter(target=models.OuterRef("pk")).order_by("-began_at").values("pk")[:many]
        keys = (
            Target.objects.filter(pk__in=[each.pk for each in targets])
            .order_by()
            .annotate(
                key=models.Func(
                    ArraySubquery(theirs), function="unnest", output_field=models.BigIntegerField()
                )
            )
            .values("key")
        )
        found: dict[int, list[Probe]] = {}
        probes = self.filter(pk__in=keys).select_related("journey").defer("report")
        for probe in probes.order_by("began_at", "pk"):
            found.setdefault(probe.target_id, []).append(probe)
        return found

    def verify(self, head: str = "") -> Changed | None:
        """Walks the whole chain and names the first probe that is not as it was recorded; None where all are.

        ``head``: a digest that somebody noted; finds a chain whose end was cut off, which no chain can tell of itself.
        """
        previous, seen, wordings = "", not head, set[int]()
        probes = (
            Probe.objects.order_by("pk")
            .select_related("target", "journey", "watcher", "visit__plan", "confirms")
            .prefetch_related("steps", "exhibits")
        )
        for probe in probes.iterator(chunk_size=AT_A_TIME):
            if probe.previous != previous:
                return Changed(
                    probe.token, "the one recorded before it is missing, or was put in since, or was changed"
                )
            if changed := probe.changed():
                return Changed(probe.token, changed)
            if probe.journey_id not in wordings:
                wordings.add(probe.journey_id)
                if hashlib.sha256(probe.journey.text.encode()).hexdigest() != probe.journey.sha256:
                    return Changed(probe.token, f"the wording of journey {probe.journey.name} was changed")
            previous, seen = probe.digest, seen or probe.digest == head
        if not seen:
            return Changed(head, "no probe has this digest: the end of the record was cut off, or made anew")
        return None


class Probe(models.Model):
    """One run of a journey."""

    class Why(models.TextChoices):
        PLANNED = "planned", "planned"
        CONFIRMATION = "confirmation", "confirmation"
        """After a visit that did not go well: a second fact, never instead of the first."""
        BY_HAND = "by hand", "by hand"

    token = models.CharField(max_length=22, unique=True, help_text="its address: /probes/TOKEN")
    target = models.ForeignKey(Target, models.PROTECT, related_name="probes", db_index=False)
    journey = models.ForeignKey(JourneyFile, models.PROTECT, related_name="probes", db_index=False)
    watcher = models.ForeignKey(Watcher, models.PROTECT, related_name="probes")
    why = models.CharField(max_length=16, choices=Why.choices)
    visit = models.OneToOneField(Planned, models.PROTECT, null=True, related_name="probe")
    confirms = models.OneToOneField("self", models.PROTECT, null=True, related_name="confirmation")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    zone = models.CharField(max_length=64, help_text="the target's, IANA, when it began")
    day = models.DateField(help_text="in that zone, when it began")
    hour = models.PositiveSmallIntegerField(help_text="of the week in that zone, 0 to 167, when it began")
    verdict = models.CharField(max_length=16, choices=[(v.value, v.value) for v in Verdict])
    because = models.JSONField(default=list, help_text="reasons by code, the weightiest first")
    done_after = models.FloatField(
        null=True, help_text="seconds from the first step to done; null: it was not"
    )
    gave_up_after = models.FloatField(
        null=True,
        help_text="seconds from the first step until he gave up; null: he did not, or it was done another way",
    )
    first_answer = models.FloatField(
        null=True, help_text="seconds to the answer of the first message in a chat that he waited for"
    )
    waited = models.FloatField(null=True, help_text="seconds waited for it in vain: a censored observation")
    person = models.FloatField(
        null=True, help_text="seconds to the first person in a chat that he waited for"
    )
    waited_for_person = models.FloatField(null=True, help_text="seconds waited for one in vain: censored")
    taken = models.PositiveSmallIntegerField(help_text="steps that went well, the tidying up aside")
    clicks = models.PositiveSmallIntegerField()
    typed = models.PositiveSmallIntegerField(help_text="fields")
    asked_again = models.PositiveSmallIntegerField(help_text="times that he was asked for what he had given")
    report = models.JSONField(help_text="players.report.Report, whole")
    digest = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of this report and the digest before"
    )
    previous = models.CharField(max_length=64, blank=True, unique=True)

    objects = Probes.as_manager()

    class Meta:
        ordering = ["-began_at"]
        indexes = [
            models.Index(fields=["target", "-began_at"]),
            models.Index(fields=["journey", "-began_at"]),
            # All that measures are made of: the wide rows of the table are not touched.
            models.Index(
                fields=["target", "day"],
                include=[
                    "id",
                    "journey",
                    "why",
                    "verdict",
                    "hour",
                    "done_after",
                    "gave_up_after",
                    "first_answer",
                    "waited",
                    "person",
                    "waited_for_person",
                    "taken",
                    "clicks",
                    "typed",
                    "asked_again",
                ],
                name="probes_by_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.journey_id} {self.began_at:%Y-%m-%d %H:%M} {self.verdict}"

    @property
    def told(self) -> Report:
        """The report as it was made."""
        return Report.model_validate(self.report)

    @property
    def document(self) -> dict[str, Any]:
        """What its digest is made of (``evidence/chain.py``)."""
        return {
            "previous": self.previous,
            "token": self.token,
            "target": self.target.name,
            "journey": {"name": self.journey.name, "sha256": self.journey.sha256},
            "zone": self.zone,
            "watcher": self.watcher.name,
            "why": str(self.why),
            "visit": {
                "commitment": self.visit.plan.commitment,
                "due_at": self.visit.due_at.astimezone(UTC).isoformat(),
            }
            if self.visit
            else None,
            "confirms": self.confirms.token if self.confirms else None,
            "report": self.report,
        }

    def changed(self) -> str:
        """What is not as it was recorded, in a sentence; "" where all is. Of the links before and after it says nothing:
        :meth:`Probes.verify` does."""
        if digest_of(self.document) != self.digest:
            return "its report, or what it belongs to, was changed"
        for name, value in columns.of_the_probe(self.report, self.zone).items():
            if getattr(self, name) != value:
                return f"{name} was changed: its report says {value}"
        if _differ(self.steps.all(), columns.of_its_steps(self.report)):
            return "its steps were changed: they are not those of its report"
        if _differ(self.exhibits.all(), columns.of_its_exhibits(self.report)):
            return "its exhibits were changed: they are not those of its report"
        return ""


def _last_digest() -> str:
    """Of the last probe; nobody records another until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    return Probe.objects.order_by("-pk").values_list("digest", flat=True).first() or ""


def _differ(rows: Iterable[models.Model], told: Iterable[dict[str, Any]]) -> bool:
    wanted = list(told)
    names = list(wanted[0]) if wanted else []
    return sorted(repr([getattr(row, name) for name in names]) for row in rows) != sorted(
        repr(list(each.values())) for each in wanted
    )


class StepPlayed(models.Model):
    """A step of a probe, for the measures: everything else about it is in the probe's report."""

    probe = models.ForeignKey(Probe, models.CASCADE, related_name="steps", db_index=False)
    number = models.PositiveSmallIntegerField()
    part = models.CharField(max_length=32)
    verb = models.CharField(max_length=16)
    says = models.CharField(max_length=500)
    outcome = models.CharField(max_length=16)
    trouble = models.CharField(max_length=16, blank=True)
    seconds = models.FloatField()
    first_answer = models.FloatField(null=True, help_text="seconds to a chat's first answer")
    person = models.FloatField(null=True, help_text="seconds to a person in a chat")
    waited = models.FloatField(
        null=True, help_text="seconds waited in vain for an answer: a censored observation"
    )
    waited_for_person = models.FloatField(
        null=True, help_text="seconds waited in vain for a person: a censored observation"
    )

    class Meta:
        ordering = ["probe_id", "number"]
        constraints = [models.UniqueConstraint(fields=["probe", "number"], name="a_step_once")]


class Exhibits(models.QuerySet["Shown"]):
    def throw_away(self, now: datetime, box: Box, watcher: Watcher) -> int:
        """Deletes the bytes that no exhibit needs any more, and gives how many files went. Hashes stay.

        The same bytes may serve several probes: they go when the last of them may go. Only those of the watcher whose box this
        is; another's lie at another place.
        """
        due = self.filter(keep_until__lte=now, thrown_away_at=None, probe__watcher=watcher)
        needed = Shown.objects.filter(sha256=models.OuterRef("sha256"), keep_until__gt=now)
        hashes = (
            due.exclude(models.Exists(needed)).order_by("sha256").values_list("sha256", flat=True).distinct()
        )
        gone = 0
        for sha256 in hashes.iterator():
            if box.discard(sha256, now - UNTOUCHED):
                due.filter(sha256=sha256).update(thrown_away_at=now)
                gone += 1
        return gone

    def sweep(self, now: datetime, box: Box) -> int:
        """Deletes what lies in the box for a day and is no exhibit: a visit died before it was recorded. Gives how many files."""
        gone = 0
        for lying in box.lying(untouched_since=now - UNTOUCHED):
            ours = set(
                self.filter(sha256__in=lying, thrown_away_at=None).values_list("sha256", flat=True).distinct()
            )
            gone += sum(box.discard(each, now - UNTOUCHED) for each in lying if each not in ours)
        return gone

    def wrong(self, box: Box, watcher: str) -> Iterator[Changed]:
        """Of the watcher whose box it is: exhibits that were not thrown away, and are missing or not as they were."""
        kept = self.filter(probe__watcher__name=watcher, thrown_away_at=None).order_by("sha256", "pk")
        last, why = "", ""
        for token, sha256 in kept.values_list("probe__token", "sha256").iterator():
            if sha256 != last:
                last, why = sha256, ""
                try:
                    box.get(sha256)
                except FileNotFoundError:
                    why = f"the evidence {sha256} is missing, and was not thrown away by rule"
                except ValueError as error:
                    why = str(error)
            if why:
                yield Changed(token, why)


class Shown(models.Model):
    """An exhibit of a probe: its bytes lie in the box under ``sha256`` until ``keep_until``; its hash stays."""

    probe = models.ForeignKey(Probe, models.CASCADE, related_name="exhibits")
    step = models.PositiveSmallIntegerField(null=True, help_text="null: of the whole visit")
    kind = models.CharField(max_length=16)
    sha256 = models.CharField(max_length=64)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="bytes")
    keep_until = models.DateTimeField()
    thrown_away_at = models.DateTimeField(null=True)

    objects = Exhibits.as_manager()

    class Meta:
        indexes = [models.Index(fields=["sha256"]), models.Index(fields=["keep_until"])]
