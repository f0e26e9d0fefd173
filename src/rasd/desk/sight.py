"""Who sees what: everything of the lines to which a person is not limited (:class:`rasd.channels.models.LineLimit`).

Each list, count and search begins with :func:`seen`; what it leaves out is, for that person, not there.
"""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from rasd.channels.models import Media, limits_of_all, lines_of
from rasd.desk.models import Breach, Case, Contact, Conversation, HeldAnswer, Message, Notice, Obligation

T = TypeVar("T", bound=Model)
Lines = frozenset[int]


def seen(rows: QuerySet[T], user: Any) -> QuerySet[T]:
    """Of ``rows`` those that ``user`` may see: conversations, cases, obligations and what hangs on them.

    A case without a conversation belongs to the lines on which its customer has written.

    Raises:
        KeyError: rows of which nobody has said yet to which line they belong.
    """
    lines = lines_of(user)
    return rows if lines is None else rows.filter(WHERE[rows.model](lines))


def not_seeing(lines: Collection[int]) -> set[int]:
    """Primary keys of the users who see none of ``lines``, and so are to be given nothing of them."""
    return {user for user, his in limits_of_all().items() if his.isdisjoint(lines)}


def lines_of_case(case: Case) -> set[int]:
    """To which it belongs: its conversation's; without one, those on which its customer has written."""
    if case.conversation:
        return {case.conversation.line_id}
    return set(Conversation.objects.filter(contact=case.contact_id).values_list("line", flat=True))


def _written_on(lines: Lines, contact: str) -> Exists:
    return Exists(Conversation.objects.filter(contact=OuterRef(contact), line__in=lines))


def _of_case(lines: Lines, prefix: str = "") -> Q:
    contact = _written_on(lines, f"{prefix}contact")
    return Q(**{f"{prefix}conversation__line__in": lines}) | (
        Q(**{f"{prefix}conversation": None}) & Q(contact)
    )


def _of_either(lines: Lines) -> Q:
    return Q(conversation__line__in=lines) | (
        Q(conversation=None, case__isnull=False) & _of_case(lines, "case__")
    )


WHERE: dict[type[Model], Callable[[Lines], Q]] = {
    Conversation: lambda lines: Q(line__in=lines),
    Message: lambda lines: Q(conversation__line__in=lines),
    HeldAnswer: lambda lines: Q(conversation__line__in=lines),
    Contact: lambda lines: Q(_written_on(lines, "pk")),
    Case: _of_case,
    Obligation: _of_either,
    Breach: _of_either,
    Media: lambda lines: Q(incoming__line__in=lines),
    Notice: lambda lines: (
        _of_either(lines)
        | Q(obligation__conversation__line__in=lines)
        | (Q(obligation__case__isnull=False) & _of_case(lines, "obligation__case__"))
        | Q(conversation=None, case=None, obligation=None)
    ),
}
