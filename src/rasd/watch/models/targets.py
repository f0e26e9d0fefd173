"""What is tried: a service somewhere, and the errands that are run on it."""

import hashlib
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Self
from zoneinfo import ZoneInfo

from django.db import connection, models, transaction

from rasd.watch.journeys import Journey, parse
from rasd.watch.options import options
from rasd.watch.permission import Statement, read_signed
from rasd.watch.places import is_loopback, place
from rasd.watch.watchfile import TargetEntry, Whole

TAKING_LOCK = 0x5741_4649  # "WAFI": one takes over a watch.yaml at a time


class Targets(models.QuerySet["Target"]):
    def in_force(self) -> Self:
        return self.filter(gone_at=None)

    @transaction.atomic
    def take(self, whole: Whole, now: datetime) -> None:
        """Makes the rows what ``watch.yaml`` says. Nothing is deleted: what left the file is gone since ``now``."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TAKING_LOCK])
        for name, entry in whole.file.targets.items():
            target, _ = self.update_or_create(
                name=name,
                defaults={
                    "title": entry.title,
                    "url": entry.url,
                    "zone": entry.zone,
                    "visits_a_day": entry.visits_a_day,
                    "settings": entry.model_dump(mode="json"),
                    "public": entry.public,
                    "gone_at": None,
                },
            )
            target.take({name: errand.text for name, errand in whole.errands[name].items()}, now)
        left = self.in_force().exclude(name__in=whole.file.targets)
        JourneyFile.objects.filter(target__in=left, gone_at=None).update(gone_at=now)
        left.update(gone_at=now)


class Target(models.Model):
    """A service that somebody runs and permits us to try. Its entry in ``watch.yaml`` is the truth; this is its copy."""

    name = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    url = models.URLField(max_length=1000)
    zone = models.CharField(max_length=64, help_text="IANA; the week's hours are counted in it")
    visits_a_day = models.PositiveIntegerField(help_text="at most; confirmations are of it")
    settings = models.JSONField(default=dict, help_text="its whole entry in watch.yaml")
    public = models.BooleanField(default=False, help_text="shown on /status")
    gone_at = models.DateTimeField(null=True, help_text="when it left watch.yaml; what was seen is kept")

    objects = Targets.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def entry(self) -> TargetEntry:
        return TargetEntry.model_validate(self.settings)

    @property
    def statement(self) -> Statement | None:
        """What its owner signed; None where nobody need be asked, or no file is named. What he has published or taken back since
        is not asked here. Raises NotAPermission, NotPlain; OSError, UnicodeDecodeError where the file cannot be read."""
        file = self.settings.get("permission")
        if not file or is_loopback(place(self.url)):
            return None
        return read_signed((options.file.parent / file).read_text("utf-8")).statement

    def take(self, texts: dict[str, str], now: datetime) -> None:
        """These are its journeys now, by name. A changed wording is a new row; one that comes back is its old row."""
        wordings = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
        for each in self.journeys.filter(gone_at=None):
            if wordings.get(each.name) != each.sha256:
                each.gone_at = now
                each.save(update_fields=["gone_at"])
        for name, sha256 in wordings.items():
            self.journeys.update_or_create(
                name=name,
                sha256=sha256,
                defaults={"gone_at": None},
                create_defaults={"text": texts[name], "added_at": now},
            )

    def midnight(self, now: datetime) -> datetime:
        """When its day began, in its zone."""
        local = now.astimezone(ZoneInfo(self.zone))
        return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)

    def next_midnight(self, now: datetime) -> datetime:
        day = self.midnight(now).date() + timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone))

    def visits_left(self, now: datetime) -> int:
        """How many more its budget allows on the local day of ``now``. Counted are all that were begun, whatever for: recorded,
        under way, or broken off."""
        since = self.midnight(now)
        recorded = self.probes.filter(began_at__gte=since).count()
        begun = self.visits.filter(claim__claimed_at__gte=since, probe=None)
        return (
            self.visits_a_day
            - recorded
            - begun.filter(models.Q(skip=None) | models.Q(skip__reason="died")).count()
        )


class JourneyFile(models.Model):
    """One wording of a journey. A file that is changed is a new row; what was played with the old one says so."""

    target = models.ForeignKey(Target, models.PROTECT, related_name="journeys")
    name = models.SlugField()
    text = models.TextField(help_text="the YAML, as it was read")
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="when it was changed or taken away")

    class Meta:
        ordering = ["name", "-added_at"]
        constraints = [
            models.UniqueConstraint(fields=["target", "name", "sha256"], name="a_wording_once"),
            models.UniqueConstraint(
                fields=["target", "name"], condition=models.Q(gone_at=None), name="one_wording_in_force"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def journey(self) -> Journey:
        """Raises NotAJourney."""
        return _read(self.text, self.name)


@lru_cache(maxsize=1024)
def _read(text: str, name: str) -> Journey:
    """A wording never changes, and reading YAML takes ten milliseconds: lists of errands read each once."""
    return parse(text, name)
