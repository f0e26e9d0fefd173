"""What one does with a conversation besides answering: take it, hand it back, settle it, say what it is about."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.views.conversations import UNDONE_WITHIN, again, where_to_go_on
from rasd.console.views.shared import tell_pages, the_conversation, typed
from rasd.desk.errors import Claimed, GoesOnElsewhere, IsClosed, NotTheirs, Settled, StillOwed
from rasd.desk.models import HandOver, HeldAnswer, Obligation
from rasd.ledger.models import actor_of


@page(roles.CONVERSATIONS)
@require_POST
def take(request: StaffRequest, pk: int) -> HttpResponse:
    """I answer here from now on, and no machine. From a colleague only with a word why."""
    asked, why, now = the_conversation(pk), typed(request.POST, "why"), timezone.now()
    try:
        with transaction.atomic():
            asked.claim(request.user, at=now, by_force=bool(why), why=why)
            asked.hand_over(wish=HandOver.Wish.STAFF, why=why, at=now, actor=actor_of(request.user))
            tell_pages(asked, only_said=True)
    except Claimed as claimed:
        name = claimed.holder.get_full_name() or claimed.holder.get_username()
        messages.warning(request, _("%(name)s is answering here. To take over, say why.") % {"name": name})
    except (GoesOnElsewhere, IsClosed) as error:
        messages.warning(request, where_to_go_on(error))
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def release(request: StaffRequest, pk: int) -> HttpResponse:
    asked = the_conversation(pk)
    with transaction.atomic():
        asked.release(request.user, at=timezone.now())
        tell_pages(asked, only_said=True)
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def give_back(request: StaffRequest, pk: int) -> HttpResponse:
    """The machine may speak again."""
    asked = the_conversation(pk)
    with transaction.atomic():
        asked.give_back(at=timezone.now(), actor=actor_of(request.user))
        tell_pages(asked)
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def settle_held(request: StaffRequest, pk: int, held: int) -> HttpResponse:
    """An answer that was held goes out after all, or does not: who wrote it, who was quicker, or who leads them says so."""
    asked = the_conversation(pk)
    answer = get_object_or_404(HeldAnswer.objects.select_related("conversation"), pk=held, conversation=asked)
    try:
        with transaction.atomic():
            settle = answer.send if typed(request.POST, "what") == "send" else answer.drop
            settle(by=request.user, at=timezone.now())
            tell_pages(asked)
    except NotTheirs:
        messages.warning(request, _("The two whom it is about decide on it, or who leads them."))
    except Settled:
        messages.warning(request, _("A colleague has decided on it in the meantime."))
    except (GoesOnElsewhere, IsClosed) as error:
        messages.warning(request, where_to_go_on(error))
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def waive(request: StaffRequest, pk: int) -> HttpResponse:
    """What was written needs no answer."""
    asked, now = the_conversation(pk), timezone.now()
    with transaction.atomic():
        if owed := asked.owed:
            owed.waive(by=request.user, at=now, why=typed(request.POST, "why"))
            asked.release(request.user, at=now)
            tell_pages(asked)
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def keep_promise(request: StaffRequest, pk: int, owed: int) -> HttpResponse:
    """What was promised was kept otherwise than by an answer; how, stands in the ledger."""
    asked, why = the_conversation(pk), typed(request.POST, "why")[:300]
    promises = asked.obligations.filter(kind=Obligation.Kind.PROMISE)
    promise = get_object_or_404(promises, pk=owed)
    if not why:
        messages.error(request, _("Say how it was kept: by a visit, on the telephone …"))
        return again(request, asked, done=False)
    with transaction.atomic():
        promise.keep(by=request.user, at=timezone.now(), why=why)
        tell_pages(asked)
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def answered_here(request: StaffRequest, pk: int, owed: int, message: int) -> HttpResponse:
    """An answer given here answers also what the customer wrote on a case's page: who has read both says so."""
    asked = the_conversation(pk)
    on_page = get_object_or_404(Obligation.objects.filter(case__conversation=asked, kind="answer"), pk=owed)
    answers = asked.messages.filter(author__isnull=False, outgoing__isnull=False, at__gte=on_page.since)
    answer = get_object_or_404(answers, pk=message)
    with transaction.atomic():
        on_page.answer_with(answer)
        tell_pages(asked)
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def close(request: StaffRequest, pk: int) -> HttpResponse:
    asked = the_conversation(pk)
    try:
        with transaction.atomic():
            asked.close(at=timezone.now(), actor=actor_of(request.user))
            tell_pages(asked)
    except StillOwed as owed:
        words = {
            "answer": _("An answer is owed here: send one, or say that none is needed."),
            "promise": _("Something was promised here, and is not kept yet."),
            "case": _("A case of it is open: it ends with its closing answer."),
            "held": _("An answer is held here: send it after all, or say that it is not sent."),
        }
        messages.error(request, words[owed.what])
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def undo(request: StaffRequest, pk: int) -> HttpResponse:
    """Open a closed one again; or take back that it needed no answer, for as long as the page offers it."""
    asked, now = the_conversation(pk), timezone.now()
    since = now - UNDONE_WITHIN
    try:
        with transaction.atomic():
            if asked.closed_at:
                asked.reopen(at=now, actor=actor_of(request.user))
            elif waived := asked.obligations.filter(waived_by=request.user, discharged_at__gt=since).last():
                waived.unwaive(by=request.user, at=now)
            tell_pages(asked)
    except GoesOnElsewhere:
        messages.warning(request, _("The customer has written since: go on in the new conversation."))
    return again(request, asked)


@page(roles.CONVERSATIONS)
@require_POST
def matter(request: StaffRequest, pk: int) -> HttpResponse:
    """What it is about."""
    asked = the_conversation(pk)
    with transaction.atomic():
        try:
            asked.is_about(typed(request.POST, "matter"), at=timezone.now(), actor=actor_of(request.user))
        except ValueError:
            messages.error(request, _("There is no such matter. Choose one from the list."))
        tell_pages(asked)
    return again(request, asked)
