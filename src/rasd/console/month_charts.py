"""The month's pictures as Vega-Lite (docs/decisions/0011-drawing.md): data in, a specification or an SVG out.

Colours are the style sheet's own where the SVG stands in a page, so that it is light or dark with it; of paper in print.
In Arabic time runs from right to left, and the scale stands at the right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rasd.metering.pictures import Day, Disagreement, District, Mark, Month

Spec = dict[str, Any]

WIDE, NARROW = 760, 320
"""Pixels. Of each picture there are both: shrunk to a telephone, the letters of the wide one could not be read."""

ON_PAGE = {
    "ink": "var(--ink)",
    "muted": "var(--muted)",
    "line": "var(--line)",
    "this": "var(--accent)",
    "good": "var(--good)",
    "warn": "var(--warn)",
    "bad": "var(--bad)",
    "paper": "var(--surface)",
}
ON_PAPER = {
    "ink": "#1a2530",
    "muted": "#56626d",
    "line": "#dedcd2",
    "this": "#0b6e6e",
    "good": "#17703f",
    "warn": "#8a5200",
    "bad": "#ad2318",
    "paper": "#ffffff",
}
BANDS = (("bad", 0.5), ("warn", 0.8), ("this", 1.01))
"""Colour of a district by the share that was read, up to which."""

FONT = "IBM Plex Sans Arabic"
FONTS = Path(__file__).parent / "fonts"
"""By which words are measured; a page shows them in its own letters, a report in these."""


def svg(spec: Spec, colours: Mapping[str, str] = ON_PAGE) -> str:
    import vl_convert

    vl_convert.register_font_directory(str(FONTS))
    drawn: str = vl_convert.vegalite_to_svg(_styled(spec, colours))
    return drawn


def _styled(spec: Spec, colours: Mapping[str, str]) -> Spec:
    text = {
        "labelColor": colours["muted"],
        "titleColor": colours["muted"],
        "labelFontSize": 12,
        "titleFontSize": 12,
    }
    axis = {
        "gridColor": colours["line"],
        "domainColor": colours["line"],
        "tickColor": colours["line"],
        "titleFontWeight": "normal",
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": None,
        "padding": 6,
        **spec,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {**axis, **text},
            "legend": {
                **text,
                "orient": "top",
                "title": None,
                "symbolStrokeWidth": 3,
                "symbolSize": 180,
                "labelLimit": NARROW,
                "layout": {"top": {"anchor": "end" if _arabic() else "start"}},
            },
            "text": {"color": colours["ink"], "fontSize": 13},
        },
    }


def _arabic() -> bool:
    return (get_language() or "").startswith("ar")


def _time(**axis: Any) -> Spec:
    """A scale on which time runs as the page is read."""
    scale = {"nice": False, "zero": False, "reverse": _arabic()}
    return {"scale": scale, "axis": {"title": None, "grid": False, **axis}}


def _dates(**axis: Any) -> Spec:
    return {"scale": {"reverse": _arabic()}, "axis": {"title": None, "grid": False, **axis}}


def _share(title: str | None = None, **scale: Any) -> Spec:
    return {
        "type": "quantitative",
        "scale": scale,
        "axis": {"title": title, "format": "%", "orient": "right" if _arabic() else "left", "tickCount": 4},
    }


def coverage(days: Sequence[Day], width: int, colours: Mapping[str, str] = ON_PAGE) -> Spec:
    """Two lines: this month's filling, and last month's behind it."""
    this, last = _("this month"), _("last month")
    rows = [
        {"n": one.number, "day": date_format(one.day, "j"), "share": share, "which": which}
        for one in days
        for which, share in ((this, one.this), (last, one.last))
        if share is not None
    ]
    names = {one.number: date_format(one.day, "j") for one in days}
    step = 1 if width == WIDE else 3
    label = "{" + ",".join(f"{n}:'{name}'" for n, name in names.items()) + "}[datum.value]"
    return {
        "width": width,
        "height": 220,
        "data": {"values": rows},
        "mark": {"type": "line", "interpolate": "linear", "strokeWidth": 3, "strokeCap": "round"},
        "encoding": {
            "x": {
                "field": "n",
                "type": "quantitative",
                **_time(values=list(names)[::step], labelExpr=label),
            },
            "y": {"field": "share", **_share(domain=[0, 1])},
            "color": {
                "field": "which",
                "type": "nominal",
                "scale": {"domain": [this, last], "range": [colours["this"], colours["muted"]]},
            },
            "strokeDash": {
                "field": "which",
                "type": "nominal",
                "scale": {"domain": [this, last], "range": [[1, 0], [5, 5]]},
            },
        },
    }


def bills_on_estimates(months: Sequence[Month], width: int, colours: Mapping[str, str] = ON_PAGE) -> Spec:
    """A bar a month with its number above."""
    rows: list[dict[str, Any]] = [
        {"n": place, "month": month_name(one.name), "share": one.share, "said": f"{one.share:.1%}"}
        for place, one in enumerate(months)
    ]
    few = width == NARROW and len(rows) > 7
    order: list[int] = [row["n"] for row in rows]
    label = "[" + ",".join(f"'{row['month']}'" for row in rows) + "][datum.value]"
    x = {
        "field": "n",
        "type": "ordinal",
        "sort": "descending" if _arabic() else "ascending",
        "axis": {
            "title": None,
            "labelExpr": label,
            "labelAngle": 0,
            "values": order[::-3][::-1] if few else order,
            "labelOverlap": True,
        },
    }
    y = {
        "field": "share",
        **_share(domainMax=max([0.05, *(row["share"] * 1.15 for row in rows)]), domainMin=0),
    }
    return {
        "width": width,
        "height": 200,
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar", "color": colours["this"], "cornerRadiusEnd": 3},
                "encoding": {"x": x, "y": y},
            },
            {
                "transform": [{"filter": "datum.n % 3 == " + str((len(rows) - 1) % 3)}] if few else [],
                "mark": {"type": "text", "dy": -8, "fontSize": 12, "color": colours["ink"]},
                "encoding": {"x": x, "y": y, "text": {"field": "said"}},
            },
        ],
    }


def districts(found: Sequence[District], width: int, colours: Mapping[str, str] = ON_PAGE) -> Spec:
    """A grid of tiles, the least read first: name, share, and how many points."""
    columns = 2 if width == NARROW else 6
    rows = []
    for place, one in enumerate(found):
        band = next(name for name, upto in BANDS if one.share < upto)
        column = place % columns
        rows.append(
            {
                "row": place // columns,
                "column": columns - 1 - column if _arabic() else column,
                "name": one.name,
                "share": f"{one.share:.0%}",
                "points": f"{one.read:,} / {one.points:,}",
                "band": colours[band],
            }
        )
    at = {
        "x": {
            "field": "column",
            "type": "ordinal",
            "axis": None,
            "scale": {"domain": list(range(columns)), "paddingInner": 0.06},
        },
        "y": {"field": "row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0.08}},
    }

    def words(field: str, dy: int, size: int, colour: str, **more: Any) -> Spec:
        mark = {"type": "text", "dy": dy, "fontSize": size, "color": colour, **more}
        return {"mark": mark, "encoding": {**at, "text": {"field": field}}}

    return {
        "width": width,
        "height": {"step": 92},
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 6, "fillOpacity": 0.16, "strokeWidth": 2},
                "encoding": {
                    **at,
                    "fill": {"field": "band", "type": "nominal", "scale": None},
                    "stroke": {"field": "band", "type": "nominal", "scale": None},
                },
            },
            words("name", -24, 13, colours["ink"], limit=width / columns - 10),
            words("share", 2, 20, colours["ink"], fontWeight="bold"),
            words("points", 26, 11, colours["muted"]),
        ],
    }


MOST_READERS = 25
"""That are drawn: of 300 the picture would be longer than any page. The table and the CSV have all."""


def disagreements(found: Sequence[Disagreement], width: int, colours: Mapping[str, str] = ON_PAGE) -> Spec:
    """A line a reader: his interval, his share, and beside it that of all others."""
    shown = found[:MOST_READERS]
    his, others = _("where his true share lies, 95 times in 100"), _("all others together")
    rows = [
        {
            "reader": one.reader,
            "share": one.share,
            "low": one.low,
            "high": one.high,
            "others": one.others,
            "his": his,
            "all": others,
        }
        for one in shown
    ]
    most = min(1.0, max([0.1, *(one.high * 1.05 for one in shown)]))
    x = {
        "field": "share",
        "type": "quantitative",
        "scale": {"domain": [0, most], "reverse": _arabic()},
        "axis": {"title": None, "format": "%", "tickCount": 4 if width == NARROW else 8},
    }
    y = {
        "field": "reader",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "orient": "right" if _arabic() else "left", "ticks": False, "domain": False},
    }
    named = {
        "type": "nominal",
        "scale": {"domain": [his, others], "range": [colours["this"], colours["muted"]]},
        "legend": {"columns": 1 if width == NARROW else 2},
    }
    return {
        "width": width,
        "height": {"step": 26},
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar", "height": 12, "opacity": 0.4, "cornerRadius": 3},
                "encoding": {
                    "x": {**x, "field": "low"},
                    "x2": {"field": "high"},
                    "y": y,
                    "color": {"field": "his", **named},
                },
            },
            {
                "mark": {"type": "tick", "thickness": 3, "size": 18},
                "encoding": {"x": x, "y": y, "color": {"field": "his", **named}},
            },
            {
                "transform": [{"filter": "isValid(datum.others)"}],
                "mark": {"type": "tick", "thickness": 2, "size": 22},
                "encoding": {"x": {**x, "field": "others"}, "y": y, "color": {"field": "all", **named}},
            },
        ],
    }


def life(marks: Sequence[Mark], width: int, colours: Mapping[str, str] = ON_PAGE) -> Spec:
    """Every reading on one line of time: its source by colour and shape, filled where the bill stands on it; the whisker of an
    estimate is its 80 % interval. Each meter has a scale of its own, above the others: a new counter begins at nothing."""
    serials = list(dict.fromkeys(one.serial for one in marks))[::-1]
    each = [
        _life([one for one in marks if one.serial == serial], marks, width, 260 // len(serials) + 40, colours)
        | ({"title": {"text": serial, "color": colours["muted"], "fontSize": 12}} if len(serials) > 1 else {})
        for serial in serials
    ]
    if len(each) == 1:
        return each[0]
    shared = {"x": "shared", "color": "shared", "shape": "shared"}
    return {"vconcat": each, "resolve": {"scale": shared}}


def _life(
    marks: Sequence[Mark], all_of_them: Sequence[Mark], width: int, height: int, colours: Mapping[str, str]
) -> Spec:
    sources = {
        "customer": _("customer"),
        "field": _("meter reader"),
        "smart": _("smart meter"),
        "estimate": _("estimate"),
    }
    palette = {"customer": "this", "field": "ink", "smart": "muted", "estimate": "warn"}
    shapes = {"customer": "circle", "field": "square", "smart": "diamond", "estimate": "triangle-up"}
    there = [source for source in sources if any(one.source == source for one in all_of_them)]
    domain = [sources[source] for source in there]
    rows = [
        {
            "at": localtime(one.at).strftime("%Y-%m-%dT%H:%M"),
            "value": float(one.value),
            "source": sources[one.source],
            "adopted": one.adopted,
            "least": None if one.least is None else float(one.least),
            "most": None if one.most is None else float(one.most),
            "meter": one.serial,
        }
        for one in marks
    ]
    x = {
        "field": "at",
        "type": "temporal",
        **_dates(format="%m/%y", tickCount=4 if width == NARROW else 10),
    }
    unit = marks[-1].unit if marks else ""
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": {"zero": False},
        "axis": {"title": unit, "orient": "right" if _arabic() else "left", "tickCount": 4},
    }
    colour = {
        "field": "source",
        "type": "nominal",
        "scale": {"domain": domain, "range": [colours[palette[source]] for source in there]},
    }
    shape = {
        "field": "source",
        "type": "nominal",
        "scale": {"domain": domain, "range": [shapes[source] for source in there]},
    }
    points = {"x": x, "y": y, "color": colour, "shape": shape}
    return {
        "width": width,
        "height": height,
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "line", "color": colours["line"], "strokeWidth": 2},
                "encoding": {"x": x, "y": y, "detail": {"field": "meter"}},
            },
            {
                "transform": [{"filter": "isValid(datum.least)"}],
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": x, "y": {**y, "field": "least"}, "y2": {"field": "most"}, "color": colour},
            },
            {
                "transform": [{"filter": "!datum.adopted"}],
                "mark": {"type": "point", "size": 70, "strokeWidth": 2, "fill": colours["paper"]},
                "encoding": points,
            },
            {
                "transform": [{"filter": "datum.adopted"}],
                "mark": {"type": "point", "size": 90, "filled": True},
                "encoding": points,
            },
        ],
    }


def month_name(name: str) -> str:
    """2026-11 → 11/26: short, and the same in both languages."""
    return f"{name[5:7]}/{name[2:4]}"
