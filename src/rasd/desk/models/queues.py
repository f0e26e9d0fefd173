from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from rasd.channels.models import Line
from rasd.desk import hours
from rasd.desk.hours import Working
from rasd.desk.models.calendars import Calendar
from rasd.desk.models.roster import Roster
from rasd.desk.models.staff import Skill

if TYPE_CHECKING:
    from rasd.desk.models.obligations import Obligation
    from rasd.desk.waits import Wait

LAST_RESORT = {"ar": "الملجأ الأخير", "en": "Last resort"}
LAST_RESORT_ANSWERS_WITHIN = timedelta(minutes=30)  # unless somebody says otherwise


def named(names: dict[str, str]) -> str:
    """In the installation's language: what is made by itself stands in the database, where nobody translates it."""
    return names.get(settings.LANGUAGE_CODE, names["en"])


class Matter(models.TextChoices):
    """What a message, an obligation or a case is about; times may differ by it."""

    ENQUIRY = "enquiry", _("enquiry")
    COMPLAINT = "complaint", _("complaint")
    REQUEST = "request", _("request")
    READING = "reading", _("reading")
    DOCUMENT = "document", _("document")


class Queue(models.Model):
    """A staffed queue: what is in it is owed by the people who serve it."""

    class Purpose(models.TextChoices):
        """What the machine puts into it, whatever it is called."""

        FIRST_LINE = "first_line", _("what is for people")
        PHOTOGRAPHS = "photographs", _("photographs of which the machine is not sure")

    USUAL: dict[str, tuple[dict[str, str], timedelta]] = {
        Purpose.FIRST_LINE: ({"ar": "الخط الأول", "en": "First line"}, timedelta(minutes=30)),
        Purpose.PHOTOGRAPHS: ({"ar": "الصور", "en": "Photographs"}, timedelta(hours=4)),
    }
    """Names and time to answer with which they are made."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    answer_within = models.DurationField(
        _("answer within"), help_text=_("of working time, where no target says otherwise")
    )
    calendar = models.ForeignKey(
        Calendar,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="queues",
        verbose_name=_("working hours"),
        help_text=_("by which its times are counted; empty: day and night"),
    )
    people = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="queues")
    skills = models.ManyToManyField(
        Skill, blank=True, related_name="queues", help_text=_("what its work takes, all of them")
    )
    falls_to = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("falls to"),
        help_text=_("the queue that gets what is in this one while nobody serves it"),
    )
    purpose = models.CharField(
        max_length=20, choices=Purpose, blank=True, editable=False, help_text="what the machine puts into it"
    )
    is_last_resort = models.BooleanField(
        _("last resort"),
        default=False,
        help_text=_("gets what no other queue can take; there is one"),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_last_resort"],
                condition=models.Q(is_last_resort=True),
                name="one_queue_of_last_resort",
            ),
            models.UniqueConstraint(
                fields=["purpose"], condition=~models.Q(purpose=""), name="one_queue_for_each_purpose"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.falls_to_id is not None:
            self.clean()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Raises ValidationError where what falls from it would come round to it again."""
        seen, queue = {self.pk}, self.falls_to
        while queue is not None:
            if queue.pk in seen:
                words = _("What falls to %(queue)s would come back here. Choose another, or none.")
                raise ValidationError({"falls_to": ValidationError(words, params={"queue": self.falls_to})})
            seen.add(queue.pk)
            queue = queue.falls_to

    # Who serves it.

    @classmethod
    def standing(cls, purpose: "Queue.Purpose") -> "Queue":
        """The queue into which the machine puts things of this kind; made where there is none, unless one that nobody said
        anything of is called so already."""
        if queue := cls.objects.filter(purpose=purpose).first():
            return queue
        names, within = cls.USUAL[purpose]
        if called_so := cls.objects.filter(name__in=names.values(), purpose="").order_by("pk").first():
            called_so.purpose = purpose
            called_so.save(update_fields=["purpose"])
            return called_so
        defaults = {"name": named(names), "answer_within": within}
        return cls.objects.get_or_create(purpose=purpose, defaults=defaults)[0]

    @classmethod
    def last_resort(cls) -> "Queue":
        """The queue of what no other can take; made where none is, with the administrators in it."""
        queue, _made = cls.objects.get_or_create(
            is_last_resort=True,
            defaults={"name": named(LAST_RESORT), "answer_within": LAST_RESORT_ANSWERS_WITHIN},
        )
        return queue

    def is_served(self, at: datetime, language: str = "") -> bool:
        """Whether somebody who serves it, and speaks the language, is on shift or comes before its time to answer is over."""
        roster = Roster(at)
        return roster.is_served(roster.queues[self.pk], language)

    @property
    def hours(self) -> Working:
        return self.calendar.hours if self.calendar else hours.RoundTheClock()

    def target(self, line: Line | None, matter: str = "") -> timedelta:
        """Working time in which it answers: the target that says most about line and matter, else ``answer_within``."""
        told = [
            target
            for target in self.targets.all()
            if target.line_id in {None, line.pk if line else None} and target.matter in {"", matter}
        ]
        nearest = max(told, key=lambda target: (bool(target.line_id), bool(target.matter)), default=None)
        return nearest.answer_within if nearest else self.answer_within

    def due(self, begin: datetime, amount: timedelta) -> datetime:
        """When ``amount`` of its working time after ``begin`` has passed."""
        return hours.due(self.hours, begin, amount)

    def recount(self, *, at: datetime, actor: str, why: str = "", before: Working | None = None) -> int:
        """Its hours were changed: what is owed in it is due by those that stand now. How many times that changed.

        Each obligation is a transaction of its own, so that the ledger is held by none of them for long; a second call
        finds nothing more to do."""
        owed = self.obligation_set.filter(discharged_at=None, running_since__isnull=False)
        return sum(each.recount(at=at, actor=actor, why=why, before=before) for each in owed)

    def place_of(self, obligation: "Obligation") -> int:
        """1 for the one who waits longest for an answer. What was promised for later and the work on a case stand in no line."""
        earlier = models.Q(since__lt=obligation.since) | models.Q(
            since=obligation.since, pk__lt=obligation.pk
        )
        return self.obligation_set.filter(earlier, kind="answer", discharged_at=None).count() + 1

    def honest_wait(self, at: datetime, *, target: timedelta | None = None) -> "Wait":
        """What somebody who comes into it at ``at`` can be told of how long he waits (G8), see :mod:`rasd.desk.waits`."""
        from rasd.desk.waits import honest_wait

        return honest_wait(self, at, target=target)


class Target(models.Model):
    """A queue's time for one line, one matter, or one matter on one line."""

    queue = models.ForeignKey(Queue, models.CASCADE, related_name="targets")
    line = models.ForeignKey(Line, models.CASCADE, null=True, blank=True, related_name="+")
    matter = models.CharField(max_length=20, choices=Matter, blank=True)
    answer_within = models.DurationField(_("answer within"), help_text=_("of working time"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "line", "matter"], nulls_distinct=False, name="one_target_for_each"
            ),
        ]
