"""The month on paper: its pictures and their numbers as a PDF, set by Typst (docs/decisions/0019-paper.md).

Nothing is fetched: the page is ``month_report.typ`` beside this file, the letters lie in ``fonts/``.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rasd.console import month_charts
from rasd.metering.models import Cycle
from rasd.metering.pictures import Day, Disagreement, District, Month

if TYPE_CHECKING:
    from rasd.console.views.month_pictures import Picture

HERE = Path(__file__).parent
SET = HERE / "month_report.typ"


def pdf(cycle: Cycle, found: Sequence[tuple[Picture, Sequence[Any]]], *, at: datetime) -> bytes:
    """In the active language. ``found``: each picture with its rows."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / SET.name).write_text(SET.read_text())
        parts = []
        for picture, rows in found:
            part = {
                "title": str(picture.title),
                "about": str(picture.about),
                "picture": "",
                "table": table(rows),
            }
            if rows:
                part["picture"] = f"{picture.name}.svg"
                drawn = month_charts.svg(
                    picture.spec(rows, month_charts.WIDE, month_charts.ON_PAPER), month_charts.ON_PAPER
                )
                (home / f"{picture.name}.svg").write_text(drawn)
            parts.append(part)
        (home / "month.json").write_text(json.dumps(_words(cycle, at) | {"parts": parts}))
        made: bytes = typst.compile(
            str(home / SET.name),
            root=str(home),
            font_paths=[str(month_charts.FONTS)],
            ignore_system_fonts=True,
        )
        return made


def _words(cycle: Cycle, at: datetime) -> dict[str, Any]:
    opens, closes = (date_format(day, "j F Y") for day in (cycle.window_opens, cycle.window_closes))
    return {
        "language": (get_language() or "ar")[:2],
        "title": _("The reading month %(month)s") % {"month": f"\u2066{cycle.name}\u2069"},
        "window": _("Customers read from %(opens)s to %(closes)s.") % {"opens": opens, "closes": closes},
        "state": _("Closed on %(day)s.") % {"day": date_format(localtime(cycle.closed_at), "j F Y")}
        if cycle.closed_at
        else _("Not closed yet."),
        "made": _("Made on %(moment)s") % {"moment": date_format(localtime(at), "j F Y, H:i")},
        "none": _("Nothing to show yet."),
        "page": _("page"),
    }


def table(rows: Sequence[Any]) -> list[list[str]]:
    """Head and lines, in words."""
    if not rows:
        return []
    if isinstance(rows[0], Day):
        head = [_("Day"), _("this month"), _("last month")]
        return [
            head,
            *([date_format(one.day, "j F"), _percent(one.this), _percent(one.last)] for one in rows),
        ]
    if isinstance(rows[0], Month):
        head = [_("Month"), _("Registers billed"), _("on estimates"), _("Share")]
        return [
            head,
            *([one.name, f"{one.registers:,}", f"{one.estimated:,}", f"{one.share:.1%}"] for one in rows),
        ]
    if isinstance(rows[0], District):
        head = [_("District"), _("Service points"), _("Read"), _("Share")]
        return [head, *([one.name, f"{one.points:,}", f"{one.read:,}", f"{one.share:.1%}"] for one in rows)]
    if isinstance(rows[0], Disagreement):
        head = [
            _("Meter reader"),
            _("Compared"),
            _("Differ"),
            _("Share, with its interval"),
            _("all others together"),
        ]
        return [
            head,
            *(
                [
                    one.reader,
                    f"{one.of:,}",
                    f"{one.found:,}",
                    f"\u2066{one.share:.1%} ({one.low:.1%} – {one.high:.1%})\u2069",
                    _percent(one.others),
                ]
                for one in rows
            ),
        ]
    raise TypeError(f"no table is known of {type(rows[0]).__name__}")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
