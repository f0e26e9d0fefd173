"""What the pages of team leads draw."""

from datetime import datetime, timedelta
from typing import Any

from django import forms, template
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, ngettext
from django.utils.translation import gettext as _

from rasd.console.templatetags.console import _span as span
from rasd.console.templatetags.console import due, icon
from rasd.console.views.team.fields import LengthField
from rasd.desk.models import Absence, Employee
from rasd.flows.words import moment

register = template.Library()

BREAKS = (15, 30, 60)  # minutes
A_WEEK = timedelta(days=6)
IN_DAYS_FROM = timedelta(hours=48)  # wall.js knows it too


@register.filter
def when(moment: datetime) -> str:
    """The time of day where it is today, with the weekday in the days around, else with the date."""
    local, today = timezone.localtime(moment), timezone.localdate()
    away = local.date() - today
    shape = "H:i" if not away else "l H:i" if abs(away) <= A_WEEK else "j F H:i"
    return "\u2068" + formats.date_format(local, shape) + "\u2069"


register.filter("moment", moment)


@register.filter
def language(code: str) -> str:
    return str(get_language_info(code)["name_local"])


@register.filter
def length_words(length: timedelta) -> str:
    """Working time in the unit in which it is typed."""
    minutes = int(length.total_seconds() // 60)
    if minutes % 60 or not minutes:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    return ngettext("%(n)d hour", "%(n)d hours", minutes // 60) % {"n": minutes // 60}


@register.simple_tag
def initial(employee: Employee) -> SafeString:
    """The first letter, on a colour that stays the same for the same person."""
    name = str(employee)
    return format_html(
        '<span class="avatar" style="--hue: {}" aria-hidden="true">{}</span>',
        employee.user_id * 47 % 360,
        next((each for each in name if each.isalpha()), "#").upper(),
    )


@register.simple_tag
def clock(owed: Any) -> SafeString:
    """When it is due, or that its clock stands still."""
    if owed.running_since is None:
        return format_html('<span class="chip">{}{}</span>', icon("clock"), _("waits for the customer"))
    return due(owed.due_at)


@register.simple_tag
def case_link(owed: Any) -> SafeString:
    try:
        address = reverse("console:case", args=[owed.case_id])
    except NoReverseMatch:
        return format_html("<bdi>{}</bdi>", owed.case.title)
    return format_html('<a class="open" href="{}"><bdi>{}</bdi></a>', address, owed.case.title)


@register.filter
def is_choices(field: forms.BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxSelectMultiple)


@register.filter
def is_length(field: forms.BoundField) -> bool:
    return isinstance(field.field, LengthField)


@register.simple_tag(takes_context=True)
def my_shift(context: dict[str, Any]) -> dict[str, Any] | None:
    """Of somebody who answers: the absence that lasts now, or None; None at all for who does not answer."""
    user, now = context["request"].user, timezone.now()
    employee = Employee.objects.filter(user=user, left_at=None).only("pk").first()
    if employee is None:
        return None
    lasting = Absence.objects.filter(employee=employee, begins_at__lte=now, ends_at__gt=now)
    return {"absence": lasting.order_by("-ends_at").first(), "breaks": BREAKS}


@register.filter
def clock_since(since: datetime, at: datetime) -> str:
    return _figures(at - since)


@register.filter
def clock_until(until: datetime, at: datetime) -> str:
    return _figures(until - at)


def _figures(length: timedelta) -> str:
    """3:04:05, the same shape as wall.js writes every second; from two days on it lets the words of days stand."""
    if length >= IN_DAYS_FROM:
        return span(length)
    seconds = max(int(length.total_seconds()), 0)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
