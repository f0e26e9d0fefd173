"""Numbers and words of the closing's pages."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from rasd.metering.models import Reading, ServicePoint

register = template.Library()


@register.filter
def amount(value: Any) -> SafeString:
    """An amount in a register's unit: thousands apart, no zeros behind it, its sign before it in Arabic too."""
    if value is None or value == "":
        return format_html("–")
    words = f"{Decimal(str(value)):,f}"
    words = words.rstrip("0").rstrip(".") if "." in words else words
    return format_html('<bdi dir="ltr">{}</bdi>', words.replace("-", "−"))


@register.filter
def actor_words(actor: str) -> str:
    """Of the ledger's ``user:noor`` the name to log in with; whatever is a machine's is the machine's."""
    kind, _, name = actor.partition(":")
    return name if kind == "user" else gettext("the machine") if kind == "machine" else actor


@register.filter
def commodity_words(name: str) -> Any:
    return ServicePoint.Commodity(name).label


@register.filter
def source_words(name: str) -> Any:
    return Reading.Source(name).label
