"""By whose leave a service is visited, as its page says it. Whether a visit may be paid is asked before each (``conduct.py``)."""

from dataclasses import dataclass
from datetime import datetime

from rasd.watch.models import Skip, Target
from rasd.watch.permission import NotAPermission, Statement
from rasd.watch.places import NotPlain, is_loopback, place


@dataclass(frozen=True)
class Leave:
    """``state``: home (on the watch's own machine), none, unreadable, not yet, valid, soon over or over."""

    state: str
    statement: Statement | None = None
    why: str = ""
    """Why it is unreadable; for the operator, in English."""
    refused: Skip | None = None
    """The last visit that was not paid for want of leave, where it was after the last one paid."""


def leave_of(target: Target, now: datetime) -> Leave:
    refused = _refused(target)
    try:
        if is_loopback(place(target.url)):
            return Leave("home", refused=refused)
        if (statement := target.statement) is None:
            return Leave("none", refused=refused)
    except (OSError, UnicodeDecodeError, NotAPermission, NotPlain) as error:
        return Leave("unreadable", why=str(error), refused=refused)
    if now < statement.begins:
        return Leave("not yet", statement, refused=refused)
    if statement.is_to_be_renewed(now):
        return Leave("soon over" if now < statement.ends else "over", statement, refused=refused)
    return Leave("valid", statement, refused=refused)


def _refused(target: Target) -> Skip | None:
    reasons = [Skip.Reason.PERMISSION, Skip.Reason.ROBOTS, Skip.Reason.UNREAD]
    last = Skip.objects.filter(visit__target=target, reason__in=reasons).order_by("-visit__due_at").first()
    if last is None or target.probes.filter(began_at__gt=last.visit.due_at).exists():
        return None
    return last
