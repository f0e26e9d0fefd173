"""Who may do what: four groups, made where they are missing. An administrator may change them; we never change them back.

What a later version of Rasd brings in is given to the groups that usually have it, once (:class:`.models.HandedOut`
remembers), also where the group has long existed: a new page would otherwise open to nobody after an upgrade.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

REVIEW = "metering.change_review"
"""To judge photographs."""

CONVERSATIONS = "desk.change_conversation"
"""To read conversations and to answer in them."""

CASES = "desk.change_case"
"""To work on cases, and to answer in them."""

CYCLE = "metering.view_cycle"
"""To see how the month goes."""

BILLING = "metering.add_billingexport"
"""To make the files that billing takes, and to take them."""

CLOSE = "metering.add_closing"
"""To close a month: what is billed is settled then."""

EXCEPTIONS = "metering.change_readingexception"
"""To settle what the rules doubt in readings."""

COMPARISONS = "metering.change_comparison"
"""To say who was right, where a customer's reading and a meter reader's differ."""

BY_HAND = "metering.add_adoption"
"""To adopt another value by hand, with a reason."""

WINDOWS = "metering.change_districtwindow"
"""To say in which days each district reads."""

REMINDERS = "flows.change_reminder"
"""To stop reminders."""

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

API_TOKENS = "rasd_api.add_apitoken"
"""To let other programs in, by tokens of the API."""

EXPORT_PERSON = "person.export_person"
"""To give a person what is known of him."""

ERASE_PERSON = "person.erase_person"
"""To erase a person's data when he asks."""

ACCESS = "auth.change_user"
"""To say who may do what, on which lines and with which proof of who he is; to end other people's sessions."""

ROLES: dict[str, tuple[str, ...]] = {
    "agent": (
        CONVERSATIONS,
        CASES,
    ),
    "reviewer": (REVIEW,),
    "supervisor": (
        CYCLE,
        CLOSE,
        BILLING,
        EXCEPTIONS,
        BY_HAND,
        COMPARISONS,
        WINDOWS,
        REMINDERS,
        TROUBLES,
        CASES,
        STANDARDS,
        TEAM,
        ACCOUNTS,
        CANNED,
        CALENDARS,
    ),
    "administrator": ("*",),
}
OURS = (
    "ledger",
    "channels",
    "metering",
    "desk",
    "flows",
    "rasd_api",
    "person",
    "console",
    "auth",
    "otp_totp",
    "otp_static",
)


def hand_out(**_signal: Any) -> None:
    """After each migration: groups that are missing, with their permissions; to the others what is new since the last time."""
    from rasd.console.models import HandedOut

    with transaction.atomic():
        for name, wanted in ROLES.items():
            group, is_new = Group.objects.get_or_create(name=name)
            usual = {_dotted(each): each for each in _permissions(wanted)}
            before = set(HandedOut.objects.filter(role=name).values_list("permission", flat=True))
            new = usual.keys() - before
            group.permissions.add(*(usual[each] for each in (usual if is_new else new)))
            HandedOut.objects.bulk_create(
                [HandedOut(role=name, permission=each) for each in sorted(new)], ignore_conflicts=True
            )


def _dotted(permission: Permission) -> str:
    return f"{permission.content_type.app_label}.{permission.codename}"


def _permissions(wanted: tuple[str, ...]) -> list[Permission]:
    every = Permission.objects.select_related("content_type")
    if wanted == ("*",):
        return list(every.filter(content_type__app_label__in=OURS))
    which = Q()
    for dotted in wanted:
        app, _, codename = dotted.partition(".")
        which |= Q(content_type__app_label=app, codename=codename)
    return list(every.filter(which))
