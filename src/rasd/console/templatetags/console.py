"""What the templates draw: icons, numbers beside names, and the small pictures."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rasd.console import counts, navigation, reasons, roles, troubles, words
from rasd.console.chat import KINDS
from rasd.console.pictures import filling
from rasd.console.reading import as_shown
from rasd.metering.models import Cycle
from rasd.metering.trial import Share

register = template.Library()

# 24 × 24, strokes only. Those with a direction are turned over in right-to-left pages by the style sheet (.turns).
ICONS = {
    "home": "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9M10 19v-5h4v5",
    "review": "M3 12s3.3-6 9-6 9 6 9 6-3.3 6-9 6-9-6-9-6ZM12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5Z",
    "conversations": "M4 5.5h16v10.5H11l-4.5 3.5V16H4ZM8 9.5h8M8 12.5h5",
    "cases": "M4 8.5h16v11H4ZM9 8.5v-3h6v3M4 13h16M11 12v2h2v-2",
    "cycle": "M5 5.5h14v14H5ZM5 9.5h14M9 3.5v4M15 3.5v4M8.5 14.5l2.5 2.3 4.5-4.6",
    "calendars": "M5 6h14v13H5ZM5 10h14M9 4v4M15 4v4M12 12.5v2.3l1.7 1",
    "eye": "M12 4.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15ZM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM12 4.5v4.5M12 15v4.5",
    "accounts": "M5 19.5V5M5 19.5h14.5M9 16v-4M13 16V8M17 16v-6",
    "troubles": "M12 4.5 21 19.5H3ZM12 10v4.5M12 16.8v.4",
    "account": "M12 5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7ZM5 20c.7-3.6 3.4-5.5 7-5.5s6.3 1.9 7 5.5",
    "leave": "M14 5H6v14h8M11 12h9M17 8.5l3.5 3.5-3.5 3.5",
    "send": "M4 12 20 5l-4.5 14.5-4-6ZM11.5 13.5 20 5",
    "undo": "M8 5 4 9l4 4M4 9h9.5a5.5 5.5 0 0 1 0 11H9",
    "rotate": "M19 5v5h-5M19 10a7.5 7.5 0 1 0 1 5",
    "search": "M10.5 4.5a6 6 0 1 1 0 12 6 6 0 0 1 0-12ZM15 15l5 5",
    "zoom": "M10.5 4.5a6 6 0 1 1 0 12 6 6 0 0 1 0-12ZM15 15l5 5M10.5 8v5M8 10.5h5",
    "check": "M5 12.5 10 17.5 19.5 7",
    "again": "M4 7.5h3l1.5-2h7l1.5 2h3v11.5H4ZM12 9.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7Z",
    "no": "M12 4.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15ZM7 7l10 10",
    "next": "M9 5.5 15.5 12 9 18.5",
    "back": "M15 5.5 8.5 12l6.5 6.5",
    "person": "M12 5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7ZM5 20c.7-3.6 3.4-5.5 7-5.5s6.3 1.9 7 5.5",
    "machine": "M6 9h12v9H6ZM12 5.5V9M9.5 12.8v1M14.5 12.8v1M9.5 15.7h5M3.5 12v3M20.5 12v3",
    "clock": "M12 4.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15ZM12 8v4.3l3 1.7",
    "note": "M6 4.5h12v9.5l-5 5.5H6ZM13 19.5V14h5M9 8.5h6M9 11.5h4",
    "keys": "M3.5 7h17v10h-17ZM7 10h.4M10.3 10h.4M13.6 10h.4M17 10h.4M8 13.8h8",
    "moon": "M19 14.5A8 8 0 0 1 9.5 5 7.5 7.5 0 1 0 19 14.5Z",
    "picture": "M4 5.5h16v13H4ZM4 16l4.5-4.5 3.5 3.5 3-3 5 5M15.5 9h.4",
    "api_tokens": "M8.5 8 4.5 12l4 4M15.5 8l4 4-4 4M13.5 6l-3 12",
    "access": "M8.5 15a3.5 3.5 0 1 1 3.3-4.7H20v3.2h-2.4v2.3h-3v-2.3h-2.8A3.5 3.5 0 0 1 8.5 15ZM8 11.5h.4",
    "persons": "M6 4.5h12v15H6ZM12 8a1.8 1.8 0 1 1 0 3.6A1.8 1.8 0 0 1 12 8ZM8.8 16.5c.3-2 1.5-3 3.2-3s2.9 1 3.2 3",
    "file": "M7 4h7l4 4v12H7ZM14 4v4h4",
    "bell": "M6.5 16.5h11l-1.5-2V10a4 4 0 0 0-8 0v4.5ZM10.5 19h3M12 4v2",
    "filter": "M4 6.5h16M7 12h10M10 17.5h4",
    "people": "M9 6a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM3.5 18.5c.5-3 2.6-4.5 5.5-4.5s5 1.5 5.5 4.5"
    "M16 7a2.5 2.5 0 0 1 0 4.8M17 14.5c2 .5 3 2 3.5 4",
    "cross": "M6.5 6.5l11 11M17.5 6.5l-11 11",
    "pen": "M5 19l1-4L16 5l3 3L9 18ZM14 7l3 3",
    "readings": "M4 8h16v8H4ZM9.3 8v8M14.7 8v8M6.7 10.8v2.4M12 10.8v2.4M17.3 10.8v2.4",
    "settings": "M4 7h9M17 7h3M4 12h3M11 12h9M4 17h7M15 17h5M15 5a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z"
    "M9 10a2 2 0 1 1 0 4 2 2 0 0 1 0-4ZM13 15a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z",
    "team_work": "M4.5 6l1.2 1.2 2-2.2M4.5 12l1.2 1.2 2-2.2M4.5 18l1.2 1.2 2-2.2M11 6.5h9M11 12.5h9M11 18.5h9",
    "team_queues": "M5 5.5h14v3.5H5ZM5 10.5h14v3.5H5ZM5 15.5h14v3.5H5Z",
    "wall": "M3.5 5.5h17v10.5h-17ZM9 19.5h6M12 16v3.5M7.5 13v-3M11 13V8.5M14.5 13v-2",
    "standards": "M12 4.5l6.5 2.5v5c0 4-3 6.5-6.5 7.8-3.5-1.3-6.5-3.8-6.5-7.8V7ZM9 12l2.2 2.2 4-4.4",
    "canned_answers": "M5 4.5h14v15H5ZM8.5 8.5h7M8.5 12h7M8.5 15.5h4",
    "case_kinds": "M4 12.5V5h7.5l8 8-7.5 7.5ZM8 8.6h.4",
    "list": "M9 6.5h11M9 12h11M9 17.5h11M4.5 6.5h.4M4.5 12h.4M4.5 17.5h.4",
    "team": "M12 5.5a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2ZM7 19c.4-3.3 2.2-5 5-5s4.6 1.7 5 5M5.5 8a1.8 1.8 0 1 0 .1 3.5"
    "M3 16.5c.2-1.7 1-2.8 2.4-3.2M18.5 8a1.8 1.8 0 1 1-.1 3.5M21 16.5c-.2-1.7-1-2.8-2.4-3.2",
}
TURN = {"leave", "send", "undo", "next", "back", "conversations"}


@register.simple_tag
def icon(name: str) -> SafeString:
    """Decoration: what it means stands beside it in words."""
    kind = "icon turns" if name in TURN else "icon"
    return format_html(
        '<svg class="{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        kind,
        ICONS[name],
    )


@register.inclusion_tag("console/_links.html", takes_context=True)
def links(context: dict[str, Any]) -> dict[str, Any]:
    """The bar's pages and groups of pages, each with what waits there."""
    shown = navigation.menus(context["request"].user, timezone.now(), context.get("here", ""))
    return {"menus": navigation.side_by_side(shown)}


@register.simple_tag(takes_context=True)
def live_topics(context: dict[str, Any]) -> str:
    """What the numbers in the navigation hang on, as far as this person may be told."""
    user = context["request"].user
    topics = {
        "review": roles.REVIEW,
        "owed": roles.CONVERSATIONS,
        "cases": roles.CASES,
        "troubles": roles.TROUBLES,
    }
    return " ".join(topic for topic, permission in topics.items() if user.has_perm(permission))


@register.simple_tag(takes_context=True)
def made_at(context: dict[str, Any]) -> str:
    """When this page was asked for (UTC, seconds): what was stored since then it may not show, and its stream tells it."""
    return f"{context['request'].arrived_at.timestamp():.3f}"


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    chosen = context["request"].COOKIES.get("theme", "auto")
    return chosen if chosen in {"light", "dark"} else "auto"


@register.simple_tag
def utility() -> str:
    return settings.UTILITY_NAME


@register.filter
def percent(probability: float | None) -> str:
    """0.987 → 99 %; never 100 for what is not certain."""
    if probability is None:
        return "–"
    shown = round(probability * 100)
    return f"{min(shown, 99) if probability < 1 else shown}%"


@register.filter
def share(percents: float) -> str:
    """Per cent of a whole: neither none of it nor all of it where that is not so."""
    if 0 < percents < 1:
        return "\u2066<1%\u2069"  # isolated, so that Arabic leaves the sign where it is
    return f"{min(round(percents), 99) if percents < 100 else 100}%"


@register.filter
def ago(moment: Any) -> str:
    """How long since, in the largest unit that says it: an agent looks, he does not calculate."""
    return _span(timezone.now() - moment) if moment else ""


@register.simple_tag
def due(moment: Any) -> SafeString:
    """When an answer is due, and whether that is past."""
    left = moment - timezone.now()
    if left < timedelta(0):
        return format_html('<span class="due late">{}</span>', _("late by %(time)s") % {"time": _span(-left)})
    kind = "due soon" if left < timedelta(minutes=15) else "due"
    return format_html('<span class="{}">{}</span>', kind, _("due in %(time)s") % {"time": _span(left)})


def _span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 1:
        return _("under a minute")
    if minutes < 60:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    if minutes < 48 * 60:
        return ngettext("%(n)d hour", "%(n)d hours", minutes // 60) % {"n": minutes // 60}
    return ngettext("%(n)d day", "%(n)d days", minutes // 1440) % {"n": minutes // 1440}


@register.filter
def ltr(words: Any) -> SafeString:
    """A number, an id or an address inside Arabic: read from the left and kept apart from its neighbours."""
    return format_html('<bdi dir="ltr">{}</bdi>', words) if words not in (None, "") else mark_safe("")


@register.filter
def sender(identifier: str) -> SafeString:
    """``tel:+96891234567`` → the number; another identifier without its kind."""
    return ltr(identifier.partition(":")[2] or identifier)


@register.inclusion_tag("console/_tiles.html", takes_context=True)
def tiles(context: dict[str, Any]) -> dict[str, Any]:
    """What waits as large tiles, and below them all that one may open, each with what it is for."""
    shown = navigation.menus(context["request"].user, timezone.now())
    numbered = [link for menu in shown for link in menu.links if link.page.count or link.page.name == "cycle"]
    return {
        "menus": shown,
        "tiles": [
            {
                "name": link.page.name,
                "url": link.page.url,
                "words": _tile_words(link.page.name, link.waiting),
                "count": _cycle_percent() if link.page.name == "cycle" else link.waiting,
            }
            for link in numbered
        ],
    }


def _tile_words(name: str, n: int) -> str:
    """What stands below the tile's number, in the form that goes with that number."""
    if name == "review":
        return ngettext("photograph waits for a look", "photographs wait for a look", n)
    if name == "conversations":
        return ngettext("customer waits for an answer", "customers wait for an answer", n)
    if name == "cases":
        return ngettext("case is late", "cases are late", n)
    if name == "troubles":
        return ngettext("trouble waits for somebody", "troubles wait for somebody", n)
    return _("of this month's readings have come in")


def _cycle_percent() -> str:
    at = timezone.now()
    cycle = Cycle.latest(at)
    return share(filling(counts.of("progress", cycle, at)[0]).read_percent) if cycle else ""


ROLE_NAMES = {
    "agent": gettext_lazy("agent"),
    "reviewer": gettext_lazy("reviewer"),
    "supervisor": gettext_lazy("supervisor"),
    "administrator": gettext_lazy("administrator"),
}


@register.simple_tag
def role_name(name: str) -> Any:
    return ROLE_NAMES.get(name, name)


# Review


@register.filter
def css(number: float | None) -> str:
    """A number for CSS and SVG: a point, whatever the language, and two places."""
    return f"{number:.2f}" if number is not None else "0"


@register.filter
def places(value: Any, counter: Any) -> str:
    """A value as the counter shows it."""
    return as_shown(value, counter)


MANY_TIMES = 4.0  # more by so many times: beyond what a season or a guest does


@register.filter
def plain(value: Decimal) -> str:
    """A number as people write it: no exponent, no zeros that say nothing."""
    return as_shown(value, None)


@register.simple_tag
def why(code: str) -> Any:
    return words.why(code)


@register.simple_tag
def change(share: float) -> str:
    """Against the same days last year: +0.25 is a quarter more. A wrong reading gives thousands; nobody needs the number."""
    amount = f"\u2068{abs(share):.0%}\u2069"  # isolated, so that Arabic leaves the sign where it is
    if abs(share) < 0.05:
        return _("as in the same days last year")
    if share > MANY_TIMES:
        return _("many times more a day than in the same days last year")
    if share > 0:
        return _("%(percent)s more a day than in the same days last year") % {"percent": amount}
    return _("%(percent)s less a day than in the same days last year") % {"percent": amount}


@register.simple_tag
def conversation_url(subject: str) -> str:
    """``conversation:17`` → its page."""
    return reverse("console:conversation", args=[int(subject.partition(":")[2])])


# Conversations


@register.simple_tag
def person(conversation: Any) -> SafeString:
    """Whoever writes: by name where one is known, else by number."""
    name = conversation.contact.name or conversation.address.profile_name
    if name:
        return format_html("<bdi>{}</bdi>", name)
    return format_html(
        '<bdi dir="ltr">{}</bdi>', conversation.address.phone or _("somebody without a number")
    )


@register.simple_tag
def avatar(conversation: Any) -> SafeString:
    """The first letter, on a colour that stays the same for the same person."""
    name = conversation.contact.name or conversation.address.profile_name or ""
    letter = next((each for each in name if each.isalpha()), "#")
    return format_html(
        '<span class="avatar" style="--hue: {}" aria-hidden="true">{}</span>',
        conversation.address_id * 47 % 360,
        letter,
    )


@register.simple_tag
def preview(message: Any) -> str:
    """A message in one line."""
    if message is None:
        return ""
    if message.incoming is not None:
        return Truncator(message.incoming.text or str(KINDS.get(message.incoming.kind, ""))).chars(90)
    return Truncator(message.outgoing.text).chars(90)


@register.simple_tag
def hand_over_words(hand_over: Any) -> Any:
    said = {
        "customer": gettext_lazy("With people: the customer asked for a person"),
        "complaint": gettext_lazy("With people: the customer complained"),
        "machine": gettext_lazy("With people: the machine could not go on"),
        "staff": gettext_lazy("With people: a colleague took over"),
    }
    return said[hand_over.wish]


@register.simple_tag
def advice(code: int | None) -> Any:
    return troubles.advice(code)


# Cycle


@register.filter
def part_words(name: str) -> Any:
    """The parts of the bar that fills."""
    said = {
        "adopted": gettext_lazy("Adopted"),
        "in_review": gettext_lazy("With a reviewer"),
        "asked": gettext_lazy("The customer is asked"),
        "reading": gettext_lazy("Being read"),
        "missing": gettext_lazy("Nothing yet"),
    }
    return said[name]


# Shares, and reasons


@register.simple_tag
def interval(share: Share) -> SafeString:
    """97 of 128, 76% (68–82%): never a share without what it rests on."""
    if share.value is None:
        return mark_safe('<span class="muted">–</span>')
    words = _("%(right)d of %(of)d") % {"right": share.right, "of": share.of}
    return format_html(
        '<span class="share">{} <bdi dir="ltr">{} <small>({}–{}%)</small></bdi></span>',
        words,
        percent(share.value),
        round(100 * share.low),
        round(100 * share.high),
    )


@register.filter
def reason(why: str) -> str:
    """Why something was done: the machine's sentences in the reader's language, a person's own words as they are."""
    return reasons.told(why)
