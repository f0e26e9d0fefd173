"""How a case begins: a method of :class:`Case`, kept apart as it is one concern."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from rasd.desk import signals
from rasd.desk.models import case_work
from rasd.desk.models.case_kinds import CaseKind
from rasd.desk.models.case_records import TITLE_MAX, CaseEntry
from rasd.desk.models.contacts import Contact
from rasd.desk.models.conversations import Conversation, Message

if TYPE_CHECKING:
    from rasd.desk.models.cases import Case

REPEATS_WITHIN = timedelta(days=7)
"""After its closing, in which the same matter again counts against "solved"."""


def open_case(
    cls: type["Case"],
    kind: CaseKind | str,
    title: str,
    *,
    at: datetime,
    actor: str,
    origin: str,
    conversation: Conversation | None = None,
    contact: Contact | None = None,
    service_point: str = "",
    text: str = "",
    message: Message | None = None,
    key: str | None = None,
) -> "Case":
    """A new case, whose work is owed from ``at`` on by its kind's queue, and whose page is told to the customer.

    Args:
        kind: a kind, or its code.
        title: the customer sees it.
        text: more about it. The customer sees it where he opened it (``origin``); of others it is a note.
        message: what it grew from, where it is one message.
        key: what makes it this case: a second call with the same key gives the same one.

    Raises:
        ValueError: the title is empty or too long.
    """
    title = " ".join(title.split())
    if not 0 < len(title) <= TITLE_MAX:
        raise ValueError(
            f"title: 1 to {TITLE_MAX} characters, not {len(title)}: say in a few words what it is about"
        )
    by_customer = origin == cls.Origin.CUSTOMER
    kind = CaseKind.called(kind) if isinstance(kind, str) else kind
    if conversation is not None:
        contact = contact or conversation.contact
    with transaction.atomic():
        if conversation is not None:
            Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
        if key and (known := CaseEntry.objects.filter(key=key).first()):
            return known.case
        number = _next_number(cls)
        case = cls.objects.create(
            pk=number,
            reference=f"{timezone.localtime(at):%y}-{number:06}",
            title=title,
            kind=kind,
            contact=contact,
            conversation=conversation,
            service_point=service_point,
            language=conversation.language if conversation else settings.LANGUAGE_CODE,
            origin=origin,
            opened_at=at,
            repeats=_closed_lately(cls, kind, contact, service_point, at),
        )
        case_work.begin(case, at=at, actor=actor)
        case._write(
            CaseEntry.Kind.OPENED,
            at=at,
            actor=actor,
            text=text if by_customer else "",
            public=True,
            stage=cls.Stage.OPEN,
            message=message,
            key=key,
            facts={"kind": kind.code, "origin": str(origin), "repeats": case.repeats_id},
        )
        if text and not by_customer:
            case._write(CaseEntry.Kind.NOTE, at=at, actor=actor, text=text, public=False)
        signals.case_opened.send(sender=cls, case=case, message=message)
        return case


def _next_number(cls: type["Case"]) -> int:
    """Of the table's own sequence, so that two cases opened at once never have the same reference."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [cls._meta.db_table])
        return int(cursor.fetchone()[0])


def _closed_lately(
    cls: type["Case"], kind: CaseKind, contact: Contact | None, service_point: str, at: datetime
) -> "Case | None":
    """The same matter, of the same person or the same service point, that was closed a short while before."""
    theirs = Q()
    if contact is not None:
        theirs |= Q(contact=contact)
    if service_point:
        theirs |= Q(service_point=service_point)
    if not theirs:
        return None
    lately = cls.objects.filter(theirs, kind=kind, stage=cls.Stage.CLOSED, closed_at__gt=at - REPEATS_WITHIN)
    return lately.order_by("-closed_at").first()
