"""Least privilege by line, in one place for all pages: :class:`OnlyHisLines` closes pages that show every line at once to who is
limited to some, :func:`may_open` every address of one thing of another line; lists begin with :func:`rasd.desk.sight.seen`."""

from collections.abc import Callable, Collection
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from rasd.channels.models import Media, lines_of
from rasd.console import roles
from rasd.desk.models import Breach, Case, Contact, Conversation, Notice, Obligation
from rasd.desk.sight import seen
from rasd.ledger.models import Entry
from rasd.metering.models import Review, Submission

OF_ALL_LINES = frozenset(
    {
        roles.CYCLE,
        roles.COMPARISONS,
        roles.TROUBLES,
        roles.TEAM,
        roles.ACCOUNTS,
        roles.STANDARDS,
        roles.EXPORT_PERSON,
        roles.ERASE_PERSON,
    }
)
"""What opens a page on which all lines stand together: nobody who is limited to some has it, whatever his roles say."""


class OnlyHisLines:
    """The first of the authentication backends: it logs nobody in, and takes :data:`OF_ALL_LINES` from who is limited."""

    def authenticate(self, request: Any, **credentials: Any) -> None:
        return None

    def has_perm(self, user: Any, permission: str, obj: Any = None) -> bool:
        if permission in OF_ALL_LINES and user.is_active and lines_of(user) is not None:
            raise PermissionDenied
        return False

    async def ahas_perm(self, user: Any, permission: str, obj: Any = None) -> bool:
        return await sync_to_async(self.has_perm)(user, permission, obj)


def who_may(
    permissions: Collection[str], people: Collection[User], limited: Collection[int]
) -> dict[str, set[int]]:
    """Permission → those of ``people`` whom ``has_perm`` would let, found at once.

    Args:
        limited: those who do not see all lines.
    """
    active = {each.pk for each in people if each.is_active}
    which = Q(pk=None)
    for permission in permissions:
        app, _dot, codename = permission.partition(".")
        which |= Q(content_type__app_label=app, codename=codename)
    names = ("content_type__app_label", "codename")
    given = Permission.objects.filter(which).order_by()
    of_roles = given.filter(group__user__in=active).values_list(*names, "group__user")
    own = given.filter(user__in=active).values_list(*names, "user")
    superusers = {each.pk for each in people if each.is_superuser} & active
    found = {permission: set(superusers) for permission in permissions}
    for app, codename, user in of_roles.union(own):
        found[f"{app}.{codename}"].add(user)
    for permission in OF_ALL_LINES & found.keys():
        found[permission].difference_update(limited)
    return found


def of_his_lines(submissions: QuerySet[Submission], user: Any) -> QuerySet[Submission]:
    """Those that came in conversations that ``user`` sees."""
    lines = lines_of(user)
    if lines is None:
        return submissions
    his = Conversation.objects.filter(line__in=lines)
    return submissions.filter(
        conversation__in=his.values_list(Concat(Value("conversation:"), Cast("pk", CharField())))
    )


def reviews_of_his_lines(user: Any, **which: Any) -> QuerySet[Review]:
    rows = Review.objects.filter(**which)
    if lines_of(user) is None:
        return rows
    return rows.filter(submission__in=of_his_lines(Submission.objects.all(), user))


def _pictures(user: Any, sha256: str) -> bool:
    submissions = of_his_lines(Submission.objects.filter(photographs__sha256=sha256), user)
    return submissions.exists() or seen(Media.objects.filter(sha256=sha256), user).exists()


def _entry(user: Any, number: int) -> bool:
    subject = Entry.objects.filter(number=number).values_list("subject", flat=True).first() or ""
    kind, _colon, pk = subject.partition(":")
    return kind == "obligation" and seen(Obligation.objects.filter(pk=int(pk)), user).exists()


ADDRESSES: dict[str, Callable[..., bool]] = {
    "conversations/<int:pk>": lambda user, pk, **_: seen(Conversation.objects.filter(pk=pk), user).exists(),
    "cases/<int:pk>": lambda user, pk, **_: seen(Case.objects.filter(pk=pk), user).exists(),
    "review/<int:pk>": lambda user, pk, **_: reviews_of_his_lines(user, pk=pk).exists(),
    "^photograph/": lambda user, sha256, **_: _pictures(user, sha256),
    "^counter/": lambda user, sha256, **_: _pictures(user, sha256),
    "^document/": lambda user, sha256, **_: seen(Media.objects.filter(sha256=sha256), user).exists(),
    "notices/<int:pk>": lambda user, pk, **_: seen(Notice.objects.filter(pk=pk), user).exists(),
    "accountability/obligations/": lambda user, pk, **_: seen(
        Obligation.objects.filter(pk=pk), user
    ).exists(),
    "accountability/entries/": lambda user, number, **_: _entry(user, number),
    "standards/breaches/": lambda user, pk, **_: seen(Breach.objects.filter(pk=pk), user).exists(),
}
"""How the addresses of one thing begin, and whether a person sees that thing."""


def may_open(user: Any, route: str, found: dict[str, Any]) -> bool:
    """Whether ``user`` sees what stands at an address; ``route`` and ``found`` as Django resolved it."""
    if lines_of(user) is None:
        return True
    if "other" in found and not seen(Contact.objects.filter(pk=found["other"]), user).exists():
        return False
    ask = next((ask for begins, ask in ADDRESSES.items() if route.startswith(begins)), None)
    return ask is None or ask(user, **found)


def may_hear(user: Any, topics: frozenset[str]) -> bool:
    """Whether all of the live ``topics`` are of what ``user`` sees; they carry no content, but that something happened."""
    if lines_of(user) is None:
        return True
    for topic in topics:
        kind, _colon, pk = topic.partition(":")
        rows: dict[str, QuerySet[Any]] = {
            "conversation": Conversation.objects.all(),
            "case": Case.objects.all(),
        }
        if kind in rows and not (pk.isdecimal() and seen(rows[kind].filter(Q(pk=pk)), user).exists()):
            return False
    return True
