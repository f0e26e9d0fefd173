"""How much waits, for the numbers beside the pages' names."""

from datetime import datetime

from django.contrib.auth.models import User
from django.core.cache import cache

from rasd.console import troubles as troubles_
from rasd.console.sight import reviews_of_his_lines
from rasd.desk.models import Obligation
from rasd.desk.sight import seen

TROUBLES = "console.waiting.troubles"
REMEMBERED = 5.0  # seconds, of what is the same for many; the stream tells who stays on the page sooner


def reviews(at: datetime, user: User) -> int:
    return reviews_of_his_lines(user, closed_at=None).count()


def owed(at: datetime, user: User) -> int:
    """Answers and promises; the work of a case is counted with the cases."""
    owed = seen(Obligation.objects.filter(discharged_at=None), user)
    return owed.exclude(kind=Obligation.Kind.WORK).count()


def late_cases(at: datetime, user: User) -> int:
    work = seen(Obligation.objects.filter(kind=Obligation.Kind.WORK, discharged_at=None), user)
    return work.filter(running_since__isnull=False, due_at__lt=at).count()


def troubles(at: datetime, user: User) -> int:
    """The same for everybody, and counted once in a few seconds: it goes through all shifts, and stands on every page."""
    found = cache.get(TROUBLES)
    if found is None:
        found = troubles_.count(at)
        cache.set(TROUBLES, found, REMEMBERED)
    return int(found)
