from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


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
        IMPORTED = "imported", "from the utility's own records"
        NAME = "name", "gave the account's number and its holder's name"
        STAFF = "staff", "a member of staff said so"

    account = models.ForeignKey(Account, models.CASCADE, related_name="contacts")
    identifier = models.CharField(max_length=200, db_index=True)
    known = models.CharField(max_length=10, choices=Known, default=Known.IMPORTED)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "identifier"], name="account_contact_once")]


class ServicePoint(models.Model):
    """UsagePoint: the place where the utility delivers, whatever meter hangs there."""

    class Commodity(models.TextChoices):
        ELECTRICITY = "electricity"
        WATER = "water"

    number = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="service_points")
    commodity = models.CharField(max_length=20, choices=Commodity, default=Commodity.ELECTRICITY)
    place = models.CharField(max_length=200, help_text="the address in words, as its customer would know it")
    district = models.CharField(max_length=100, db_index=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"{self.number} {self.place}"


class Meter(models.Model):
    """The device. A service point has one at a time; a replaced one keeps its readings."""

    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="meters")
    serial = models.CharField(max_length=40, db_index=True)
    installed_on = models.DateField()
    removed_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service_point"],
                condition=Q(removed_on__isnull=True),
                name="one_meter_at_a_service_point",
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
    digits = models.PositiveSmallIntegerField(help_text="before the point")
    decimals = models.PositiveSmallIntegerField(default=0, help_text="after the point")
    unit = models.CharField(max_length=10, default="kWh")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meter", "name"], name="register_once_a_meter")]


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
                condition=Q(window_closes__gte=models.F("window_opens")), name="window_closes_after_it_opens"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Submission(models.Model):
    """What a customer sent as a reading: one or several photographs taken in one go, or a number typed."""

    identifier = models.CharField(
        max_length=200, db_index=True, help_text="who sent it: tel:+968…, whatsapp:USER-ID"
    )
    origin = models.CharField(max_length=250, unique=True, help_text="the first message: whatsapp:wamid…")
    conversation = models.CharField(
        max_length=100, blank=True, db_index=True, help_text="where to answer: conversation:17"
    )
    service_point = models.ForeignKey(ServicePoint, models.PROTECT, null=True, related_name="submissions")
    cycle = models.ForeignKey(
        Cycle,
        models.PROTECT,
        null=True,
        related_name="submissions",
        help_text="whose window holds sent_at (G1)",
    )
    typed = models.CharField(max_length=40, blank=True, help_text="the digits, where a number was typed")
    sent_at = models.DateTimeField(help_text="by the channel's own timestamp")
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["identifier", "-sent_at"], name="submission_by_sender")]


class Photograph(models.Model):
    """One picture of a submission, and what the machine saw in it (G4)."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="photographs")
    origin = models.CharField(max_length=250, unique=True, help_text="the message that brought it")
    sha256 = models.CharField(max_length=64, db_index=True)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    seen = models.JSONField(
        null=True, help_text="rasd.vision.PhotoReading as JSON: digits, candidates, findings, boxes"
    )
    model = models.CharField(max_length=100, blank=True, help_text="which reader, with its version")
    milliseconds = models.FloatField(null=True)


class Judgement(models.Model):
    """What was decided of a submission, each time anyone decided: the last one stands."""

    class Verdict(models.TextChoices):
        ACCEPT = "accept"
        CONFIRM = "confirm", "the customer is asked: is it this?"
        RETAKE = "retake", "the customer is asked for another photograph"
        REVIEW = "review", "a person must look"
        OUTSIDE_WINDOW = "outside_window", "kept as evidence; the dates were told (G1)"
        ALREADY_ADOPTED = "already_adopted", "the customer is asked whether it replaces this month's"
        OTHER_METER = "other_meter", "the serial number is another meter's"
        UNKNOWN_SENDER = "unknown_sender", "whose service point is it?"
        WITHDRAWN = "withdrawn", "the customer said no, or a person said it is not a meter"

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="judgements")
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200, help_text="machine:reader, customer:tel:… or user:NAME")
    verdict = models.CharField(max_length=20, choices=Verdict)
    value = models.DecimalField(max_digits=12, decimal_places=3, null=True)
    confidence = models.FloatField(null=True, help_text="calibrated probability that value is right")
    why = models.CharField(
        max_length=300, blank=True, help_text="code of the reason: too_dark, below_last, serial_differs …"
    )

    class Meta:
        ordering = ["id"]


class Reading(models.Model):
    """A value of a register at a moment, with its source, quality and evidence."""

    class Source(models.TextChoices):
        CUSTOMER = "customer"
        FIELD = "field"
        ESTIMATE = "estimate"
        SMART = "smart"

    class Quality(models.TextChoices):
        """After IEC 61968-9 ReadingQuality; the mapping to its codes belongs to the billing export."""

        VALID = "valid"
        QUESTIONABLE = "questionable"
        ESTIMATED = "estimated"

    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="readings")
    register = models.ForeignKey(Register, models.PROTECT, related_name="readings")
    cycle = models.ForeignKey(Cycle, models.PROTECT, null=True, related_name="readings")
    value = models.DecimalField(max_digits=12, decimal_places=3)
    source = models.CharField(max_length=10, choices=Source)
    quality = models.CharField(max_length=15, choices=Quality, default=Quality.VALID)
    taken_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)
    submission = models.ForeignKey(
        Submission, models.PROTECT, null=True, related_name="readings", help_text="its evidence"
    )

    class Meta:
        indexes = [models.Index(fields=["register", "-taken_at"], name="reading_by_register")]
        constraints = [
            models.UniqueConstraint(
                fields=["register", "source", "taken_at"],
                condition=Q(submission__isnull=True),
                name="imported_reading_once",
            ),
        ]


class Adoption(models.Model):
    """Which reading the cycle bills on, since when, by whom and why. One stands at a time; those it replaced stay."""

    service_point = models.ForeignKey(ServicePoint, models.PROTECT, related_name="adoptions")
    register = models.ForeignKey(Register, models.PROTECT, related_name="adoptions")
    cycle = models.ForeignKey(Cycle, models.PROTECT, related_name="adoptions")
    reading = models.ForeignKey(Reading, models.PROTECT, related_name="adoptions")
    adopted_at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=200)
    why = models.CharField(max_length=300)
    receipt = models.CharField(max_length=20, unique=True, help_text="the number told to the customer")
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["register", "cycle"],
                condition=Q(superseded_at__isnull=True),
                name="one_adoption_stands",
            ),
        ]


class Review(models.Model):
    """A submission that a person must look at. Held by one person at a time; a claim that lapses frees it."""

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        CORRECTED = "corrected"
        ASKED_AGAIN = "asked_again"
        NOT_A_METER = "not_a_meter"

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="reviews")
    opened_at = models.DateTimeField(default=timezone.now)
    why = models.CharField(max_length=300)
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=15, choices=Outcome, blank=True)
    value = models.DecimalField(max_digits=12, decimal_places=3, null=True)

    class Meta:
        ordering = ["opened_at"]
        indexes = [
            models.Index(fields=["opened_at"], name="review_open", condition=Q(closed_at__isnull=True))
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["submission"], condition=Q(closed_at__isnull=True), name="one_open_review"
            ),
        ]
