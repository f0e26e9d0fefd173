"""What is typed about working hours, but for the week (:mod:`rasd.console.calendars`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rasd.desk import almanac
from rasd.desk.models import SpecialDay
from rasd.desk.timetable import fault_of

LONGEST_CLOSURE = 60  # days that are closed in one go

# Oman's neighbours first, by the names that people here know them by; all others follow in English.
NEIGHBOURS = {
    "OM": gettext_lazy("Oman"),
    "AE": gettext_lazy("United Arab Emirates"),
    "BH": gettext_lazy("Bahrain"),
    "KW": gettext_lazy("Kuwait"),
    "QA": gettext_lazy("Qatar"),
    "SA": gettext_lazy("Saudi Arabia"),
    "YE": gettext_lazy("Yemen"),
    "JO": gettext_lazy("Jordan"),
    "EG": gettext_lazy("Egypt"),
}


def country_name(code: str) -> Any:
    return NEIGHBOURS.get(code) or almanac.countries().get(code, code)


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _time_input() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time", "step": "300"}, format="%H:%M")


class AboutForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    holidays_of = forms.ChoiceField(
        label=gettext_lazy("Public holidays of"), required=False, help_text=gettext_lazy("They are free.")
    )
    zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=50,
        required=False,
        help_text=gettext_lazy("Such as Asia/Muscat; empty: the utility's."),
        widget=forms.TextInput(attrs={"dir": "ltr", "list": "zones", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = [pair for pair in almanac.countries().items() if pair[0] not in NEIGHBOURS]
        choices = [("", gettext_lazy("none")), *NEIGHBOURS.items(), (gettext_lazy("Others"), others)]
        self.fields["holidays_of"].choices = choices  # type: ignore[attr-defined]


class SeasonForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    first = forms.DateField(label=gettext_lazy("First day"), widget=_date_input())
    last = forms.DateField(label=gettext_lazy("Last day"), widget=_date_input())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error(
                "last", _("This is before the first day. Exchange the two, or choose a later day.")
            )
        return cleaned


class DayForm(forms.Form):
    day = forms.DateField(label=gettext_lazy("Day"), widget=_date_input())
    until = forms.DateField(
        label=gettext_lazy("until"),
        required=False,
        widget=_date_input(),
        help_text=gettext_lazy("Only where it is more than one day."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=SpecialDay.Kind.choices)
    opens = forms.TimeField(label=gettext_lazy("from"), required=False, widget=_time_input())
    closes = forms.TimeField(label=gettext_lazy("until"), required=False, widget=_time_input())
    why = forms.CharField(label=gettext_lazy("Why"), max_length=200)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("day"), cleaned.get("until")
        if first and last and last < first:
            self.add_error("until", _("This is before the first day. Exchange the two, or leave it empty."))
        elif first and last and (last - first).days >= LONGEST_CLOSURE:
            self.add_error(
                "until",
                _("That is more than %(n)d days. Make a season of it, or choose an earlier day.")
                % {"n": LONGEST_CLOSURE},
            )
        if cleaned.get("kind") == SpecialDay.Kind.OTHER:
            for name in ("opens", "closes"):
                if cleaned.get(name) is None and name not in self.errors:
                    self.add_error(name, _("Say from when until when it is open, or choose “closed”."))
            opens, closes = cleaned.get("opens"), cleaned.get("closes")
            if opens and closes is not None and (fault := fault_of([(opens, closes)])):
                self.add_error("closes", fault)
        return cleaned

    def told(self) -> list[dict[str, str]]:
        """The days as a calendar's document has them."""
        cleaned = self.cleaned_data
        told = {"kind": cleaned["kind"], "why": cleaned["why"]}
        if cleaned["kind"] == SpecialDay.Kind.OTHER:
            told |= {name: f"{cleaned[name]:%H:%M}" for name in ("opens", "closes")}
        length = ((cleaned["until"] or cleaned["day"]) - cleaned["day"]).days + 1
        return [{"day": f"{cleaned['day'] + timedelta(days=n)}", **told} for n in range(length)]


class MoveForm(forms.Form):
    """A holiday that is kept on another day: the moon was seen otherwise, or the government said so."""

    day = forms.DateField(widget=forms.HiddenInput())
    to = forms.DateField(label=gettext_lazy("It is kept on"), widget=_date_input())

    def told(self, name: str) -> list[dict[str, str]]:
        day, to = self.cleaned_data["day"], self.cleaned_data["to"]
        words = {"name": name, "to": date_format(to, "j F")}
        return [
            {"day": f"{day}", "kind": "usual", "why": _("%(name)s is kept on %(to)s") % words},
            {"day": f"{to}", "kind": "closed", "why": name},
        ]


def put_errors(form: forms.Form, error: ValidationError) -> None:
    """Each at the field it is about, where the form has it."""
    for name, words in error.message_dict.items():
        for each in words:
            form.add_error(name if name in form.fields else None, each)
