"""What the pages of an eye on trial draw: how often it was right, and how sure it was."""

from collections import Counter
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from rasd.console.templatetags.console import css, ltr, share
from rasd.metering.trial import Record

register = template.Library()


@register.simple_tag
def of(record: Record, decision: str) -> SafeString:
    """How many, and what share of all."""
    n, rows = record.decisions[decision], len(record.rows)
    return format_html("{} <small>{}</small>", n, share(100 * n / rows)) if rows else format_html("{}", n)


@register.simple_tag
def milliseconds(record: Record) -> SafeString:
    return ltr("–" if record.milliseconds is None else f"{record.milliseconds:.0f} ms")


@register.filter
def p_value(p: float) -> SafeString:
    return ltr("p < 0.001" if p < 0.001 else f"p = {p:.3f}")


@register.filter
def count_of(counter: Counter[str], key: str) -> int:
    return counter[key]


@register.filter
def hundredfold(share: float) -> str:
    return css(100 * share)


@register.filter
def up_to(low: float, high: float) -> str:
    return css(100 * (high - low))


@register.filter
def would(decision: str) -> Any:
    """What an eye's own decision leads to."""
    said = {
        "accept": gettext_lazy("sure enough to accept"),
        "confirm": gettext_lazy("the customer is asked"),
        "retake": gettext_lazy("another photograph is wanted"),
        "review": gettext_lazy("a person must look"),
    }
    return said.get(decision, decision)
