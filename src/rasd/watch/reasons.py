"""Each reason of a verdict as a sentence, in the reader's language. The codes are ``verdicts.Reason``; what the sentences are
told with stands in the report's ``facts``."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rasd.watch.verdicts import Reason

Facts = Mapping[str, Any]


def said(because: Iterable[str], facts: Mapping[str, Facts]) -> list[str]:
    """The reasons in their order, in the language in force. ``because`` and ``facts`` are those of the report."""
    return [sentence(code, facts.get(code, {})) for code in because]


def sentence(code: str, facts: Facts) -> str:
    """Raises ValueError where there is no such reason."""
    return SENTENCES[Reason(code)](_Known(facts))


class _Known(dict[str, Any]):
    """What a report does not tell is a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def _channel(name: str) -> str:
    return {
        "web": _("the web site"),
        "chat": _("the chat"),
        "mail": _("e-mail"),
        "http": _("a bare request"),
        "voice": _("the telephone"),
    }.get(name, name)


def _asked_again(facts: Facts) -> str:
    count = int(facts.get("count", 1))
    return ngettext(
        "He was asked once for what he had already given.",
        "He was asked %(count)s times for what he had already given.",
        count,
    ) % {"count": count}


def _broken(facts: Facts) -> str:
    count = int(facts.get("count", 1))
    return ngettext(
        "One script or style of the pages did not come.",
        "%(count)s scripts or styles of the pages did not come.",
        count,
    ) % {"count": count}


def _errors(facts: Facts) -> str:
    count = int(facts.get("count", 1))
    return ngettext(
        "The pages' own scripts failed once.",
        "The pages' own scripts failed %(count)s times.",
        count,
    ) % {"count": count}


SENTENCES: dict[Reason, Callable[[Facts], str]] = {
    Reason.DIED: lambda facts: _(
        "The watch itself broke down in the middle of the visit. Nothing is held against the service."
    ),
    Reason.HUNG: lambda facts: _(
        "The watch itself got stuck and was stopped. Nothing is held against the service."
    ),
    Reason.OWN_NETWORK: lambda facts: _("The watch's own network did not work."),
    Reason.OWN_CLOCK: lambda facts: _("The watch's own clock was off by %(seconds)s seconds.") % facts,
    Reason.OWN_DISK: lambda facts: _(
        "The watch had only %(megabytes)s MB of disk left for the evidence."
    ) % facts,
    Reason.OWN_MEMORY: lambda facts: _("The watch had only %(percent)s %% of its memory left.") % facts,
    Reason.OWN_BROWSER: lambda facts: _("The watch's own browser did not work."),
    Reason.OWN_MAIL: lambda facts: _("The watch's own mailbox did not work in step %(step)s.") % facts,
    Reason.JOURNEY: lambda facts: _(
        "The journey itself is wrong at step %(step)s, “%(says)s”: mend the journey."
    ) % facts,
    Reason.TWO_OF_THEM: lambda facts: _(
        "The journey does not tell which of several things it means at step %(step)s, “%(says)s”: mend the journey."
    ) % facts,
    Reason.NOT_BUILT: lambda facts: _("The watch cannot play step %(step)s, “%(says)s”, yet.") % facts,
    Reason.NOT_PERMITTED: lambda facts: _(
        "The permission does not cover step %(step)s, “%(says)s”: the watch did not do it."
    ) % facts,
    Reason.OVERLOAD: lambda facts: _(
        "The watch's own machine was overloaded at step %(step)s, “%(says)s”: it may be that alone."
    ) % facts,
    Reason.NOT_TOLD_APART: lambda facts: _(
        "Step %(step)s, “%(says)s”, waited in vain, and it is not known whether the watch's own network worked: "
        "name places for own_network in watch.yaml."
    ) % facts,
    Reason.WALL: lambda facts: _(
        "The service keeps robots out at step %(step)s, “%(says)s”. The watch does not go round that."
    ) % facts,
    Reason.NOT_FOUND_AGAIN: lambda facts: _(
        "Everything seemed to be done, but at a second look nothing of it was there (step %(step)s, “%(says)s”)."
    ) % facts,
    Reason.FOUND_PARTLY: lambda facts: _(
        "Everything seemed to be done, but at a second look a part of it was missing (step %(step)s, “%(says)s”)."
    ) % facts,
    Reason.ERROR_PAGE: lambda facts: _(
        "The service answered step %(step)s, “%(says)s”, with an error."
    ) % facts,
    Reason.UNREACHABLE: lambda facts: _(
        "The service could not be reached at step %(step)s, “%(says)s”."
    ) % facts,
    Reason.LOST: lambda facts: _("What he had typed was lost at step %(step)s, “%(says)s”.") % facts,
    Reason.LOOP: lambda facts: _(
        "He was given the same answer again and again at step %(step)s, “%(says)s”."
    ) % facts,
    Reason.NO_ANSWER: lambda facts: _(
        "No answer came at step %(step)s, “%(says)s”, as long as he would wait."
    ) % facts,
    Reason.OUT_OF_REACH: lambda facts: _(
        "What he needed at step %(step)s, “%(says)s”, is there but cannot be used: hidden, covered or switched off."
    ) % facts,
    Reason.NOT_THERE: lambda facts: _(
        "What he needed at step %(step)s, “%(says)s”, is not on the page."
    ) % facts,
    Reason.OTHER_WORDS: lambda facts: _(
        "The page said something else than it should at step %(step)s, “%(says)s”."
    ) % facts,
    Reason.CHANGED_CHANNEL: lambda facts: _(
        "He did not get through by %(from)s (step %(step)s, “%(says)s”) and had to change to %(to)s."
    ) % (dict(facts) | {"from": _channel(facts["from"]), "to": _channel(facts["to"])} | _step(facts)),
    Reason.PERSON_LATE: lambda facts: _("A person came only after %(seconds)s seconds.") % facts,
    Reason.SLOW: lambda facts: _(
        "It took %(seconds)s of the %(patience)s seconds that he was willing to give, most of them at step %(step)s, “%(says)s”."
    ) % facts,
    Reason.ASKED_AGAIN: _asked_again,
    Reason.BROKEN: _broken,
    Reason.ERRORS: _errors,
    Reason.CLEAN_UP: lambda facts: _(
        "What the watch had made up could not be taken away again (step %(step)s, “%(says)s”)."
    ) % facts,
}  # fmt: skip


def _step(facts: Facts) -> dict[str, Any]:
    return {"step": facts["step"], "says": facts["says"]}
