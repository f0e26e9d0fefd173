"""What the month's pages say in words."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import template

from rasd.console.month_report import table
from rasd.metering.models import Reading, Rule

register = template.Library()


@register.filter
def as_table(rows: Sequence[Any]) -> list[list[str]]:
    """Of a picture's rows: head and lines."""
    return table(rows)


@register.filter
def source_words(source: str) -> str:
    return str(Reading.Source(source).label)


@register.filter
def rule_words(rule: str) -> str:
    return str(Rule(rule).label)


@register.filter
def grouped(amount: str) -> str:
    """``1056745.800`` → ``1,056,745.8``: of a total as a file has it."""
    return f"{Decimal(amount).normalize():,f}"
