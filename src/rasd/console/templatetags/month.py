"""What the month's pages say in words."""

from collections.abc import Sequence
from typing import Any

from django import template

from rasd.console.month_report import table
from rasd.metering.models import Reading

register = template.Library()


@register.filter
def as_table(rows: Sequence[Any]) -> list[list[str]]:
    """Of a picture's rows: head and lines."""
    return table(rows)


@register.filter
def source_words(source: str) -> str:
    return str(Reading.Source(source).label)
