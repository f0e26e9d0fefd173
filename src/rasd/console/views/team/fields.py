"""Lengths of working time as people type them: a number and its unit."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

UNITS = [("minutes", _("minutes")), ("hours", _("hours"))]
SIDES = [("before", _("before the time")), ("after", _("after the time"))]
MOST = 100_000  # of either unit: over eleven years of hours; more is a slip of the finger
HOUR = timedelta(hours=1)


class _LengthWidget(forms.MultiWidget):
    def __init__(self, sides: bool) -> None:
        number = forms.NumberInput(attrs={"min": 0, "aria-label": _("how many"), "inputmode": "numeric"})
        parts: list[forms.Widget] = [number, forms.Select(choices=UNITS, attrs={"aria-label": _("unit")})]
        if sides:
            parts.append(forms.Select(choices=SIDES, attrs={"aria-label": _("before or after")}))
        super().__init__(parts, attrs={"class": "length"})

    def decompress(self, value: timedelta | None) -> list[Any]:
        if value is None:
            return ["", "minutes", "before"][: len(self.widgets)]
        side, length = ("before" if value < timedelta() else "after"), abs(value)
        unit = timedelta(minutes=1) if length % HOUR or not length else HOUR
        return [length // unit, "minutes" if unit < HOUR else "hours", side][: len(self.widgets)]


class LengthField(forms.MultiValueField):
    """A ``timedelta``; with ``sides``, negative for what lies before.

    Args:
        least: the smallest number that may be typed.
    """

    def __init__(self, *, sides: bool = False, least: int = 1, **kwargs: Any) -> None:
        number = forms.IntegerField(
            min_value=least,
            max_value=MOST,
            error_messages={"invalid": _("Type a whole number."), "incomplete": _("Type a number.")},
        )
        parts: list[forms.Field] = [number, forms.ChoiceField(choices=UNITS)]
        if sides:
            parts.append(forms.ChoiceField(choices=SIDES))
        super().__init__(parts, widget=_LengthWidget(sides), require_all_fields=True, **kwargs)

    def compress(self, data_list: list[Any]) -> timedelta | None:
        if not data_list:
            return None
        length = timedelta(**{data_list[1]: data_list[0]})
        return -length if data_list[2:] == ["before"] else length

    def has_changed(self, initial: Any, data: Any) -> bool:
        """A unit that was chosen by nobody, beside no number, is not a change: else every empty row would be one."""
        if initial is None and not (data and data[0]):
            return False
        return super().has_changed(initial, data)
