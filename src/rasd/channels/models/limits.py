from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import models, transaction
from django.db.models import Q

from rasd.channels.models.lines import Line
from rasd.ledger.models import actor_of, record


class LineLimit(models.Model):
    """A person, or everybody with a role, sees this line and those of his other limits, and nothing of the rest.

    Without any limit one sees all lines. Limits of a person and of his roles are added up: a role without one widens nothing.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="line_limits"
    )
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="line_limits")
    line = models.ForeignKey(Line, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, group__isnull=False)
                | Q(user__isnull=False, group__isnull=True),
                name="limit_of_a_person_or_a_role",
            ),
            models.UniqueConstraint(
                fields=["user", "group", "line"], nulls_distinct=False, name="limit_once"
            ),
        ]

    def __str__(self) -> str:
        return f"line_limit:{self.pk}"

    @classmethod
    def put(cls, whose: User | Group, lines: Iterable[Line], *, by: User, at: datetime) -> None:
        """``whose`` sees ``lines`` only; none: all. Nothing is recorded where nothing changes."""
        of: dict[str, Any] = {"user": whose} if isinstance(whose, User) else {"group": whose}
        with transaction.atomic():
            before, after = (
                set(cls.objects.filter(**of).values_list("line", flat=True)),
                {each.pk for each in lines},
            )
            if before == after:
                return
            cls.objects.filter(**of).exclude(line__in=after).delete()
            LineLimit.objects.bulk_create([LineLimit(line_id=each, **of) for each in sorted(after - before)])
            names = dict(Line.objects.values_list("pk", "name"))
            subject = actor_of(whose) if isinstance(whose, User) else f"role:{whose.name}"
            facts = {
                "from": sorted(names[each] for each in before),
                "to": sorted(names[each] for each in after),
            }
            record(actor_of(by), "access.lines", subject, at=at, facts=facts)


def limits_of_all() -> dict[int, frozenset[int]]:
    """User → the lines that he sees, of everybody who is limited to some; as :func:`lines_of`, of all in one question."""
    found: dict[int, set[int]] = defaultdict(set)
    limited = User.objects.filter(is_superuser=False)
    own = limited.filter(line_limits__isnull=False).values_list("pk", "line_limits__line")
    of_roles = limited.filter(groups__line_limits__isnull=False).values_list(
        "pk", "groups__line_limits__line"
    )
    for user, line in own.union(of_roles):
        found[user].add(line)
    return {user: frozenset(lines) for user, lines in found.items()}


def lines_of(user: Any) -> frozenset[int] | None:
    """Primary keys of the lines that ``user`` sees; None: all. Asked once for each user that was fetched."""
    if user.is_superuser:
        return None
    # As an attribute of the user himself, not of the request's lazy stand-in for him: each would be asked for alone.
    known: frozenset[int] | None = getattr(user, "_lines_seen", None)
    if known is None:
        his = LineLimit.objects.filter(Q(user=user) | Q(group__user=user))
        known = frozenset(his.values_list("line", flat=True))
        know_lines_of(user, known)
    return known or None


def know_lines_of(user: Any, lines: frozenset[int]) -> None:
    """For who has asked already; empty: no limit."""
    user._lines_seen = lines
