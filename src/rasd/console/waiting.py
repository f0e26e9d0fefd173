"""How much waits, for the numbers beside the pages' names."""

from datetime import datetime

from rasd.console import troubles as troubles_
from rasd.desk.models import Obligation
from rasd.metering.models import Review


def reviews(at: datetime) -> int:
    return Review.objects.filter(closed_at=None).count()


def owed(at: datetime) -> int:
    """Answers and promises; the work of a case is counted with the cases."""
    return Obligation.objects.filter(discharged_at=None).exclude(kind=Obligation.Kind.WORK).count()


def late_cases(at: datetime) -> int:
    work = Obligation.objects.filter(kind=Obligation.Kind.WORK, discharged_at=None)
    return work.filter(running_since__isnull=False, due_at__lt=at).count()


def troubles(at: datetime) -> int:
    return troubles_.count(at)
