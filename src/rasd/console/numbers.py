"""The numbers beside the pages' names and the inbox's views, of all open pages at once, as the stream tells them (``live``).

Counted once for everybody who sees the same lines, in some ten questions however many look; what each owes himself is found
for all in one. With the rights that stand now: who lost one after his page was made is told no number of it any more.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from rasd.channels.models import limits_of_all
from rasd.console import inbox, navigation, roles
from rasd.console.sight import who_may
from rasd.desk.inbox import Filters, counted, counted_by_owner
from rasd.desk.models import SavedView

BAR, VIEWS = "numbers", "views"
"""What a page asks its stream for: the bar's, and those of the inbox's views."""
SHOWN = frozenset({BAR, VIEWS})
HANG_ON = frozenset({"review", "owed", "cases", "troubles"})
"""Topics with which they change; some by time alone, as what is owed gets late."""

Words = dict[str, str]
"""By the ``data-number`` of the place where it stands."""


def told(shown: Collection[tuple[str, int]], at: datetime) -> dict[tuple[str, int], Words]:
    """For each (BAR or VIEWS, user) what stands there now, in words; nothing for a user who is no more."""
    people = User.objects.filter(is_active=True).in_bulk({user for _what, user in shown})
    limits = limits_of_all()
    needed = {each for page in navigation.COUNTED for each in page.permissions} | {roles.CONVERSATIONS}
    may = who_may(needed, people.values(), limits.keys())
    by_lines: dict[frozenset[int] | None, set[int]] = defaultdict(set)
    for pk in people:
        by_lines[limits.get(pk)].add(pk)
    found: dict[tuple[str, int], Words] = {}
    for alike in by_lines.values():
        any_one = people[next(iter(alike))]
        bars = _bars(any_one, {each for each in alike if (BAR, each) in shown}, may, at)
        views = _views(
            any_one, {each for each in alike if (VIEWS, each) in shown} & may[roles.CONVERSATIONS], at
        )
        found |= {(BAR, user): words for user, words in bars.items()}
        found |= {(VIEWS, user): words for user, words in views.items()}
    return found


def _bars(any_one: User, alike: set[int], may: dict[str, set[int]], at: datetime) -> dict[int, Words]:
    """Of people who see the same lines as ``any_one``."""
    open_to = {
        page.name: alike & set().union(*(may[each] for each in page.permissions))
        for page in navigation.COUNTED
    }
    waiting = {
        page.name: page.count(at, any_one) for page in navigation.COUNTED if page.count and open_to[page.name]
    }
    return {
        user: navigation.number_words({name: n for name, n in waiting.items() if user in open_to[name]})
        for user in alike
    }


def _views(any_one: User, alike: set[int], at: datetime) -> dict[int, Words]:
    """Of people who see the same lines as ``any_one``: the usual ones, everybody's, and each one's own."""
    if not alike:
        return {}
    usual = {key: Filters.of(filters) for key, _name, filters, is_counted in inbox.USUAL if is_counted}
    views = {user: dict(usual) for user in alike}
    for each in SavedView.objects.filter(Q(owner__in=alike) | Q(owner=None)):
        filters = Filters.of(each.filters)
        for user in alike if each.owner_id is None else {each.owner_id}:
            views[user][str(each.pk)] = filters
    wanted = {filters for his in views.values() for filters in his.values()}
    shared = [filters for filters in wanted if not filters.mine]
    counts = dict(zip(shared, counted(shared, any_one, at, most=inbox.MOST_COUNTED + 1), strict=True))
    own = {filters: counted_by_owner(filters, any_one, at) for filters in wanted if filters.mine}
    return {
        user: {
            f"view-{key}": inbox.view_words(own[each].get(user, 0) if each.mine else counts[each])
            for key, each in his.items()
        }
        for user, his in views.items()
    }
