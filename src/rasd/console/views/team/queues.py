"""Queues: who serves them, in what time, and who is told when that is short or over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from rasd.console import roles, staffing
from rasd.console.access import StaffRequest, page
from rasd.console.views.team.forms import QueueForm, Steps, Targets, initial_targets
from rasd.desk import hours
from rasd.desk.models import Matter, Queue, Target
from rasd.desk.models.roster import Roster
from rasd.flows.live import announce
from rasd.ledger.models import actor_of, record


@page(roles.TEAM)
@never_cache
def queues(request: StaffRequest) -> HttpResponse:
    """All, each with who serves it now and what lies in it."""
    now = timezone.now()
    roster = Roster(now)
    open_ = Q(obligation__discharged_at=None, obligation__isnull=False)
    rows = (
        staffing.queues_with_hours()
        .select_related("falls_to")
        .prefetch_related("skills", "targets")
        .annotate(
            owed=Count("obligation", filter=open_),
            late=Count(
                "obligation",
                filter=open_ & Q(obligation__running_since__isnull=False, obligation__due_at__lt=now),
            ),
        )
    )
    shown = [
        {
            "queue": queue,
            "is_open": hours.is_open(queue.hours, now),
            "opens_at": hours.opens_at(queue.hours, now),
            "people": len(serving := roster.serving(queue)),
            "on": sum(map(roster.is_on, serving)),
        }
        for queue in rows
    ]
    return render(
        request, "console/team_queues.html", {"here": "team_queues", "tab": "queues", "rows": shown}
    )


@page(roles.TEAM)
@never_cache
def queue(request: StaffRequest, pk: int | None = None) -> HttpResponse:
    """One, to be changed; a new one without ``pk``. Posted with ``preview``: nothing is saved, and when a message that came
    now would be due is shown."""
    now = timezone.now()
    chosen = get_object_or_404(Queue, pk=pk) if pk else Queue()
    form = QueueForm(request.POST or None, instance=chosen)
    targets = Targets(request.POST or None, initial=initial_targets(chosen) if pk else [], prefix="targets")
    steps = Steps(request.POST or None, instance=chosen, prefix="steps")
    if request.method == "POST":
        fine = all([form.is_valid(), targets.is_valid(), steps.is_valid()])
        if fine and "preview" not in request.POST:
            _save(request, form, targets, steps, now)
            messages.success(
                request,
                _(
                    "Saved. The times hold for what comes from now on, other working hours for what is owed too."
                ),
            )
            return redirect("console:team_queue", form.instance.pk)
        form.is_valid()
    context: dict[str, Any] = {
        "here": "team_queues",
        "tab": "queues",
        "queue": chosen,
        "title": Queue.objects.filter(pk=pk).values_list("name", flat=True).first() if pk else "",
        "form": form,
        "targets": targets,
        "steps": steps,
        "preview": _preview(form, targets, now),
        "wrong": request.method == "POST"
        and bool(form.errors or targets.total_error_count() or steps.total_error_count()),
        "now": now,
    }
    status = 422 if context["wrong"] and "preview" not in request.POST else 200
    return render(request, "console/team_queue.html", context, status=status)


def _save(request: StaffRequest, form: Any, targets: Any, steps: Any, now: datetime) -> None:
    actor = actor_of(request.user)
    with transaction.atomic():
        known = Queue.objects.filter(pk=form.instance.pk).first()
        hours_before = known.hours if known else None
        before = _facts(known)
        form.cleaned_data["skills"] = form.all_skills()
        queue = form.save()
        queue.targets.all().delete()
        Target.objects.bulk_create(targets.targets(queue))
        steps.save()
        after = _facts(Queue.objects.get(pk=queue.pk))
        changed = {name: [before.get(name), after[name]] for name in after if before.get(name) != after[name]}
        if changed:
            record(
                actor,
                "queue.changed" if before else "queue.made",
                f"queue:{queue.pk}",
                at=now,
                facts={"name": queue.name} | changed,
            )
    if hours_before is not None and "calendar" in changed:
        queue.recount(at=now, actor=actor, why="it has other working hours", before=hours_before)
    announce("team")


def _facts(queue: Queue | None) -> dict[str, Any]:
    """All that is set about it, in words that outlive the rows."""
    if queue is None:
        return {}
    return {
        "name": queue.name,
        "answer_within": queue.answer_within.total_seconds(),
        "calendar": queue.calendar.name if queue.calendar else None,
        "falls_to": queue.falls_to.name if queue.falls_to else None,
        "people": sorted(queue.people.values_list("username", flat=True)),
        "skills": sorted(queue.skills.values_list("name", flat=True)),
        "targets": sorted(
            [each.line.name if each.line else "", each.matter, each.answer_within.total_seconds()]
            for each in queue.targets.select_related("line")
        ),
        "escalation": [
            [each.after.total_seconds(), each.role.name if each.role else "", each.by_email]
            for each in queue.escalation_steps.select_related("role")
        ],
    }


@dataclass(frozen=True)
class Due:
    """When a message that came now would be due."""

    line: str
    matter: str
    at: datetime


def _preview(form: QueueForm, targets: Any, now: datetime) -> list[Due]:
    """By what is typed where something is, else by what is saved; empty where the times cannot be told from it."""
    if not form.is_bound:
        queue, rows = (
            form.instance,
            list(form.instance.targets.select_related("line")) if form.instance.pk else [],
        )
        lengths = [(row.line, row.matter, row.answer_within) for row in rows]
        if queue.pk is None:
            return []
    else:
        if form.cleaned_data.get("answer_within") is None or "calendar" in form.errors:
            return []
        cleaned = form.cleaned_data
        queue = Queue(calendar=cleaned.get("calendar"), answer_within=cleaned["answer_within"])
        typed = [row.cleaned_data for row in targets.rows()] if targets.is_valid() else []
        lengths = [(row["line"], row["matter"], row["answer_within"]) for row in typed]
    names = dict(Matter.choices)
    return [
        Due("", "", queue.due(now, queue.answer_within)),
        *(
            Due(line.name if line else "", str(names.get(matter, "")), queue.due(now, length))
            for line, matter, length in lengths
        ),
    ]
