"""What other rooms wrote down of their troubles, told in the reader's language. They write plain English, for logs and for
the ledger of a delivery; here each sentence that is known is found again and said in words. Others stand as they are."""

import re
from collections.abc import Iterator
from datetime import datetime

from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

CLOCK = _("Check the clock of this machine (does it take its time from the network?), then settle it.")
LINE = _("Add the line under Lines, with this id: what came for it is taken in by itself.")
MAKERS = _("Tell the makers of Rasd what stands here, then settle it.")

KNOWN: tuple[tuple[re.Pattern[str], str | Promise], ...] = (
    # rasd.channels.outbox
    (
        re.compile(
            r"the customer last wrote more than 24 hours ago, and there is no template to write with.*"
        ),
        _(
            "The customer last wrote more than 24 hours ago, and this line has no reopening template to write with."
        ),
    ),
    (
        re.compile(r"tried (?P<times>\d+) times: (?P<last>.*)"),
        _("Tried %(times)s times; in the end: %(last)s"),
    ),
    (
        re.compile(
            r"the customer last wrote more than 24 hours ago, and the template in which it would go takes (?P<most>\d+)"
            r" characters, not (?P<n>\d+).*"
        ),
        _(
            "The customer last wrote more than 24 hours ago, and WhatsApp's template takes %(most)s characters, not %(n)s:"
            " send it in parts."
        ),
    ),
    # rasd.ledger.models
    (
        re.compile(r"entry (?P<n>\d+) or the one before it was changed after it was written"),
        _("Entry %(n)s, or the one before it, was changed after it was written."),
    ),
    (
        re.compile(r"entry (?P<n>\d+) is missing: .*"),
        _("Entry %(n)s is missing."),
    ),
    (
        re.compile(r"entry (?P<n>\d+) is not the one that was verified before"),
        _(
            "Entry %(n)s is not the one that was verified before: it was changed, or those at the end are gone."
        ),
    ),
    # rasd.channels.media
    (
        re.compile(r"its id died on (?P<time>.+ UTC); last: (?P<last>.*)"),
        _("WhatsApp keeps a file for so long only: until %(time)s. In the end: %(last)s"),
    ),
    (re.compile(r"too large: (?P<last>.*)"), _("Too large: %(last)s")),
    (
        re.compile(r"(?P<why>.*); kept as evidence, to be opened by nobody"),
        _("Kept as evidence, to be opened by nobody: %(why)s"),
    ),
    # rasd.channels.whatsapp.api
    (
        re.compile(r"WhatsApp refused \((?P<status>\d+)\): (?P<last>.*)"),
        _("WhatsApp refused (%(status)s): %(last)s"),
    ),
    (re.compile(r"WhatsApp cannot be reached: (?P<last>.*)"), _("WhatsApp cannot be reached: %(last)s")),
    (re.compile(r"WhatsApp did not answer: (?P<last>.*)"), _("WhatsApp did not answer: %(last)s")),
    (re.compile(r"download broke off: (?P<last>.*)"), _("The download broke off: %(last)s")),
    # rasd.channels.whatsapp.inbox and .payload
    (
        re.compile(r"line (?P<line>\S+) is not known: .*"),
        _("It is for a line that is not on record: %(line)s"),
    ),
    (
        re.compile(r"timestamp (?P<time>.*) is no time: .*"),
        _("It carries %(time)s, which is no time: taken as sent when it was delivered."),
    ),
    (re.compile(r"(?P<what>.*): nothing here reads it"), _("Nothing in Rasd reads this kind: %(what)s")),
    (re.compile(r"Meta reports (?P<what>.*)"), _("Meta reports: %(what)s")),
    (re.compile(r"(… and )(?P<n>\d+) more"), _("… and more: %(n)s")),
)
FUTURE = _("It says that it was sent in the future, on %(time)s: taken as sent when it was delivered.")

PLACE = re.compile(r"(?P<place>(?:entry|messages|statuses|calls)[\w.\[\]]*): (?P<rest>.*)", re.DOTALL)
TIMESTAMP = re.compile(r"timestamp '(?P<seconds>\d{1,10})' is no time")  # more figures: not seconds at all


def told(words: str, *, until: datetime | None = None) -> SafeString:
    """The lines of ``words``, each in the reader's language where it is known, else as it stands. ``until``: when they
    were delivered; a time after it lies in the future."""
    return format_html_join(mark_safe("<br>"), "{}", ((_line(each, until),) for each in words.splitlines()))


def to_do(words: str, *, until: datetime) -> list[str | Promise]:
    """What to do about a delivery's troubles, each thing once."""
    return list(dict.fromkeys(_todo_of(each, until) for each in words.splitlines()))


def _todo_of(line: str, until: datetime) -> str | Promise:
    if _in_future(line, until):
        return CLOCK
    return LINE if KNOWN_LINE.match(line) else MAKERS


KNOWN_LINE = re.compile(r"line \S+ is not known: ")


def _line(line: str, until: datetime | None) -> SafeString:
    found = PLACE.fullmatch(line)
    place, rest = (found["place"], found["rest"]) if found else ("", line)
    future = _in_future(rest, until)
    for sentence, values in [(FUTURE, {"time": f"{future:%Y-%m-%d %H:%M} UTC"})] if future else _known(rest):
        said = _filled(sentence, values)
        return format_html('{} <bdi dir="ltr">({})</bdi>', said, place) if place else said
    return format_html('<bdi dir="ltr">{}</bdi>', line)


def _known(line: str) -> Iterator[tuple[str | Promise, dict[str, str]]]:
    for pattern, sentence in KNOWN:
        if found := pattern.fullmatch(line):
            yield sentence, found.groupdict()


def _filled(sentence: str | Promise, values: dict[str, str]) -> SafeString:
    """``values`` are strangers' words: escaped, and kept apart from the sentence around them. They may be known too."""
    shown = {name: _line(value, None) for name, value in values.items()}
    return mark_safe(str(conditional_escape(str(sentence))) % shown)  # noqa: S308 (both are escaped)


def _in_future(line: str, until: datetime | None) -> datetime | None:
    found = TIMESTAMP.search(line)
    if found is None or until is None:
        return None
    at = datetime.fromtimestamp(int(found["seconds"]), tz=until.tzinfo)
    return at if at > until else None
