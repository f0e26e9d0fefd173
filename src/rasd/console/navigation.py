"""Where one can go: every page in one of a few groups, for those who may open it, with what waits there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rasd.console import roles, waiting

FEW = 5
"""Pages that stand side by side, on a phone of 320 px too; who has more sees the groups."""
MOST = 999
"""A number beside a name is read at a glance: above this it says that it is more."""


@dataclass(frozen=True)
class Page:
    name: str
    """Of its address, of its icon, and what its views call ``here``."""
    words: Promise
    about: Promise
    """For who does not know it yet, on the first page."""
    permissions: tuple[str, ...]
    """Any of them opens it."""
    letter: str = ""
    """The key after G that goes there; those of the inbox's views (``inbox.USUAL``) are taken."""
    count: Callable[[datetime, User], int] | None = None
    """How much waits there."""
    is_bad: bool = False
    """What waits there is something that went wrong."""

    @property
    def url(self) -> str:
        return f"console:{self.name}"

    @property
    def is_counted(self) -> bool:
        return self.count is not None


@dataclass(frozen=True)
class Group:
    name: str
    icon: str
    words: Promise
    pages: tuple[Page, ...]

    @property
    def number(self) -> str:
        """Where the sum of what waits on its pages stands, as the stream names it; of a page: its name."""
        return f"{self.name}-group"


TROUBLES = Page(
    "troubles",
    _("Troubles"),
    _("Jobs, files and answers that failed, each with what to do"),
    (roles.TROUBLES,),
    "p",
    waiting.troubles,
    is_bad=True,
)
GROUPS = (
    Group(
        "answers",
        "conversations",
        _("Answers"),
        (
            Page(
                "conversations",
                _("Conversations"),
                _("What customers wrote, and who is owed an answer"),
                (roles.CONVERSATIONS,),
                "i",
                waiting.owed,
            ),
            Page(
                "cases",
                _("Cases"),
                _("Matters that one answer does not settle: complaints, visits, bills"),
                (roles.CASES,),
                "c",
                waiting.late_cases,
            ),
        ),
    ),
    Group(
        "readings",
        "readings",
        _("Readings"),
        (
            Page(
                "review",
                _("Review"),
                _("Photographs of which the machine is not sure"),
                (roles.REVIEW,),
                "r",
                waiting.reviews,
            ),
            Page("cycle", _("Cycle"), _("How many readings of this month have come in"), (roles.CYCLE,), "y"),
            Page(
                "eye",
                _("The eye"),
                _("What reads the photographs, and how often it is right"),
                (roles.CYCLE,),
                "e",
            ),
        ),
    ),
    Group(
        "lead",
        "people",
        _("The team"),
        (
            Page("team", _("People"), _("Who is on shift, who is absent, and the week"), (roles.TEAM,), "t"),
            Page(
                "team_work", _("Work"), _("All that is owed now, to be given to others"), (roles.TEAM,), "k"
            ),
            Page("wall", _("Wall"), _("One screen to be read across the room"), (roles.TEAM,), "v"),
            Page(
                "accounts",
                _("Who owed what"),
                _("For each person, queue and line: in time, late, and how late"),
                (roles.ACCOUNTS,),
                "b",
            ),
            Page(
                "standards",
                _("Guaranteed standards"),
                _("Times that the regulator set, and the month's breaches"),
                (roles.STANDARDS,),
                "s",
            ),
        ),
    ),
    Group(
        "settings",
        "settings",
        _("Set up"),
        (
            Page(
                "team_queues",
                _("Queues"),
                _("Who answers what, within which time, and who is told when it is late"),
                (roles.TEAM,),
                "q",
            ),
            Page(
                "calendars",
                _("Working hours"),
                _("The week, Ramadan, holidays and closures"),
                (roles.CALENDARS,),
                "o",
            ),
            Page(
                "canned_answers",
                _("Canned answers"),
                _("What is answered again and again, in both languages"),
                (roles.CANNED, roles.CONVERSATIONS),
            ),
            Page(
                "case_kinds",
                _("Kinds of cases"),
                _("Their names, their queues and their times"),
                (roles.STANDARDS,),
            ),
        ),
    ),
    Group(
        "administration",
        "access",
        _("Admin"),
        (
            Page(
                "access",
                _("Who may do what"),
                _("People, roles and lines, the second factor, and where somebody is logged in"),
                (roles.ACCESS,),
            ),
            Page(
                "api_tokens",
                _("Programs"),
                _("Which other programs come in, by which token, and what they may do"),
                (roles.API_TOKENS,),
            ),
            Page(
                "persons",
                _("People's data"),
                _("Given to a customer, or erased, when he asks"),
                (roles.EXPORT_PERSON, roles.ERASE_PERSON),
            ),
        ),
    ),
    Group("troubles", "troubles", TROUBLES.words, (TROUBLES,)),
)

COUNTED = tuple(page for group in GROUPS for page in group.pages if page.is_counted)


@dataclass(frozen=True)
class Link:
    """A page as one person sees it."""

    page: Page
    waiting: int
    is_here: bool

    @property
    def count(self) -> str:
        return count_words(self.waiting)


@dataclass(frozen=True)
class Menu:
    """A group as one person sees it: of one page, it is that page."""

    group: Group
    links: list[Link]

    @property
    def count(self) -> str:
        return count_words(sum(each.waiting for each in self.links))

    @property
    def is_counted(self) -> bool:
        """Whether anything can wait there."""
        return any(each.page.is_counted for each in self.links)

    @property
    def is_here(self) -> bool:
        return any(each.is_here for each in self.links)


def menus(user: User, at: datetime, here: str = "") -> list[Menu]:
    """The groups of which ``user`` may open something, with that; ``here``: the name of the page that is open."""
    shown = [Menu(group, _links(group, user, at, here)) for group in GROUPS]
    return [menu for menu in shown if menu.links]


def _links(group: Group, user: User, at: datetime, here: str) -> list[Link]:
    return [
        Link(page, page.count(at, user) if page.count else 0, page.name == here)
        for page in group.pages
        if any(map(user.has_perm, page.permissions))
    ]


def number_words(waiting: Mapping[str, int]) -> dict[str, str]:
    """``waiting`` by pages' names → what stands beside each of them, and beside each group, by the name of that place."""
    words = {name: count_words(n) for name, n in waiting.items()}
    for group in GROUPS:
        if len(group.pages) > 1 and any(page.is_counted for page in group.pages):
            words[group.number] = count_words(sum(waiting.get(page.name, 0) for page in group.pages))
    return words


def side_by_side(all_: list[Menu]) -> list[Menu]:
    """For the bar: where there are few pages, each by itself."""
    if sum(len(menu.links) for menu in all_) > FEW:
        return all_
    return [Menu(menu.group, [link]) for menu in all_ for link in menu.links]


def count_words(n: int) -> str:
    """Nothing is not said; the sign stands after the number in Arabic too."""
    return "" if n < 1 else str(n) if n <= MOST else f"\u2066{MOST}+\u2069"
