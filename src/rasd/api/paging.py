"""Lists, page by page: the next begins where this one ended, whatever was added meanwhile. Nothing is ever counted."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from django.db.models import Model, QuerySet
from ninja import Query, Schema
from pydantic import Field

from rasd.api.calling import BIGGEST
from rasd.api.problems import Problem

MOST, USUAL = 100, 50

Cursor = Annotated[
    str,
    Query(
        max_length=200,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="`next` of the page before; empty: from the start",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="how many at most")]

Row = TypeVar("Row", bound=Model)


class Page(Schema):
    next: str | None = Field(description="`cursor` of the page after this one; null: there is none")


@dataclass(frozen=True)
class Order:
    """By a moment, and by primary key among those of the same moment; both falling where ``newest_first``."""

    by: str
    newest_first: bool = False

    def page(self, rows: QuerySet[Row], cursor: str, limit: int) -> tuple[list[Row], str | None]:
        """The rows after ``cursor``, and the cursor of the page after them.

        Raises:
            Problem: 422, the cursor is none of ours.
        """
        sign, beyond = ("-", "lt") if self.newest_first else ("", "gt")
        rows = rows.order_by(f"{sign}{self.by}", f"{sign}pk")
        if cursor:
            at, last = _read(cursor)
            # The first condition alone lets an index be used; the second tells those of the same moment apart.
            rows = rows.filter(**{f"{self.by}__{beyond}e": at})
            rows = rows.exclude(**{self.by: at, f"pk__{'gte' if self.newest_first else 'lte'}": last})
        found = list(rows[: limit + 1])
        if len(found) <= limit:
            return found, None
        end = found[limit - 1]
        return found[:limit], _write(getattr(end, self.by), end.pk)


def _write(at: datetime, pk: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), pk]).encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, int]:
    try:
        at, last = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(last, int) or not 0 <= last <= BIGGEST:
            raise ValueError(cursor)
    except (ValueError, TypeError, RecursionError) as error:
        words = "it is none that was given out here: take `next` of the page before, or leave it out"
        raise Problem(422, "invalid", words, where="query", field="cursor") from error
    return moment, last
