"""What the pages of the account draw."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils.translation import gettext_lazy

from rasd.console.accounts import FIGURES
from rasd.console.templatetags.console import _span

register = template.Library()

DEEDS = {
    "obligation.owed": gettext_lazy("An answer is owed"),
    "obligation.given": gettext_lazy("Given to somebody"),
    "obligation.moved": gettext_lazy("Moved to another queue"),
    "obligation.paused": gettext_lazy("The customer's turn: the clock stands still"),
    "obligation.resumed": gettext_lazy("Our turn: the clock runs again"),
    "obligation.recounted": gettext_lazy("The working hours were changed"),
    "obligation.retargeted": gettext_lazy("What it is about was changed"),
    "obligation.warned": gettext_lazy("Warned: the time is near"),
    "obligation.escalated": gettext_lazy("Escalated: the time is over"),
    "obligation.answered": gettext_lazy("Answered"),
    "obligation.done": gettext_lazy("Done"),
    "obligation.waived": gettext_lazy("Somebody said that it needs no answer"),
    "obligation.owed_again": gettext_lazy("Owed again: the answer could not be delivered"),
}
SCOPE_NAMES = {
    "person": gettext_lazy("employee"),
    "queue": gettext_lazy("queue"),
    "line": gettext_lazy("line"),
}


@register.filter
def lasting(seconds: float) -> str:
    """So many seconds, in the largest unit that says it."""
    return _span(timedelta(seconds=seconds))


@register.filter
def figure_words(figure: str) -> Any:
    return FIGURES[figure]


@register.filter
def deed_words(action: str) -> Any:
    return DEEDS.get(action, action)


@register.filter
def scope_words(scope: str) -> Any:
    return SCOPE_NAMES[scope]


@register.filter
def called(username: str, people: dict[str, str]) -> str:
    return people.get(username, username)
