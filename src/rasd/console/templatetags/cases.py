"""What the pages of cases and standards say in words."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rasd.channels.models import Outgoing
from rasd.console.cases import Line
from rasd.console.chat import STATES
from rasd.desk.models import Case, CaseEntry, Standard

register = template.Library()

TONES = {
    Case.Stage.OPEN: "warn",
    Case.Stage.WORKING: "",
    Case.Stage.CUSTOMER: "",
    Case.Stage.ANSWERED: "warn",
    Case.Stage.CLOSED: "good",
}
LANGUAGES = {"ar": gettext_lazy("Arabic"), "en": gettext_lazy("English")}
WRITE_IN = {
    "ar": gettext_lazy("The customer writes Arabic: answer in Arabic."),
    "en": gettext_lazy("The customer writes English: answer in English."),
}


@register.filter
def stage_tone(case: Case) -> str:
    return TONES[Case.Stage(case.stage)]


@register.filter
def full_name(user: Any) -> str:
    return str(user.get_full_name() or user.get_username())


@register.filter
def language_words(code: str) -> Any:
    return LANGUAGES.get(code, code)


@register.filter
def write_in(code: str) -> Any:
    return WRITE_IN.get(code, "")


@register.filter
def worked(length: timedelta) -> str:
    """Working time as hours and minutes, 26:05: a day of it is as long as the office is open, so days would mislead."""
    return "\u2066{}:{:02}\u2069".format(*divmod(int(length.total_seconds() // 60), 60))


@register.filter
def line_words(entry: CaseEntry) -> str:
    if entry.kind == CaseEntry.Kind.STAGE:
        return str(Case.Stage(entry.stage).label)
    return str(entry.get_kind_display())


@register.filter
def by(line: Line) -> str:
    """Who did it: by name where it is one of us."""
    if line.entry and line.entry.author:
        return full_name(line.entry.author)
    word, _colon, name = line.actor.partition(":")
    if word == "customer":
        return _("the customer")
    return _("the machine") if word == "machine" else name


@register.filter
def delivery_words(outgoing: Outgoing) -> Any:
    return STATES.get(outgoing.state, "")


@register.filter
def number_sign(number: str) -> SafeString:
    return format_html('<bdi dir="ltr">#{}</bdi>', number)


@register.filter
def limit_words(standard: Standard) -> str:
    """10 working days."""
    n = standard.limit
    said = {
        Standard.Unit.WORKING_DAYS: ngettext("%(n)d working day", "%(n)d working days", n),
        Standard.Unit.WORKING_HOURS: ngettext("%(n)d working hour", "%(n)d working hours", n),
        Standard.Unit.DAYS: ngettext("%(n)d day", "%(n)d days", n),
        Standard.Unit.HOURS: ngettext("%(n)d hour", "%(n)d hours", n),
    }
    return said[Standard.Unit(standard.unit)] % {"n": n}


@register.filter
def rials(amount: Any) -> SafeString:
    """Omani rials have a thousand baisa: three places."""
    return format_html("{} <bdi>{}</bdi>", f"{amount:.3f}", _("RO"))
