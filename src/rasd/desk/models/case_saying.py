"""What staff say to the customer in a case, wherever they write it: methods of :class:`Case`, kept apart as they are one concern.

What is said in its conversation is shown in the case, as what the customer writes there is: whoever reads the case, the customer
on its page too, reads all of it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import models
from django.utils import translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from rasd.channels.rules import TEMPLATE_TEXT_MAX
from rasd.desk.errors import AnsweredMeanwhile, AnswerHeld
from rasd.desk.models import case_work
from rasd.desk.models.case_records import CaseEntry
from rasd.desk.models.conversations import Conversation, Message
from rasd.ledger.models import actor_of

if TYPE_CHECKING:
    from rasd.desk.models.cases import Case

IN_A_CASE = "case-reply"


def say(
    case: "Case",
    text: str,
    *,
    author: User,
    key: str,
    at: datetime,
    seen: int | None = None,
    keeps: Collection[int] = (),
) -> CaseEntry:
    """To the customer: on the page, and in the conversation where there is one. Once for each ``key``.

    It answers what he wrote on either.

    Args:
        seen: the primary key of the last line of its history that the author's page showed.
        keeps: the promises that it keeps, as :meth:`Conversation.reply`.

    Raises:
        ValueError: it is empty.
        AnswerHeld: somebody else has the conversation, or has answered after what the author saw.
        AnsweredMeanwhile: so it is, and there is no conversation in which it could be held.
    """
    with case._held():
        if known := case._written(key):
            return known
        text = case_work.said(text)
        quicker = said_meanwhile(case, author, seen).first()
        if case.conversation is None:
            if quicker and quicker.author:
                raise AnsweredMeanwhile(quicker.author, quicker.at)
            return _write(case, text, author, message=None, key=key, at=at)
        last = quicker.message_id - 1 if quicker and quicker.message_id else None
        try:
            message = case.conversation.reply(
                text, author=author, key=key, at=at, seen=last, keeps=keeps, case=case
            )
        except AnswerHeld as error:  # what was typed is kept as a held answer, which must not be rolled back
            held = error
        else:
            return case.entries.get(message=message)
    raise held


def said_meanwhile(case: "Case", author: User, seen: int | None) -> models.QuerySet[CaseEntry]:
    """What colleagues said to the customer in it after ``author`` last looked, the first of it first."""
    if seen is None:
        return case.entries.none()
    said = case.entries.filter(pk__gt=seen, kind__in=[CaseEntry.Kind.SAID, CaseEntry.Kind.CLOSING])
    return said.exclude(author=None).exclude(author=author).select_related("author").order_by("pk")


def entry_key(case: "Case", key: str) -> str:
    """Of what staff write in it under ``key``, which their page chose: it names no line of another case."""
    return f"{case.pk}:{key}"


def reply_key(case: "Case", key: str) -> str:
    """Of a reply that is written in the case. What a page chose stands at its end, where it can name no other case: the keys of
    all other replies begin otherwise."""
    return f"{IN_A_CASE}:{case.pk}:{key}"


def of_reply(cls: type["Case"], conversation: Conversation, key: str) -> list["Case"]:
    """The cases in which a reply in ``conversation`` is shown, locked: its open ones, and the one that it was written in, of
    which its ``key`` tells: held since then, that one may be closed by now, or go on in a newer conversation."""
    number, _key = _written_in(key)
    shown = conversation.cases.open().select_for_update(no_key=True).order_by("pk")
    found = list(shown)
    if number is not None and all(case.pk != number for case in found):
        found += cls.objects.select_for_update(no_key=True).filter(pk=number)
    return found


def show_reply(case: "Case", message: Message, key: str) -> None:
    """An employee answered in its conversation: a line of its history. Written in the case itself, it also answers what the
    customer wrote on the page: its author had that before him."""
    if message.author is None:
        raise ValueError(f"{message} has no author: what the machine says is not shown in cases")
    number, own_key = _written_in(key)
    if number == case.pk:
        _write(case, message.words, message.author, message=message, key=own_key, at=message.at)
    else:
        _write_line(case, message.words, message.author, message=message, key=None, at=message.at)


def in_short(case: "Case", text: str) -> str:
    """What goes in place of ``text`` where the channel takes only a template and ``text`` is too long for one: its beginning, and
    where the whole stands. Empty where all of it fits, or where the customer could not be shown the whole."""
    flat = " · ".join(
        line.strip() for line in text.splitlines() if line.strip()
    )  # templates take no line breaks
    if len(flat) <= TEMPLATE_TEXT_MAX or not case.public_url:
        return ""
    with translation.override(case.language):
        whole = _("Read the whole answer here: %(address)s") % {"address": case.public_url}
    return f"{Truncator(flat).chars(TEMPLATE_TEXT_MAX - len(whole) - 1)} {whole}"


def _written_in(key: str) -> tuple[int | None, str]:
    """Of a reply's key as :func:`reply_key` makes it: the case that it was written in, and its key there."""
    kind, _colon, rest = key.partition(":")
    number, _colon, own_key = rest.partition(":")
    return (int(number), own_key) if kind == IN_A_CASE else (None, "")


def _write(
    case: "Case", text: str, author: User, *, message: Message | None, key: str, at: datetime
) -> CaseEntry:
    entry = _write_line(case, text, author, message=message, key=key, at=at)
    case._answered_on_the_page(at=at, actor=actor_of(author))
    return entry


def _write_line(
    case: "Case", text: str, author: User, *, message: Message | None, key: str | None, at: datetime
) -> CaseEntry:
    return case._write(
        CaseEntry.Kind.SAID,
        at=at,
        actor=actor_of(author),
        author=author,
        text=text,
        public=True,
        message=message,
        key=None if key is None else entry_key(case, key),
    )
