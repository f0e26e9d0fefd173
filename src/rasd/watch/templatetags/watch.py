"""What the templates of the watch's site draw and say."""

import re
from collections.abc import Iterable
from datetime import timedelta
from functools import cache
from typing import Any

from django import template
from django.urls import reverse
from django.utils.dates import WEEKDAYS, WEEKDAYS_ABBR
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rasd.watch.journeys import NotAJourney
from rasd.watch.measures.completion import Share
from rasd.watch.measures.funnel import Stage
from rasd.watch.measures.week import PARTS_OF_THE_DAY, Cell
from rasd.watch.models import JourneyFile, Probe
from rasd.watch.pages import words
from rasd.watch.pages.pictures import Day, tone
from rasd.watch.players.finding import Finding
from rasd.watch.verdicts import Verdict

register = template.Library()

# 24 × 24, strokes only. Those with a direction are turned over in right-to-left pages by the style sheet (.turns).
ICONS = {
    "home": "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9M10 19v-5h4v5",
    "league": "M5 19.5V12M12 19.5V5M19 19.5V9M3 19.5h18",
    "alerts": "M6.5 16.5h11l-1.5-2V10a4 4 0 0 0-8 0v4.5ZM10.5 19h3M12 4v2",
    "maintenance": "M14.5 6.5a4 4 0 0 1 5-1l-2.7 2.7 1 1 2.7-2.7a4 4 0 0 1-5.2 5.2L8 19l-3-3 7.3-7.3a4 4 0 0 1 2.2-2.2Z",
    "status": "M3.5 12h4l2.5-6 4 12 2.5-6h4",
    "account": "M12 5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7ZM5 20c.7-3.6 3.4-5.5 7-5.5s6.3 1.9 7 5.5",
    "leave": "M14 5H6v14h8M11 12h9M17 8.5l3.5 3.5-3.5 3.5",
    "key": "M8.5 15a3.5 3.5 0 1 1 3.3-4.7H20v3.2h-2.4v2.3h-3v-2.3h-2.8A3.5 3.5 0 0 1 8.5 15ZM8 11.5h.4",
    "clock": "M12 4.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15ZM12 8v4.3l3 1.7",
    "plan": "M5 6h14v13H5ZM5 10h14M9 4v4M15 4v4M12 12.5v2.3l1.7 1",
    "visits": "M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.4M4.5 12h.4M4.5 17.5h.4",
    "journey": "M6 5.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4ZM18 14.5a2 2 0 1 1 0 4 2 2 0 0 1 0-4ZM8 7.5h7a3 3 0 0 1 0 6H9a3 3 0 0 0 0 6h7",
    "download": "M12 4.5v10M8 11l4 4 4-4M5 19.5h14",
    "search": "M10.5 4.5a6 6 0 1 1 0 12 6 6 0 0 1 0-12ZM15 15l5 5",
    "next": "M9 5.5 15.5 12 9 18.5",
    "permission": "M12 4.5l6.5 2.5v5c0 4-3 6.5-6.5 7.8-3.5-1.3-6.5-3.8-6.5-7.8V7ZM9 12l2.2 2.2 4-4.4",
    "chain": "M10 14l4-4M8.5 11 6 13.5a3.2 3.2 0 0 0 4.5 4.5L13 15.5M15.5 13l2.5-2.5A3.2 3.2 0 0 0 13.5 6L11 8.5",
}
TURN = {"leave", "next", "visits"}
# Each verdict has a shape of its own: nobody has to tell colours apart. Filled: it counts. Hollow: it does not.
MARKS = {
    "completed": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm3 4.1-4 4.6-2-1.9-1 1.1 3.1 2.9 5-5.7Z",
    "completed, but": "M8 1.2 15.4 14.5H.6ZM7.2 5.9v4.4h1.6V5.9Zm0 5.5V13h1.6v-1.6Z",
    "theirs": "M1.5 1.5h13v13h-13Zm3.2 4.3L6.9 8l-2.2 2.2 1.1 1.1L8 9.1l2.2 2.2 1.1-1.1L9.1 8l2.2-2.2-1.1-1.1L8 6.9 5.8 4.7Z",
    "ours": "M8 .8 15.2 8 8 15.2.8 8Zm0 2.1L2.9 8 8 13.1 13.1 8Z",
    "wall": "M1.5 2.5h13v11h-13ZM3 4v2h4V4Zm5.5 0v2H13V4ZM3 7.2v1.7h1.8V7.2Zm3.2 0v1.7h3.6V7.2Zm5 0v1.7H13V7.2Z"
    "M3 10.2v1.8h4v-1.8Zm5.5 0v1.8H13v-1.8Z",
    "gave-up": "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1ZM7.2 4v4.6l3.6 2.2.8-1.3-2.8-1.7V4Z",
    "skipped": "M2 7h12v2H2Z",
}
DIGITS = str.maketrans("0123456789%", "٠١٢٣٤٥٦٧٨٩٪")
POINT = re.compile(r"(?<=[٠-٩])\.(?=[٠-٩])")


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    chosen = context["request"].COOKIES.get("theme", "auto")
    return chosen if chosen in {"light", "dark"} else "auto"


@register.simple_tag
def icon(name: str) -> SafeString:
    """Decoration: what it means stands beside it in words."""
    kind = "icon turns" if name in TURN else "icon"
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        kind,
        ICONS[name],
    )


@register.simple_tag
@cache
def mark(verdict: str) -> SafeString:
    """A verdict's shape and colour; its words stand beside it, or hidden in it."""
    return format_html(
        '<svg class="mark {}" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path fill-rule="evenodd" d="{}"/></svg>',
        verdict.replace(", ", "-"),
        MARKS[verdict],
    )


@register.filter
def stops(probes: Iterable[Probe]) -> SafeString:
    """Visits side by side, each a mark that leads to its report. In Python: the first page has a thousand of them."""
    rows, day = [], cache(lambda of: date_format(of, "l j F"))
    for probe in probes:
        began = localtime(probe.began_at)
        words = f"{said(probe.verdict, 'verdicts')}, {figures(f'{day(began.date())}, {began:%H:%M}')}"
        rows.append((reverse("watch:report", args=[probe.token]), words, mark(probe.verdict), words))
    row = '<li><a href="{}" data-stop title="{}">{}<span class="hidden">{}</span></a></li>'
    return format_html_join("", row, rows)


@register.simple_tag
def all_verdicts() -> list[Verdict]:
    return list(Verdict)


OUTCOME_MARKS = {"done": "completed", "failed": "theirs", "gave up": "gave-up", "not reached": "skipped"}


@register.simple_tag
def outcome_mark(outcome: str) -> SafeString:
    """A step's: the shapes of the verdicts, as far as they mean the same."""
    return mark(OUTCOME_MARKS[outcome])


STATE_MARKS = {
    "well": "completed",
    "some": "completed, but",
    "trouble": "theirs",
    "maintenance": "ours",
    "unknown": "skipped",
}


@register.simple_tag
def state_mark(state: str) -> SafeString:
    """Of a service on the public page."""
    return mark(STATE_MARKS[state])


@register.simple_tag
def yes_no(works: bool | None) -> SafeString:
    """Of a self-check; None: it was not tried."""
    if works is None:
        return format_html('<span class="muted">{}</span>', _("not tried"))
    shape, said = ("completed", _("works")) if works else ("theirs", _("does not work"))
    return format_html('<span class="verdict">{}{}</span>', mark(shape), said)


@register.filter
def clock_span(off: float | None) -> str:
    """Seconds that a clock is off; thousandths matter to nobody."""
    if off is None:
        return _("not known")
    return figures(_("%(n)s s") % {"n": f"{off:+.2f}" if abs(off) >= 0.005 else "0.00"})


@register.filter
def figures(value: Any) -> str:
    """Numbers in the digits of the page's language: 14:05 and 97% are ١٤:٠٥ and ٩٧٪ in Arabic."""
    said = str(value)
    if not (get_language() or "").startswith("ar"):
        return said
    return POINT.sub("٫", said.translate(DIGITS))


@register.filter
def ltr(value: Any) -> SafeString:
    """An address, a hash or a name of a machine inside Arabic: read from the left and kept apart from its neighbours."""
    return format_html('<bdi dir="ltr">{}</bdi>', value) if value not in (None, "") else mark_safe("")


@register.filter
def titled(journey: JourneyFile) -> str:
    """What he comes for, in the page's language; its name where an older wording cannot be read any more."""
    try:
        return journey.journey.titled(get_language() or "en")
    except NotAJourney:
        return journey.name


@register.filter
def css(number: float | None) -> str:
    """A number for CSS and SVG: a point, whatever the language, and two places."""
    return f"{number:.2f}" if number is not None else "0"


@register.filter
def per_cent(share: float | None) -> str:
    """0.987 → 99%; neither all nor nothing where that is not so."""
    if share is None:
        return "–"
    shown = round(share * 100)
    if 0 < share < 1:
        shown = max(1, min(99, shown))
    return figures(f"{shown}%")


@register.filter
def span(seconds: float | timedelta | None) -> str:
    """A length of time, as exactly as one cares: 0.8 s, 42 s, 3 min 5 s, 2 h 10 min."""
    if seconds is None:
        return "–"
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 10:
        return figures(_("%(n)s s") % {"n": f"{seconds:.1f}"})
    whole = round(seconds)
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        if minutes < 2 and whole != 60:
            return figures(_("%(n)s s") % {"n": whole})
        return figures((_("%(m)s min %(s)s s") if rest else _("%(m)s min")) % {"m": minutes, "s": rest})
    hours, rest = divmod(whole // 60, 60)
    return figures((_("%(h)s h %(m)s min") if rest else _("%(h)s h")) % {"h": hours, "m": rest})


@register.filter
def said(code: str, of: str) -> Any:
    """A code's words: ``{{ probe.verdict|said:"verdicts" }}`` (``pages/words.py``)."""
    return getattr(words, of.upper()).get(code, code)


@register.filter
def part(name: str) -> Any:
    return words.part(name)


# Shares


@register.filter
def hundredfold(share: float | None) -> float:
    return 100 * (share or 0.0)


@register.filter
def tone_of(share: Share) -> str:
    """``t0`` (none done) to ``t10`` (all done), a step of the colour scale; ``none``: no visit."""
    step = tone(share)
    return f"t{step}" if step >= 0 else "none"


@register.filter
def interval(share: Share) -> str:
    """In words: a dash between numbers is read the wrong way round in Arabic."""
    return _("%(low)s to %(high)s") % {"low": per_cent(share.low), "high": per_cent(share.high)}


@register.filter
def failed(share: Share) -> int:
    return share.of - share.done


# The week


@register.simple_tag
def weekday_name(day: int, short: bool = False) -> Any:
    """0: Monday."""
    return WEEKDAYS_ABBR[day] if short else WEEKDAYS[day]


@register.simple_tag
def hour_name(hour: int) -> str:
    """Of the week, 0 to 167: Monday, 09:00–10:00."""
    told = {
        "day": WEEKDAYS[hour // 24],
        "since": f"{hour % 24:02}:00",
        "until": f"{(hour % 24 + 1) % 24:02}:00",
    }
    return figures(_("%(day)s, %(since)s–%(until)s") % told)


@register.filter
def turned(days: list[Day]) -> list[list[Cell]]:
    """By hour instead of by day."""
    return [list(row) for row in zip(*(day.cells for day in days), strict=True)]


@register.filter
def pool_name(name: str) -> Any:
    """Parts of the day, and weekdays by number."""
    if name in PARTS_OF_THE_DAY:
        return {
            "night": _("At night (00:00–06:00)"),
            "morning": _("In the morning (06:00–12:00)"),
            "afternoon": _("In the afternoon (12:00–18:00)"),
            "evening": _("In the evening (18:00–24:00)"),
        }[name]
    return WEEKDAYS[int(name)]


# Steps


@register.filter
def about(step: Finding | Stage) -> str:
    """What a step says after its verb, as a person would: without the names of the language's own keys."""
    return words.plainly(step.verb, step.says.removeprefix(f"{step.verb}: "))


@register.filter
def given(step: Finding | Stage) -> float | None:
    """Seconds that he gives this step, where it says so."""
    found = words.WITHIN.search(step.says)
    return float(found[1]) if found else None


@register.filter
def of_first(stage: Stage, stages: list[Stage]) -> float:
    """Per cent of those who began that this step let on."""
    began = stages[0].reached if stages else 0
    return 100 * stage.passed.done / began if began else 0.0


# What he showed of himself


@register.filter
def shown(value: Any) -> str:
    """A fact of a report as people write it: a screen is 412 × 839, a line 9 Mbit/s."""
    match value:
        case {"down": down, "up": up, "delay_ms": delay}:
            return f"{down / 1e6:g} / {up / 1e6:g} Mbit/s, {delay:g} ms"
        case [int() | float() as wide, int() | float() as high]:
            return f"{wide} × {high}"
        case list() | tuple():
            return ", ".join(map(str, value))
        case None:
            return "–"
    return str(value)
