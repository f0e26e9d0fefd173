"""Matters that are not over with one answer: which there are, each with its history, and what can be done about it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.channels.rules import window_is_open
from rasd.console import cases as lists
from rasd.console import promises, roles
from rasd.console.access import StaffRequest, page
from rasd.console.views.shared import message_key, read_notices, whole_number
from rasd.console.views.shared import typed as typed_in
from rasd.desk.errors import (
    AnsweredMeanwhile,
    AnswerHeld,
    CannotReceive,
    Claimed,
    NotInThisStage,
    NotOnShift,
    NotTheirLine,
)
from rasd.desk.models import CannedAnswer, Case, CaseEntry, Employee, Queue
from rasd.desk.sight import lines_of_case, not_seeing
from rasd.ledger.models import actor_of

LONGEST = 4096  # characters of a text message [Meta's documentation]


@page(roles.CASES)
@never_cache
def cases(request: StaffRequest) -> HttpResponse:
    """Late ones first, the soonest due on top; what is asked for stands in the address."""
    now, asked = timezone.now(), lists.Filters.of(request.GET)
    rows, older = asked.page(request.user, now)
    context = {
        "here": "cases",
        "filters": asked,
        "rows": rows,
        "next_page": older,
        "now": now,
        "counts": lists.counts(request.user, now),
        "whose": [(name, words, asked.address(whose=name)) for name, words in lists.WHOSE.items()],
        "states": lists.STATES,
        "kinds": lists.kinds(),
        "owners": lists.owners(),
        "may_manage": request.user.has_perm(roles.STANDARDS),
    }
    return render(request, "console/cases.html", context)


@page(roles.CASES)
@never_cache
def case(request: StaffRequest, pk: int) -> HttpResponse:
    shown = _get(pk)
    if not request.htmx:
        read_notices(request.user, case=shown)
    return _show(request, shown)


@page(roles.CASES)
@never_cache
def sheet(request: StaffRequest, pk: int) -> HttpResponse:
    """The whole case on paper, for an inspector: what the customer saw and what he did not, each with its ledger number."""
    shown = _get(pk)
    return render(request, "console/case_sheet.html", {**_about(shown), "printed_at": timezone.now()})


@page(roles.CASES)
@never_cache
def ledger(request: StaffRequest, pk: int) -> HttpResponse:
    """Every entry of the ledger about the case and its work, as it is kept."""
    shown = _get(pk)
    context = {"here": "cases", "case": shown, "entries": lists.ledger_of(shown)}
    return render(request, "console/case_ledger.html", context)


# What is said


@page(roles.CASES)
@require_POST
def say(request: StaffRequest, pk: int) -> HttpResponse:
    """To the customer; once for each ``key``, which the page made before it sent."""

    def deed(case: Case, text: str) -> None:
        case.say(text, **_as_sent(request, text))

    return _written(request, pk, "say", deed, _("Sent to the customer."))


@page(roles.CASES)
@require_POST
def note(request: StaffRequest, pk: int) -> HttpResponse:
    def deed(case: Case, text: str) -> None:
        key = message_key(f"note-{_key(request)}", text)
        case.note(text, author=request.user, at=timezone.now(), key=key)

    return _written(request, pk, "say", deed, _("Noted for your colleagues."))


@page(roles.CASES)
@require_POST
def close(request: StaffRequest, pk: int) -> HttpResponse:
    """Shown once as the customer will read it, as it cannot be taken back; then sent (G11)."""
    text = _typed(request, "text")
    if "confirmed" not in request.POST and text and len(text) <= LONGEST:
        return _look_at_it(request, _get(pk), text)
    if "edit" in request.POST:
        return _show(request, _get(pk), typed=text, typed_at="close")

    def deed(case: Case, text: str) -> None:
        case.close(text, on_page=bool(_way(request)["on_page"]), **_as_sent(request, text))

    said = _("The answer is written. The case is closed as soon as it can be received.")
    try:
        return _written(request, pk, "close", deed, said)
    except AnsweredMeanwhile:
        return _look_at_it(request, _get(pk), text, status=422)


def _as_sent(request: StaffRequest, text: str) -> dict[str, Any]:
    """By whom, when, what he had seen, and which promises he says that it keeps."""
    return {
        "author": request.user,
        "key": message_key(_key(request), text),
        "at": timezone.now(),
        "seen": whole_number(_typed(request, "seen")),
        "keeps": promises.said(request),
    }


def _look_at_it(request: StaffRequest, shown: Case, text: str, *, status: int = 200) -> HttpResponse:
    """The answer as the customer will read it, and beside it what colleagues said since its writer last looked: he has seen
    both when he sends it."""
    context = {
        "here": "cases",
        "case": shown,
        "text": text,
        "key": _key(request),
        "meanwhile": shown.said_meanwhile(request.user, whole_number(_typed(request, "seen"))),
        "seen": _last_line(shown),
        "ticks": promises.ticks(request, shown.conversation),
        **_way(request),
    }
    return render(request, "console/case_close.html", context, status=status)


def _last_line(shown: Case) -> int:
    """Of its history, as a page shows it: what is said after that its reader has not seen."""
    return shown.entries.order_by("-pk").values_list("pk", flat=True).first() or 0


# Whose turn it is, and whose work


@page(roles.CASES)
@require_POST
def take_up(request: StaffRequest, pk: int) -> HttpResponse:
    return _done(request, pk, lambda case: case.take_up(at=timezone.now(), actor=actor_of(request.user)))


@page(roles.CASES)
@require_POST
def wait(request: StaffRequest, pk: int) -> HttpResponse:
    return _done(
        request, pk, lambda case: case.wait_for_customer(at=timezone.now(), actor=actor_of(request.user))
    )


@page(roles.CASES)
@require_POST
def hand_on(request: StaffRequest, pk: int) -> HttpResponse:
    """To a queue, or to a person in it: ``to`` is ``queue:3`` or ``user:3:salma``, queue first."""
    why = _typed(request, "why")
    queue, owner = _receiver(_typed(request, "to"))
    if queue is None or not why:
        problem = _("Choose who is to have it.") if why else _("Say why: whoever gets it reads this first.")
        return _show(request, _get(pk), problem=problem, typed=why, typed_at="hand_on")

    def deed(case: Case) -> None:
        case.hand_on(queue, owner=owner, at=timezone.now(), actor=actor_of(request.user), why=why)

    return _done(request, pk, deed, typed=why, typed_at="hand_on")


@page(roles.CASES)
@require_POST
def reopen(request: StaffRequest, pk: int) -> HttpResponse:
    why = _typed(request, "why")
    if not why:
        return _show(request, _get(pk), problem=_("Say why it is opened again."), typed_at="reopen")
    return _done(
        request, pk, lambda case: case.reopen(at=timezone.now(), actor=actor_of(request.user), why=why)
    )


# The customer's page


@page(roles.CASES)
@require_POST
def send_link(request: StaffRequest, pk: int) -> HttpResponse:
    """The address of the page once more, in the customer's language."""
    address = _address(request, _get(pk))

    def deed(case: Case) -> None:
        with translation.override(case.language):
            text = _("You can follow your request %(reference)s and answer here: %(address)s") % {
                "reference": case.reference,
                "address": address,
            }
        case.say(text, author=request.user, key=_key(request), at=timezone.now())

    return _done(request, pk, deed)


@page(roles.CASES)
@require_POST
def gave_link(request: StaffRequest, pk: int) -> HttpResponse:
    """An employee told the customer the address by telephone, or on paper."""
    return _done(request, pk, lambda case: case.give_link(at=timezone.now(), actor=actor_of(request.user)))


@page(roles.CASES)
@require_POST
def renew_link(request: StaffRequest, pk: int) -> HttpResponse:
    return _done(request, pk, lambda case: case.renew_link(at=timezone.now(), actor=actor_of(request.user)))


# Within


def _show(
    request: StaffRequest, shown: Case, *, problem: str = "", typed: str = "", typed_at: str = ""
) -> HttpResponse:
    chat = shown.conversation
    about = _about(shown)
    context: dict[str, Any] = {
        **about,
        "here": "cases",
        "problem": problem,
        "typed": typed,
        "typed_at": typed_at,
        "key": get_random_string(20),
        "seen": _last_line(shown),
        "ticks": promises.ticks(request, chat),
        "longest": LONGEST,
        "address": _address(request, shown),
        "can_send": chat is not None
        and (
            bool(chat.line.reopening_template) or window_is_open(chat.address.last_wrote_at, timezone.now())
        ),
        "canned": _canned(request, shown),
        "receivers": _receivers(shown),
        "can_converse": request.user.has_perm(roles.CONVERSATIONS),
        "mine": about["work"] is not None and about["work"].owner == request.user,
        "failed": _failed_answer(shown, about["lines"]),
        "only_public": "public" in request.GET,
    }
    return render(request, "console/case.html", context, status=422 if problem else 200)


def _about(shown: Case) -> dict[str, Any]:
    work, now = shown.work, timezone.now()
    lines = lists.history(shown, lists.ledger_of(shown))
    return {
        "case": shown,
        "work": work,
        "clock": lists.Clock.of(work, now) if work else None,
        "lines": lines,
        "rating": shown.rating,
    }


def _failed_answer(shown: Case, lines: list[lists.Line]) -> CaseEntry | None:
    """The closing answer that could not be delivered, while nothing was said to the customer since."""
    for line in reversed(lines):
        if line.entry and line.entry.kind == CaseEntry.Kind.FAILED:
            closings = [
                each.entry for each in lines if each.entry and each.entry.kind == CaseEntry.Kind.CLOSING
            ]
            return closings[-1] if closings else None
        if line.entry and line.entry.kind in {
            CaseEntry.Kind.SAID,
            CaseEntry.Kind.CLOSING,
            CaseEntry.Kind.CLOSED,
        }:
            return None
    return None


def _canned(request: StaffRequest, shown: Case) -> list[tuple[CannedAnswer, str]]:
    """Each with its words in the customer's language."""
    if shown.conversation is None:
        return []
    answers = CannedAnswer.matching("", request.user.queues.all())
    return [(one, one.filled(shown.conversation, request.user)) for one in answers]


def _receivers(shown: Case) -> list[tuple[Queue, list[Employee]]]:
    """Every queue with those who serve it, still work here, and see the case."""
    here = Employee.objects.filter(left_at=None).exclude(user__in=not_seeing(lines_of_case(shown)))
    employees = {one.user_id: one for one in here.select_related("user")}
    return [
        (queue, [employees[user.pk] for user in queue.people.all() if user.pk in employees])
        for queue in Queue.objects.prefetch_related("people").order_by("name")
    ]


def _receiver(text: str) -> tuple[Queue | None, User | None]:
    number, _colon, name = text.partition(":")
    queue = Queue.objects.filter(pk=int(number)).first() if number.isascii() and number.isdecimal() else None
    return queue, User.objects.filter(username=name).first() if name else None


def _written(
    request: StaffRequest, pk: int, where: str, deed: Callable[[Case, str], None], done: str
) -> HttpResponse:
    """Do with what was typed; where it is wrong or refused, it stands in its field again."""
    text = _typed(request, "text")
    if not text or len(text) > LONGEST:
        problem = (
            _("That is longer than WhatsApp takes (%(most)d characters). Send it in two parts.")
            % {"most": LONGEST}
            if text
            else _("Type something first.")
        )
        return _show(request, _get(pk), problem=problem, typed=text, typed_at=where)
    return _done(request, pk, lambda case: deed(case, text), typed=text, typed_at=where, done=done)


def _done(
    request: StaffRequest,
    pk: int,
    deed: Callable[[Case], None],
    *,
    typed: str = "",
    typed_at: str = "",
    done: str = "",
) -> HttpResponse:
    """Do it; or say in the reader's words why it cannot be done, and lose nothing of what was typed."""
    asked = _get(pk)
    try:
        deed(asked)  # in a transaction of its own: an answer that is held must not be rolled back here
    except NotInThisStage:
        asked = _get(pk)
        problem = _("Nothing was done: somebody was quicker. The case is now: %(stage)s.") % {
            "stage": asked.get_stage_display()
        }
    except CannotReceive:
        problem = _(
            "The customer could not receive this: there is no conversation to send it in, and they are not known to have"
            " the page. Tell them its address and say so below, or wait until they write there."
        )
    except NotOnShift:
        problem = _("Nothing was done: that person is not on shift now. Choose somebody else, or a queue.")
    except NotTheirLine as error:
        problem = str(error)
    except AnsweredMeanwhile as error:
        if typed_at == "close":
            raise  # shown beside it: see :func:`close`
        problem = _("Nothing was sent: %(name)s has answered since you opened this page. Read it first.") % {
            "name": error.holder.get_full_name() or error.holder.get_username()
        }
    except Claimed as error:
        problem = _("Nothing was sent: %(name)s is answering this customer right now.") % {
            "name": error.holder.get_full_name() or error.holder.get_username()
        }
    except AnswerHeld:
        problem = _(
            "Your answer is held: a colleague is answering this customer. It waits in the conversation for both of you."
        )
        typed = ""
    else:
        messages.success(request, done or _("Done."))
        return redirect("console:case", pk)
    return _show(request, asked, problem=problem, typed=typed, typed_at=typed_at)


def _get(pk: int) -> Case:
    rows = Case.objects.select_related(
        "kind__queue", "contact", "conversation__address", "conversation__line"
    )
    return get_object_or_404(
        rows.select_related("conversation__contact", "repeats", "closing_answer__message__outgoing"), pk=pk
    )


def _address(request: HttpRequest, case: Case) -> str:
    """Of the customer's page; under this site's own name where customers have no other for it."""
    return case.public_url or request.build_absolute_uri(case.url)


def _way(request: HttpRequest) -> dict[str, str]:
    return {"on_page": "1" if request.POST.get("on_page") else ""}


def _typed(request: HttpRequest, name: str) -> str:
    return typed_in(request.POST, name)


def _key(request: HttpRequest) -> str:
    return (_typed(request, "key") or get_random_string(20))[:100]
