"""Finding conversations by what was said in them, by whose they are, and by number.

What makes words comparable lies in the database (migration ``0002_plain``): the functions ``desk_words``, ``desk_query`` and
``desk_marked``, so that what is stored and what is asked cannot differ.
"""

import re
import unicodedata
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVectorField
from django.db import connection
from django.db.models import (
    BooleanField,
    Case,
    F,
    FloatField,
    Func,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from rasd.channels.models import Address
from rasd.desk.models import Contact, Conversation, Message

NEWEST = 300
"""Messages, and as many people and numbers, that are ranked: of a word that everybody uses the newest, not all."""

NEARBY = 30_000
"""The newest so many messages are looked through one by one: of a word that many use enough stand there, and of any other the
index names all at once. To have it name millions and sort them takes seconds, and so does looking for three of them through eight
million; which of the two it is, PostgreSQL cannot know of a word that is only begun."""

ENOUGH = 50
"""Hits nearby that make a word one that many use."""

LONGEST = 200
"""Characters of what is looked for; more is no search."""

SHOWN = 160
"""Characters of an excerpt."""

BEFORE = 40
"""Of these, how many before the first hit."""

NAMED = 1.0
"""What a hit in the name or the number counts more than any in a message, whose rank is below 1."""

HIT = re.compile("\x02([^\x03]*)\x03")


def search(text: str, within: QuerySet[Conversation] | None = None) -> QuerySet[Conversation]:
    """Conversations in one message of which all words of ``text`` stand, or whose person's name or number has them.

    The last word may be only begun. Best first: name or number, then rank, then the newest. Each has an ``excerpt``: the best
    message around its first hit, safe HTML with the hits in ``<mark>``; empty where only name or number was found.

    Args:
        within: look among these only. A filter put on the result comes too late: of a word that many use only the newest
            ``NEWEST`` messages are ranked, at most.
    """
    strictly, loosely = _asked(text[:LONGEST].replace("\0", " "))
    found = _found(strictly, within)
    # With و ف ب ل ك taken off what was typed, only where nothing else is found: "بطاقة" is not "in power".
    return found if loosely == strictly or found.exists() else _found(loosely, within)


def _asked(text: str) -> tuple[str, str]:
    """What is looked for as a tsquery, strictly and loosely; worked out once, as it stands in a dozen places of the query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT desk_query(%s, false)::text, desk_query(%s, true)::text", [text, text])
        strictly, loosely = cursor.fetchone()
    return strictly or "", loosely or ""


def _found(tsquery: str, within: QuerySet[Conversation] | None) -> QuerySet[Conversation]:
    asked = _Asked(tsquery)
    said = Message.objects.all()
    if within is not None:
        said = said.filter(conversation__in=within.order_by().values("pk"))
    called = _having("name", asked, Contact.objects.all()).values_list(Coalesce("merged_into", "pk"))[:NEWEST]
    numbered = _having("phone", asked, Address.objects.all()).values_list("pk")[:NEWEST]
    people, numbers = ([pk for (pk,) in each] for each in (called, numbered))
    known = Conversation.objects.order_by("-last_message_at").values_list("pk", flat=True)
    # Lists, not queries within a query: how many each finds PostgreSQL would guess, and guesses by a thousand too many.
    found = {
        *_newest(said, asked),
        *known.filter(contact__in=people)[:NEWEST],
        *known.filter(address__in=numbers)[:NEWEST],
    }
    rows = Conversation.objects.filter(pk__in=found)
    if within is not None:
        rows = rows.filter(pk__in=within.order_by().values("pk"))
    best = (
        Message.objects.filter(conversation=OuterRef("pk"), search=asked)
        .annotate(rank=SearchRank(F("search"), asked, normalization=Value(1)))
        .order_by("-rank", "-pk")
    )
    rank = Coalesce(Subquery(best.values("rank")[:1]), 0.0, output_field=FloatField())
    named = Case(
        When(contact__in=people, then=Value(NAMED)),
        When(address__in=numbers, then=Value(NAMED)),
        default=Value(0.0),
    )
    return rows.annotate(
        rank=rank + named,
        excerpt=_Excerpt(Subquery(best.values("words")[:1]), asked),
    ).order_by("-rank", "-last_message_at")


def _newest(said: QuerySet[Message], asked: "_Asked") -> list[int]:
    """Conversations in which the newest of ``said`` stand that have the words; where many are nearby, of those alone."""
    last = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    nearby = said.filter(_OneByOne(F("search"), asked), pk__gt=last - NEARBY).order_by("-pk")
    found = list(nearby.values_list("conversation_id", flat=True)[:NEWEST])
    if len(found) >= ENOUGH:
        return found
    named = said.filter(search=asked).order_by(
        (F("pk") + 0).desc()
    )  # + 0: not by the key's own index, see NEARBY
    return list(named.values_list("conversation_id", flat=True)[:NEWEST])


class _Asked(SearchQuery):
    """A tsquery that is one already."""

    template = "%(expressions)s::tsquery"


class _OneByOne(Func):
    """Whether it has the words, as no index can say it: for so few that looking at each is quicker."""

    template = "(%(expressions)s) IS TRUE"
    arg_joiner = " @@ "
    output_field = BooleanField()


def _having(field: str, asked: _Asked, rows: QuerySet[Any]) -> QuerySet[Any]:
    words = Func(F(field), function="desk_words", output_field=SearchVectorField())
    found: QuerySet[Any] = rows.alias(words_of_it=words).filter(words_of_it=asked)
    return found


class _MarkedField(TextField):  # type: ignore[type-arg]
    def from_db_value(self, value: str | None, *_: Any) -> SafeString:
        return excerpt(value or "")


class _Excerpt(Func):
    function = "desk_marked"
    output_field = _MarkedField()


def excerpt(marked: str) -> SafeString:
    """What stands around the first hit, as HTML; ``marked`` is a text with its hits between U+0002 and U+0003."""
    text = HIT.sub(lambda hit: _bare_mark(hit[1]), " ".join(marked.split(" ")))
    first = max(text.find("\x02"), 0)
    begin = text.rfind(" ", 0, max(first - BEFORE, 0)) + 1 if first > BEFORE else 0
    end = (
        len(text)
        if len(text) - begin <= SHOWN
        else max(text.rfind(" ", begin, begin + SHOWN), begin + BEFORE)
    )
    shown = text[begin:end]
    if shown.rfind("\x02") > shown.rfind("\x03"):  # cut off within a hit
        shown += "\x03"
    html = HIT.sub(r"<mark>\1</mark>", str(escape(shown))).replace("\x02", "").replace("\x03", "")
    return mark_safe(f"{'… ' if begin else ''}{html}{' …' if end < len(text) else ''}")  # noqa: S308 (escaped above)


def _bare_mark(word: str) -> str:
    """The mark without the punctuation around the word."""
    inner = word
    while inner and unicodedata.category(inner[0])[0] in "PS":
        inner = inner[1:]
    before = word[: len(word) - len(inner)]
    while inner and unicodedata.category(inner[-1])[0] in "PS":
        inner = inner[:-1]
    after = word[len(before) + len(inner) :]
    return f"{before}\x02{inner}\x03{after}" if inner else word
