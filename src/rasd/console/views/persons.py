"""What is known of a customer: given to him, or erased, when he asks."""

from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.console.views.shared import typed
from rasd.desk.models import Contact
from rasd.person.erasing import StillOpen, still_open, what_goes, what_stays
from rasd.person.models import Erasure, Export
from rasd.person.whole import Person

SHOWN = 30  # erasures and exports

KINDS: dict[str, str | Promise] = {
    "messages": gettext_lazy("messages, received and sent, and notes"),
    "files": gettext_lazy("photographs and documents"),
    "addresses": gettext_lazy("numbers and names"),
    "drafts": gettext_lazy("drafts of answers"),
    "accounts": gettext_lazy("links to the utility's accounts"),
    "entries": gettext_lazy("entries of the ledger: his number and free words in them"),
    "adoptions": gettext_lazy("readings on which bills rest: the value, its meter and its month"),
    "obligations": gettext_lazy("who owed an answer, and when it was given"),
    "cases": gettext_lazy("cases: their number, kind and times"),
    "breaches": gettext_lazy("breaches of guaranteed standards"),
    "owed": gettext_lazy("answers, promises and work that are owed"),
    "open cases": gettext_lazy("open cases"),
    "reviews": gettext_lazy("photographs before a person"),
    "held answers": gettext_lazy("answers that are held"),
    "answers on their way": gettext_lazy("answers on their way"),
}


@page(roles.EXPORT_PERSON, roles.ERASE_PERSON)
@never_cache
def persons(request: StaffRequest) -> HttpResponse:
    """Somebody is looked up by his number, whole: there is no list of everybody."""
    wanted = typed(request.GET, "q")
    if wanted:
        if found := Person.found(wanted):
            return redirect("console:person", found.contact.pk)
        messages.warning(
            request, _("Nobody is known by that. Type the whole number, with the country's code.")
        )
    context = {
        "here": "persons",
        "q": wanted,
        "erasures": Erasure.objects.select_related("by", "contact").order_by("-pk")[:SHOWN],
        "exports": Export.objects.select_related("by", "contact").order_by("-pk")[:SHOWN],
    }
    return render(request, "console/persons.html", context)


@page(roles.EXPORT_PERSON, roles.ERASE_PERSON)
@never_cache
def person(request: StaffRequest, pk: int) -> HttpResponse:
    return _show(request, _get(pk))


@page(roles.EXPORT_PERSON)
@require_POST
def export(request: StaffRequest, pk: int) -> HttpResponse:
    Export.ask(_get(pk).contact, by=request.user, at=timezone.now())
    messages.success(request, _("It is being made. It can be fetched here for a day."))
    return redirect("console:person", pk)


@page(roles.EXPORT_PERSON)
@never_cache
def download(request: StaffRequest, pk: int) -> FileResponse | StreamingHttpResponse:
    """Whoever asked for it fetches it, and nobody else; each time is an entry."""
    made = get_object_or_404(Export, pk=pk, by=request.user, gone_at=None, ready_at__isnull=False)
    try:
        stored = default_storage.open(made.path)
    except FileNotFoundError as missing:
        raise Http404(made.path) from missing
    made.downloaded(by=request.user, at=timezone.now())
    return FileResponse(stored, as_attachment=True, filename=f"person-{made.contact_id}.zip")


@page(roles.ERASE_PERSON)
@require_POST
def erase(request: StaffRequest, pk: int) -> HttpResponse:
    """Once the word is typed and the reason given; otherwise nothing happens, and it is said why."""
    found, why, word = _get(pk), typed(request.POST, "why"), typed(request.POST, "word")
    if word != word_for(found):
        problem = _("Nothing was erased. Type what stands there, to the letter.")
        return _show(request, found, problem=problem, why=why)
    try:
        done = Erasure.of(found, by=request.user, at=timezone.now(), why=why[:300])
    except StillOpen:
        return _show(request, found, problem=_("Nothing was erased: something is still open."), why=why)
    except ValueError:
        problem = _("Nothing was erased. Say how he asked for it, and leave his name and number out of it.")
        return _show(request, found, problem=problem, why=why)
    words = _("Erased: %(name)s. The ledger says so in entry %(entry)d.")
    messages.success(request, words % {"name": done.contact.name, "entry": done.entry or 0})
    return redirect("console:person", pk)


def word_for(found: Person) -> str:
    """What is typed before somebody is erased: the last four digits of his number, else his contact's key."""
    digits = next((each[-4:] for each in found.needles if each.isdecimal() and len(each) > 4), "")
    return digits or str(found.contact.pk)


def _get(pk: int) -> Person:
    return Person(get_object_or_404(Contact, pk=pk).kept)


def _show(request: StaffRequest, found: Person, *, problem: str = "", why: str = "") -> HttpResponse:
    user = request.user
    context: dict[str, Any] = {
        "here": "persons",
        "person": found,
        "contact": found.contact,
        "may_export": user.has_perm(roles.EXPORT_PERSON),
        "may_erase": user.has_perm(roles.ERASE_PERSON),
        "exports": Export.objects.filter(contact=found.contact).select_related("by").order_by("-pk")[:SHOWN],
        "erased": Erasure.objects.filter(contact=found.contact).select_related("by").order_by("-pk").first(),
        "is_gone": found.is_gone,
        "conversations": found.conversations.select_related("line").order_by("-last_message_at")[:SHOWN],
        "can_converse": user.has_perm(roles.CONVERSATIONS),
        "goes": _in_words(what_goes(found)),
        "stays": _in_words(what_stays(found)),
        "open": _in_words(still_open(found)),
        "word": word_for(found),
        "problem": problem,
        "why": why,
    }
    return render(request, "console/person.html", context, status=422 if problem else 200)


def _in_words(counts: dict[str, int]) -> list[tuple[str | Promise, int]]:
    return [(KINDS[name], count) for name, count in counts.items() if count]
