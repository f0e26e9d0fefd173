"""The watch's codes in words, for people. Every code that a report can carry has its words here (a test holds that)."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rasd.watch.players.finding import ExhibitKind, Outcome, Trouble
from rasd.watch.verdicts import Verdict

Words = str | Promise

WITHIN = re.compile(r" \(within: ([\d.]+)s\)$")
KEPT = re.compile(r"(?:^|, )keep: .*$", re.DOTALL)
NAMED = re.compile(r"(^|, )(?:words|subject|name|url): ")
"""Keys of the language in what a step says."""

VERDICTS: dict[str, Words] = {
    Verdict.COMPLETED: _("done"),
    Verdict.COMPLETED_BUT: _("done, but"),
    Verdict.THEIRS: _("not done"),
    Verdict.OURS: _("the watch's own fault"),
    Verdict.WALL: _("robots kept out"),
}
"""Beside a mark of its own shape (``templates/watch/_mark.html``)."""

SENTENCES: dict[str, Words] = {
    Verdict.COMPLETED: _("The visitor got what he came for."),
    Verdict.COMPLETED_BUT: _("The visitor got what he came for, but not everything was as it should be."),
    Verdict.THEIRS: _("The visitor did not get what he came for."),
    Verdict.OURS: _("This visit says nothing about the service: the watch itself was at fault."),
    Verdict.WALL: _("The service keeps robots out. The watch did not go around it."),
}

WHY: dict[str, Words] = {
    "planned": _("planned in advance, at a time drawn by lot"),
    "confirmation": _("a second visit, after one that did not go well"),
    "by hand": _("sent by somebody, outside the plan"),
}

WHYS: dict[str, Words] = {
    "planned": _("planned"),
    "confirmation": _("second visit"),
    "by hand": _("sent by hand"),
}
"""The same in a word or two, where there is no room for more."""

WINDOWS: dict[str, Words] = {
    "fast": _("Many errands have failed in the last hours"),
    "slow": _("Too many errands have failed in the last days"),
    "wall": _("Robots are kept out: nothing is known of the service"),
    "blind": _("The watch itself sees nothing"),
    "leave": _("The owner's permission must be renewed"),
}
"""Alerts."""

TELLINGS: dict[str, Words] = {
    "opened": _("that it began"),
    "reminder": _("that it goes on"),
    "closed": _("that it is over"),
}
"""What people are told of an alert."""

STATES: dict[str, Words] = {
    "well": _("Every errand that was tried in the last day was done"),
    "some": _("Some errands that were tried in the last day were not done"),
    "trouble": _("Many errands are not done at present"),
    "maintenance": _("Announced maintenance is under way"),
    "unknown": _("It was not tried in the last day"),
}
"""Of a service, as the public page says them."""

FILES: dict[str, Words] = {
    "probes": _("Visits"),
    "steps": _("Steps"),
    "visits": _("The plan, and what became of it"),
}

OUTCOMES: dict[str, Words] = {
    Outcome.DONE: _("went well"),
    Outcome.FAILED: _("did not go well"),
    Outcome.GAVE_UP: _("gave up waiting"),
    Outcome.NOT_REACHED: _("not reached"),
}

TROUBLES: dict[str, Words] = {
    Trouble.NOT_THERE: _("What he looked for is not on the page."),
    Trouble.OUT_OF_REACH: _("It is there, but nobody could press it: hidden, covered or switched off."),
    Trouble.TWO_OF_THEM: _("There are several of the name, and the journey does not say which."),
    Trouble.OTHER_WORDS: _("The page says something else than it should."),
    Trouble.ERROR_PAGE: _("The service answered with an error."),
    Trouble.NO_ANSWER: _("No answer came."),
    Trouble.LOOP: _("The same answer came again: he went round in a circle."),
    Trouble.LOST: _("What he had typed was gone."),
    Trouble.UNREACHABLE: _("There was no connection."),
    Trouble.WALL: _("Robots are kept out here."),
    Trouble.NOT_PERMITTED: _("The permission does not cover this: the service was not asked for anything."),
    Trouble.BROWSER: _("The watch's browser crashed or did not start."),
    Trouble.JOURNEY: _("The journey itself is wrong."),
    Trouble.NOT_BUILT: _("The watch cannot do this yet."),
}

SPEAKERS: dict[str, Words] = {
    "he": _("the visitor"),
    "machine": _("the service"),
    "person": _("a person of the service"),
}

DEVICES: dict[str, Words] = {"phone": _("on a phone"), "desktop": _("on a computer")}
NETWORKS: dict[str, Words] = {
    "wifi": _("over Wi-Fi"),
    "4g": _("over a 4G network"),
    "3g": _("over a 3G network"),
    "slow": _("over a slow network"),
}
LANGUAGES: dict[str, Words] = {"ar": _("Arabic"), "en": _("English")}

VERBS: dict[str, Words] = {
    "open": _("He opened"),
    "press": _("He pressed"),
    "fill": _("He typed"),
    "choose": _("He chose"),
    "tick": _("He ticked"),
    "attach": _("He attached"),
    "see": _("He looked for"),
    "miss": _("He made sure that this is not there:"),
    "keep": _("He noted"),
    "back": _("He went back"),
    "say": _("He wrote in the chat"),
    "hear": _("He waited for an answer"),
    "write": _("He sent an e-mail"),
    "mail": _("He waited for an e-mail"),
    "code": _("He took the one-time code"),
    "get": _("He asked for the address"),
    "ring": _("He telephoned"),
    "wait": _("He waited"),
    "go": _("He changed to"),
    "python": _("A step of the journey's own:"),
}

EXHIBITS: dict[str, Words] = {
    ExhibitKind.PICTURE: _("picture of the page"),
    ExhibitKind.WORDS: _("the page's words"),
    ExhibitKind.NETWORK: _("network"),
    ExhibitKind.CONSOLE: _("browser's errors"),
    ExhibitKind.TRACE: _("trace"),
    ExhibitKind.TRANSCRIPT: _("transcript"),
    ExhibitKind.LETTER: _("letter"),
}

SKIPS: dict[str, Words] = {
    "stopped": _("no watcher was running"),
    "busy": _("every watcher was busy with another visit"),
    "budget": _("the day's budget was used up"),
    "maintenance": _("announced maintenance"),
    "permission": _("no valid permission"),
    "robots": _("robots.txt forbids it"),
    "unread": _("robots.txt could never be read"),
    "rate": _("the service asked to be left alone for a while"),
    "gone": _("the journey or the target was taken away"),
    "died": _("the watcher died during the visit"),
    "replanned": _("planned anew after a change of watch.yaml"),
}

PRESENTED: dict[str, Words] = {
    "browser": _("browser"),
    "user_agent": _("user agent"),
    "device": _("device"),
    "viewport": _("screen"),
    "locale": _("language of the browser"),
    "zone": _("time zone"),
    "network": _("network"),
    "languages": _("languages asked for"),
    "scale": _("pixels a point"),
    "rates": _("speed of the line"),
}
"""Names of what a visit showed of itself; what is not here is shown under the name that the player gave it."""


def part(name: str) -> Words:
    """``otherwise:1:done`` → words."""
    if name.startswith("otherwise"):
        return _("He makes sure") if name.endswith(":done") else _("Then he tried another way")
    return {"steps": _("What he did"), "done": _("He makes sure"), "clean_up": _("He tidies up")}.get(
        name, name
    )


def step(says: str) -> str:
    """A step as reports have it (``press: Send``) in the reader's language: He pressed Send."""
    verb, colon, rest = says.partition(": ")
    return f"{VERBS[verb]} {plainly(verb, rest)}" if colon and verb in VERBS else says


def plainly(verb: str, rest: str) -> str:
    """What a step says after its verb, as a person would: without the names of the language's own keys."""
    told = WITHIN.sub("", rest)
    if verb in {"hear", "mail", "get", "press", "tick"}:
        told = NAMED.sub(r"\1", KEPT.sub("", told)).replace("person: True", gettext("a person"))
    return "" if verb == "back" else told
