"""Probes, steps and visits as CSV, for whoever wants to count for himself.

RFC 4180 with a head row, UTF-8, times as ISO 8601 with the offset of the target's zone, seconds with a point. A text that begins
as a formula does is given an apostrophe in front: spreadsheets run what a stranger's page wrote, in CSV too.
"""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.db.models import Q, QuerySet

from rasd.watch.models import About, Planned, Probe, StepPlayed

AT_A_TIME = 1_000  # probes or visits in memory
BOM = b"\xef\xbb\xbf"
"""Without it Excel takes Arabic for something else. Programs want none: the command gives none unless asked."""
BEGINS_A_FORMULA = tuple("=+-@＝＋－＠\t\r\n")
"""The wide signs too: where people type them, spreadsheets take them for the narrow ones."""

Columns = dict[str, Callable[[Any], Any]]


def _then(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


PROBE: Columns = {
    "probe": lambda probe: probe.token,
    "target": lambda probe: probe.target.name,
    "journey": lambda probe: probe.journey.name,
    "wording_sha256": lambda probe: probe.journey.sha256,
    "watcher": lambda probe: probe.watcher.name,
    "why": lambda probe: probe.why,
    "due": lambda probe: probe.visit and _then(probe.visit.due_at, probe.zone),
    "confirms": lambda probe: probe.confirms and probe.confirms.token,
    "began": lambda probe: _then(probe.began_at, probe.zone),
    "ended": lambda probe: _then(probe.ended_at, probe.zone),
    "zone": lambda probe: probe.zone,
    "hour_of_week": lambda probe: probe.hour,
    "verdict": lambda probe: probe.verdict,
    "because": lambda probe: " ".join(probe.because),
    "done_after": lambda probe: probe.done_after,
    "gave_up_after": lambda probe: probe.gave_up_after,
    "steps": lambda probe: probe.taken,
    "clicks": lambda probe: probe.clicks,
    "typed": lambda probe: probe.typed,
    "asked_again": lambda probe: probe.asked_again,
    "digest": lambda probe: probe.digest,
    "previous": lambda probe: probe.previous,
}
OF_THE_PROBE = ("probe", "target", "journey", "began", "why", "verdict")
OF_THE_STEP = ("number", "part", "verb", "says", "outcome", "trouble", "seconds", "first_answer", "person", "waited",
               "waited_for_person")  # fmt: skip


def _of_the_probe(name: str) -> Callable[[StepPlayed], Any]:
    return lambda step: PROBE[name](step.probe)


STEP: Columns = {name: _of_the_probe(name) for name in OF_THE_PROBE} | {
    name: attrgetter(name) for name in OF_THE_STEP
}
VISIT: Columns = {
    "target": lambda visit: visit.target.name,
    "journey": lambda visit: visit.journey,
    "due": lambda visit: _then(visit.due_at, visit.target.zone),
    "zone": lambda visit: visit.target.zone,
    "hour_of_week": lambda visit: visit.hour,
    "became": lambda visit: "paid" if _probe_of(visit) else "skipped",
    "probe": lambda visit: (probe := _probe_of(visit)) and probe.token,
    "began": lambda visit: (probe := _probe_of(visit)) and _then(probe.began_at, visit.target.zone),
    "verdict": lambda visit: (probe := _probe_of(visit)) and probe.verdict,
    "skipped_because": lambda visit: getattr(getattr(visit, "skip", None), "reason", None),
    "words": lambda visit: getattr(getattr(visit, "skip", None), "words", None),
    "commitment": lambda visit: visit.plan.commitment,
}


def _probe_of(visit: Planned) -> Probe | None:
    return getattr(visit, "probe", None)


def _probes(about: About) -> Iterator[Probe]:
    told = about.probes().select_related("target", "journey", "watcher", "visit", "confirms")
    return _in_turn(told.defer("report", "confirms__report"), "began_at")


def _steps(about: About) -> Iterator[StepPlayed]:
    probes = about.probes().select_related("target", "journey").defer("report").prefetch_related("steps")
    return (step for probe in _in_turn(probes, "began_at") for step in probe.steps.all())


def _visits(about: About) -> Iterator[Planned]:
    told = about.settled().select_related("target", "plan", "probe", "skip")
    return _in_turn(told.defer("probe__report", "plan__inputs"), "due_at")


def _in_turn(rows: QuerySet[Any], when: str) -> Iterator[Any]:
    """By time, a page at a time, each asked for by itself: no long transaction, and nothing twice or left out."""
    rows, later = rows.order_by(when, "pk"), Q()
    while page := list(rows.filter(later)[:AT_A_TIME]):
        yield from page
        moment = getattr(page[-1], when)
        later = Q(**{f"{when}__gte": moment}) & (Q(**{f"{when}__gt": moment}) | Q(pk__gt=page[-1].pk))


KINDS: dict[str, tuple[Columns, Callable[[About], Iterable[Any]]]] = {
    "probes": (PROBE, _probes),
    "steps": (STEP, _steps),
    "visits": (VISIT, _visits),
}


def cell(value: Any) -> str:
    """As it stands in the file. Numbers are numbers, minus and all; texts are never formulas."""
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(BEGINS_A_FORMULA):
        return f"'{value}"
    return str(value)


def lines(kind: str, about: About) -> Iterator[str]:
    """The file, a row at a time. ``kind``: of :data:`KINDS`; visits are those that were paid or skipped."""
    columns, rows = KINDS[kind]
    yield _line(columns)
    for row in rows(about):
        yield _line(cell(column(row)) for column in columns.values())


def _line(values: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


async def download(kind: str, about: About) -> AsyncIterator[bytes]:
    """For a page's StreamingHttpResponse, of type ``text/csv; charset=utf-8``: with a BOM, as it will be opened in a
    spreadsheet; no more than a page of it in memory."""
    yield BOM
    whole = lines(kind, about)
    while some := await sync_to_async(lambda: "".join(islice(whole, AT_A_TIME)))():
        yield some.encode()
