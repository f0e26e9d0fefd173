"""Who may do what: four groups, made where they are missing. An administrator may change them; we never change them back."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

REVIEW = "metering.change_review"
"""To judge photographs."""

CONVERSATIONS = "desk.change_conversation"
"""To read conversations and to answer in them."""

CASES = "desk.change_case"
"""To work on cases, and to answer in them."""

CYCLE = "metering.view_cycle"
"""To see how the month goes."""

TROUBLES = "channels.view_delivery"
"""To see what went wrong, to try again, and to settle it."""

TEAM = "desk.change_employee"
"""To see who works when and who owes what, to change both, and to open the wall."""

STANDARDS = "desk.change_standard"
"""To say what is promised, by when and at what cost: guaranteed standards, and kinds of cases."""

ACCOUNTS = "desk.view_obligation"
"""To see everybody's account of what was owed; one's own needs no permission."""

CANNED = "desk.change_cannedanswer"
"""To write the answers that everybody uses again and again."""

CALENDARS = "desk.change_calendar"
"""To set working hours: the week, seasons such as Ramadan, holidays and closures."""

ROLES: dict[str, tuple[str, ...]] = {
    "agent": (
        CONVERSATIONS,
        CASES,
    ),
    "reviewer": (REVIEW,),
    "supervisor": (CYCLE, TROUBLES, CASES, STANDARDS, TEAM, ACCOUNTS, CANNED, CALENDARS),
    "administrator": ("*",),
}
OURS = ("ledger", "channels", "metering", "desk", "flows", "console", "auth", "otp_totp", "otp_static")


def make_missing_roles(**_signal: Any) -> None:
    """After each migration: the groups that do not exist yet, with their permissions."""
    for name, wanted in ROLES.items():
        group, created = Group.objects.get_or_create(name=name)
        if created:
            group.permissions.set(_permissions(wanted))


def _permissions(wanted: tuple[str, ...]) -> list[Permission]:
    if wanted == ("*",):
        return list(Permission.objects.filter(content_type__app_label__in=OURS))
    which = Q()
    for dotted in wanted:
        app, _, codename = dotted.partition(".")
        which |= Q(content_type__app_label=app, codename=codename)
    return list(Permission.objects.filter(which))
