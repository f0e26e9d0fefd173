"""What the pages of working hours say in words."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from rasd.console.calendar_forms import country_name
from rasd.console.calendars import Shown

register = template.Library()

# Short enough for the head of a small month.
SHORT = (
    pgettext_lazy("weekday", "Mon"),
    pgettext_lazy("weekday", "Tue"),
    pgettext_lazy("weekday", "Wed"),
    pgettext_lazy("weekday", "Thu"),
    pgettext_lazy("weekday", "Fri"),
    pgettext_lazy("weekday", "Sat"),
    pgettext_lazy("weekday", "Sun"),
)
PARTS = {
    "name": gettext_lazy("the name"),
    "zone": gettext_lazy("the time zone"),
    "holidays_of": gettext_lazy("the country of the holidays"),
    "week": gettext_lazy("the usual week"),
    "seasons": gettext_lazy("seasons"),
    "days": gettext_lazy("special days"),
}


@register.simple_tag
def country(code: str) -> Any:
    return country_name(code)


@register.simple_tag
def short_weekday(weekday: int) -> Any:
    return SHORT[weekday]


@register.simple_tag
def iso_day(day: str) -> str:
    """``2027-02-08`` as people write it."""
    return date_format(date.fromisoformat(day), "j F Y")


@register.filter
def day_and_time(moment: datetime) -> str:
    """In the moment's own zone, which need not be the utility's."""
    return date_format(moment, "l j F Y H:i")


@register.simple_tag
def calendar_changes(entry: Any) -> str:
    """Which parts an entry of the ledger says were changed."""
    before, after = entry.facts["before"], entry.facts["after"]
    return _(", ").join(str(words) for part, words in PARTS.items() if before[part] != after[part])


@register.simple_tag
def day_cell(one: Shown | None, address: str, looked_at: Shown | None) -> SafeString:
    """A day of the year. In Python, as a year has 365 and a template takes three times as long for them."""
    if one is None:
        return mark_safe('<td class="nothing"></td>')
    day, names = one.date.isoformat(), one.names
    classes = [one.day.kind] if one.day.spans else [one.day.kind, "free"]
    if looked_at is not None and looked_at.date == one.date:
        classes.append("looked-at")
    today = mark_safe(' id="today"') if one.is_today else ""
    named = one.day.kind in {"holiday", "special"} and names
    return format_html(
        '<td class="{}"{}><a href="{}?year={}&amp;day={}#day" data-day="{}" aria-label="{}"{}><b>{}</b>{}{}</a></td>',
        " ".join(classes),
        today,
        address,
        one.date.year,
        day,
        day,
        one.words,
        mark_safe(' aria-current="date"') if one.is_today else "",
        one.date.day,
        format_html_join("", '<span class="hours">{}</span>', ((span,) for span in one.spans)),
        format_html("<i>{}{}</i>", "≈ " if one.is_estimated else "", names[0]) if named else "",
    )
