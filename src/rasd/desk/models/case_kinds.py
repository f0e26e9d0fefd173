from datetime import timedelta

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from rasd.desk.models.queues import Matter, Queue

USUAL: dict[str, tuple[str, str, Matter, timedelta]] = {
    "complaint": ("شكوى", "Complaint", Matter.COMPLAINT, timedelta(hours=24)),
    "visit": ("شكوى من زيارة", "Complaint about a visit", Matter.COMPLAINT, timedelta(hours=24)),
    "reading": ("قراءة معترض عليها", "Disputed reading", Matter.READING, timedelta(hours=24)),
    "meter": ("خلل في العداد", "Meter trouble", Matter.REQUEST, timedelta(hours=40)),
    "bill": ("استفسار عن فاتورة", "Bill enquiry", Matter.ENQUIRY, timedelta(hours=16)),
    "other": ("أمر آخر", "Other", Matter.REQUEST, timedelta(hours=24)),
}
"""Code → Arabic name, English name, matter, working time to settle: two to five days of eight hours, to be changed by
the utility (a queue without a calendar counts day and night)."""


class CaseKind(models.Model):
    """What may become a case: a complaint about a visit, a meter that nobody reaches …"""

    code = models.SlugField(unique=True)
    name_ar = models.CharField(_("name in Arabic"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100)
    matter = models.CharField(max_length=20, choices=Matter)
    queue = models.ForeignKey(Queue, models.PROTECT, related_name="+")
    settle_within = models.DurationField(_("settle within"), help_text=_("of working time"))

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the reader's language."""
        return self.name_ar if (get_language() or "ar").startswith("ar") else self.name_en

    @classmethod
    def usual(cls) -> models.QuerySet["CaseKind"]:
        """All kinds there are; the usual ones are made where there is none at all."""
        if not cls.objects.exists():
            queue = Queue.standing(Queue.Purpose.FIRST_LINE)  # people serve it from the first day
            for code, (name_ar, name_en, matter, within) in USUAL.items():
                cls.objects.get_or_create(
                    code=code,
                    defaults={
                        "name_ar": name_ar,
                        "name_en": name_en,
                        "matter": matter,
                        "queue": queue,
                        "settle_within": within,
                    },
                )
        return cls.objects.select_related("queue")

    @classmethod
    def called(cls, code: str) -> "CaseKind":
        """The kind of that code, or "other" where the utility has taken it away.

        Raises:
            CaseKind.DoesNotExist: neither is there.
        """
        kinds = cls.usual()
        return kinds.filter(code=code).first() or kinds.get(code="other")
