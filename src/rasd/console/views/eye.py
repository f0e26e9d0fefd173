"""The eye: which one is in service, how it did this cycle, and how the one on trial compares with it."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.console import roles
from rasd.console.access import StaffRequest, page
from rasd.metering.eyes import in_service, in_shadow
from rasd.metering.models import Cycle, EyeService, Photograph, ShadowReading
from rasd.metering.trial import Comparison, Pair, Right, Truth
from rasd.metering.truths import models_in, pairs_in, record_in, truths
from rasd.vision import Eye, UnusableEye

ON_A_PAGE = 20
FILTERS = {
    "differ": _("They differ"),
    "new": _("The new one was right"),
    "old": _("The one in service was right"),
    "unknown": _("Not known"),
    "all": _("All"),
}
SOURCES = {
    "field": _("a meter reader on the same day"),
    "review": _("a person's review"),
    "customer": _("the customer"),
}
RIGHT = {
    Right.NEW: ("good", _("the new one was right")),
    Right.OLD: ("warn", _("the one in service was right")),
    Right.NEITHER: ("bad", _("neither was right")),
    Right.BOTH: ("", _("both are near enough to the meter reader's")),
    Right.UNKNOWN: ("", _("not known")),
}


@page(roles.CYCLE)
@never_cache
def eye(request: StaffRequest, name: str | None = None) -> HttpResponse:
    """The current round where none is named. ``?show=`` one of ``FILTERS``."""
    now = timezone.now()
    cycle = get_object_or_404(Cycle, name=name) if name else Cycle.latest(now)
    context: dict[str, Any] = {
        "here": "eye",
        "cycle": cycle,
        "others": Cycle.objects.exclude(pk=cycle.pk if cycle else 0).order_by("-name")[:12],
        "history": EyeService.objects.all()[:6],
        "sources": SOURCES,
    }
    try:
        service = in_service()
    except UnusableEye as error:
        return render(request, "console/eye.html", context | {"unusable": error})
    began = EyeService.objects.first()
    context |= {
        "service": service,
        "since": began.since if began and began.checksum == service.checksum else None,
    }
    known = truths(cycle) if cycle else {}
    if cycle:
        context["record"] = record_in(cycle, service.name, known)
        context["earlier"] = [
            (model, record_in(cycle, model, known)) for model in models_in(cycle) if model != service.name
        ]
    try:
        shadow = in_shadow()
    except UnusableEye as error:
        context["shadow_unusable"] = error
    else:
        if shadow and cycle:
            context |= _trial(request, cycle, service, shadow, known)
    return render(request, "console/eye.html", context)


def _trial(
    request: StaffRequest, cycle: Cycle, service: Eye, shadow: Eye, known: dict[int, Truth]
) -> dict[str, Any]:
    compared = Comparison(pairs_in(cycle, service.name, shadow.name, shadow.checksum, known))
    show = request.GET.get("show", "differ")
    show = show if show in FILTERS else "differ"
    chosen = list(compared.pairs) if show == "all" else compared.differing
    if show in set(Right):
        chosen = [pair for pair in chosen if pair.right == show]
    counts: dict[str, int] = {str(right): n for right, n in compared.counts.items()}
    counts |= {"differ": len(compared.differing), "all": len(compared.pairs)}
    leaf = Paginator(chosen, ON_A_PAGE).get_page(request.GET.get("page"))
    failed = ShadowReading.objects.filter(
        photograph__submission__cycle=cycle, model=shadow.name, checksum=shadow.checksum
    ).exclude(error="")
    return {
        "shadow": shadow,
        "compared": compared,
        "neither": compared.counts[Right.NEITHER] + compared.counts[Right.BOTH],
        "unknown": compared.counts[Right.UNKNOWN],
        "show": show,
        "filters": [(key, words, counts.get(key, 0)) for key, words in FILTERS.items()],
        "leaf": leaf,
        "rows": _rows(list(leaf), shadow.name),
        "failed": failed.count(),
        "last_failed": failed.order_by("-read_at").first(),
        "waiting": ProcrastinateJob.objects.filter(queue_name="shadow", status__in=["todo", "doing"]).count(),
    }


@dataclass(frozen=True)
class Shown:
    """What one eye read, character by character: each with whether the other read something else there."""

    characters: list[tuple[str, bool]]
    confidence: float
    decision: str


@dataclass(frozen=True)
class Row:
    """A photograph that both read."""

    pair: Pair
    photograph: Photograph
    shadow: ShadowReading
    old: Shown
    new: Shown

    @property
    def tone(self) -> str:
        return RIGHT[self.pair.right][0]

    @property
    def words(self) -> Any:
        return RIGHT[self.pair.right][1]

    @property
    def source(self) -> Any:
        return SOURCES[self.pair.truth.source] if self.pair.truth else ""


def _rows(pairs: list[Pair], model: str) -> list[Row]:
    shadows = ShadowReading.objects.filter(
        model=model, photograph__in=[pair.photograph for pair in pairs]
    ).select_related("photograph__submission__service_point")
    of = {one.photograph_id: one for one in shadows}
    rows = []
    for pair in pairs:
        shadow = of[pair.photograph]
        old, new = _digits(shadow.photograph.seen), _digits(shadow.seen)
        rows.append(
            Row(
                pair,
                shadow.photograph,
                shadow,
                Shown(_against(old, new), pair.old.confidence, pair.old.decision),
                Shown(_against(new, old), pair.new.confidence, pair.new.decision),
            )
        )
    return rows


def _digits(seen: dict[str, Any] | None) -> str:
    """All digits as they stand on the counter, with the point where there is one; empty where nothing was read."""
    if not seen or seen["value"] is None:
        return ""
    whole, places = str(seen["digits"]), int(seen["decimals"])
    return f"{whole[:-places]}.{whole[-places:]}" if places else whole


def _against(one: str, other: str) -> list[tuple[str, bool]]:
    """Aligned at the units, where two readings of one counter agree."""
    left, right = len(one.partition(".")[0]), len(other.partition(".")[0])
    return [
        (character, not 0 <= at - left + right < len(other) or other[at - left + right] != character)
        for at, character in enumerate(one)
    ]
