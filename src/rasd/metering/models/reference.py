"""What the utility brings with it: who pays, where it delivers, which meter hangs there, what its counter shows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rasd.metering.consumption import Consumption, use_since
from rasd.vision import History, PastReading, RegisterHint

if TYPE_CHECKING:
    from rasd.metering.models.cycles import Cycle
    from rasd.metering.models.readings import Adoption, Reading

HISTORY_LENGTH = 40
"""Actual readings given to the prior: three years of monthly ones. Older ones weigh next to nothing in it."""


class Account(models.Model):
    """Who pays: a customer's agreement with the utility."""

    number = models.CharField(max_length=40, unique=True)
    holder_name = models.CharField(max_length=200)
    customer_class = models.CharField(max_length=40, default="residential")
    language = models.CharField(
        max_length=5, default="ar", help_text="of letters, until the customer writes in another"
    )

    def __str__(self) -> str:
        return f"{self.number} {self.holder_name}"


class AccountContact(models.Model):
    """An identifier (``tel:+96891234567``, ``whatsapp:USER-ID``) that may send readings for an account, and how we know."""

    class Known(models.TextChoices):
        IMPORTED = "imported", _("from the utility's own records")
        NAME = "name", _("gave the account's number and its holder's name")
        STAFF = "staff", _("a member of staff said so")

    account = models.ForeignKey(Account, models.CASCADE, related_name="contacts")
    identifier = models.CharField(max_length=200, db_index=True)
    known = models.CharField(max_length=10, choices=Known, default=Known.IMPORTED)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "identifier"], name="account_contact_once")]

    def __str__(self) -> str:
        return self.identifier


class ServicePoint(models.Model):
    """UsagePoint: the place where the utility delivers, whatever meter hangs there."""

    class Commodity(models.TextChoices):
        ELECTRICITY = "electricity", _("electricity")
        WATER = "water", _("water")

    number = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="service_points")
    commodity = models.CharField(max_length=20, choices=Commodity, default=Commodity.ELECTRICITY)
    place = models.CharField(max_length=200, help_text="the address in words, as its customer would know it")
    district = models.CharField(max_length=100, db_index=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    route = models.ForeignKey(
        "metering.Route", models.SET_NULL, null=True, blank=True, related_name="service_points"
    )
    stop = models.PositiveIntegerField(null=True, blank=True, help_text="its place in the order of the route")

    def __str__(self) -> str:
        return f"{self.number} {self.place}"

    @classmethod
    def of(cls, identifier: str, *, known_since: datetime | None = None) -> QuerySet[ServicePoint]:
        """Those that ``identifier`` (``tel:+96891234567``) may send readings for, by number.

        ``known_since``: when the number came to the person who has it now; what was known of it before was another's.
        """
        contacts = AccountContact.objects.filter(identifier=identifier)
        if known_since is not None:
            contacts = contacts.filter(since__gte=known_since)
        return cls.objects.filter(account__in=contacts.values("account")).order_by("number")

    def hold(self) -> None:
        """Lock its row until the transaction ends: whoever adopts for it takes turns."""
        ServicePoint.objects.select_for_update(no_key=True).get(pk=self.pk)

    @property
    def current_meter(self) -> Meter | None:
        """The meter that hangs there now, or None where none does."""
        return self.meters.filter(removed_on=None).first()

    @property
    def current_register(self) -> Register | None:
        """The register customers read: the first of the current meter's."""
        return (
            Register.objects.filter(meter__service_point=self, meter__removed_on=None).order_by("id").first()
        )

    def adoption_in(self, cycle: Cycle) -> Adoption | None:
        """The adoption that stands in ``cycle``, or None."""
        return self.adoptions.filter(cycle=cycle, superseded_at=None).select_related("reading").first()

    def history(self, at: datetime, *, apart_from: Cycle | None = None) -> History | None:
        """Actual readings before ``at`` of the current register, never estimates; None where no meter hangs there.

        ``apart_from``: the cycle that a new reading is for. What customers sent for it already does not speak against one
        that may take its place.

        Where the current register has none yet, those of the meter before it, marked ``meter_changed``.
        """
        register = self.current_register
        if register is None:
            return None
        past, changed = register.actual_readings(before=at, apart_from=apart_from), False
        if not past:
            earlier = (
                Register.objects.filter(meter__service_point=self, meter__removed_on__isnull=False)
                .order_by("-meter__removed_on", "id")
                .first()
            )
            past = earlier.actual_readings(before=at) if earlier else []
            changed = bool(past)
        return History(
            readings=tuple(PastReading(reading.taken_at, reading.value) for reading in past),
            at=at,
            digits=register.digits,
            decimals=register.decimals,
            meter_changed=changed,
        )

    def consumption(self, value: Decimal, at: datetime) -> Consumption | None:
        """What was used since the last actual reading before ``at``, given that the current register shows ``value`` then.

        None where there is no earlier actual reading of the current register. See :class:`Consumption`.
        """
        register = self.current_register
        if register is None:
            return None
        stretches = [
            (one.digits, one.actual_readings(before=at))
            for one in Register.objects.filter(meter__service_point=self, name=register.name).exclude(
                pk=register.pk
            )
        ]
        return use_since(
            value,
            at,
            digits=register.digits,
            unit=register.unit,
            past=_plain(register.actual_readings(before=at)),
            earlier_meters=[(digits, _plain(past)) for digits, past in stretches],
        )


def _plain(readings: list[Reading]) -> list[PastReading]:
    return [PastReading(reading.taken_at, reading.value) for reading in readings]


class Meter(models.Model):
    """The device. A service point has one at a time; a replaced one keeps its readings."""

    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="meters")
    serial = models.CharField(max_length=40, db_index=True, help_text="capital letters, no spaces")
    installed_on = models.DateField()
    removed_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service_point"],
                condition=Q(removed_on__isnull=True),
                name="one_meter_at_a_service_point",
            ),
            models.UniqueConstraint(
                fields=["service_point", "serial", "installed_on"], name="meter_installed_once"
            ),
        ]

    def __str__(self) -> str:
        return self.serial


class Register(models.Model):
    """What is read: a counter on a meter with so many digits before and after the point."""

    meter = models.ForeignKey(Meter, models.CASCADE, related_name="registers")
    name = models.CharField(
        max_length=20, default="1.8.0", help_text="OBIS code (IEC 62056-61); 1.8.0: active energy imported"
    )
    digits = models.PositiveSmallIntegerField(
        help_text="before the point", validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    decimals = models.PositiveSmallIntegerField(
        default=0, help_text="after the point", validators=[MaxValueValidator(3)]
    )
    unit = models.CharField(max_length=10, default="kWh")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meter", "name"], name="register_once_a_meter"),
            # What a reading's value can hold, and less than the eye could be told to look for.
            models.CheckConstraint(
                condition=Q(digits__range=(1, 9), decimals__range=(0, 3)), name="register_of_1_to_9_digits"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.meter} {self.name}"

    @property
    def hint(self) -> RegisterHint:
        return RegisterHint(self.digits, self.decimals)

    def as_shown(self, value: Decimal) -> str:
        """``value`` with all the places the counter has: ``04521`` or ``04521.3``."""
        width = self.digits + self.decimals + (1 if self.decimals else 0)
        return f"{value:0{width}.{self.decimals}f}"

    def actual_readings(self, *, before: datetime, apart_from: Cycle | None = None) -> list[Reading]:
        """The last ``HISTORY_LENGTH`` before ``before``, oldest first: no estimates, of what customers sent only what stands
        adopted, and of the rest nothing that a person refused. The same for PostgreSQL: :data:`rasd.metering.adopting.ACTUAL`."""
        standing = self.adoptions.filter(superseded_at__isnull=True)
        stands = models.Exists(standing.filter(reading=models.OuterRef("pk")))
        refused = Q(exceptions__outcome__in=["estimated", "replaced"]) | models.Exists(
            standing.filter(cycle=models.OuterRef("cycle"), rule="manual")
        )
        readings = (
            self.readings.filter(taken_at__lt=before)
            .exclude(source="estimate")
            .exclude(cycle=apart_from, cycle__isnull=False, submission__isnull=False)
            .filter(stands | Q(submission=None) & ~refused)
            .order_by("-taken_at")[:HISTORY_LENGTH]
        )
        return list(readings)[::-1]
