"""Visits made up for tests: a report, and the rows that it belongs to."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from rasd.watch.models import JourneyFile, Plan, Planned, Probe, Target, Watcher
from rasd.watch.players.finding import Exhibit, ExhibitKind, Finding
from rasd.watch.players.report import Report, SelfCheck

NOON = datetime(2026, 3, 4, 8, 0, tzinfo=UTC)
"""A Wednesday; 12:00 in Muscat, hour 60 of the week."""

TEXT = """\
journey: ask
title: Asks for a technician
target: desk
who: {patience: 3m}
steps: [{open: /}, {press: Send}]
done: [{see: Thank you}]
"""


def target(name: str = "desk", **more: Any) -> Target:
    defaults = {
        "title": name.title(),
        "url": "http://127.0.0.1:9/",
        "zone": "Asia/Muscat",
        "visits_a_day": 48,
    }
    return Target.objects.get_or_create(name=name, defaults=defaults | more)[0]


def journey(of: Target | None = None, name: str = "ask", text: str = TEXT) -> JourneyFile:
    return JourneyFile.objects.get_or_create(
        target=of or target(),
        name=name,
        sha256=sha256(text.encode()).hexdigest(),
        defaults={"text": text, "added_at": NOON - timedelta(days=400)},
    )[0]


def watcher(name: str = "here") -> Watcher:
    return Watcher.objects.get_or_create(name=name, defaults={"place": "Muscat"})[0]


def planned(of: JourneyFile, due_at: datetime = NOON) -> Planned:
    plan, _new = Plan.objects.get_or_create(
        target=of.target,
        begins_at=NOON - timedelta(days=2, hours=12),
        defaults={
            "ends_at": NOON + timedelta(days=26), "weeks": 4, "inputs": {}, "seed": "00" * 32, "commitment": "11" * 32,
            "committed_at": NOON - timedelta(days=3),
        },
    )  # fmt: skip
    return plan.visits.create(
        target=of.target, journey=of.name, due_at=due_at, until=due_at + timedelta(hours=1), hour=60
    )


def check(at: datetime = NOON) -> SelfCheck:
    return SelfCheck(at=at, network=True, clock_off=0.0, load=0.1, memory_free=0.5, disk_free=10**9)


def exhibit(data: bytes = b"a page", kind: ExhibitKind = ExhibitKind.WORDS) -> Exhibit:
    return Exhibit(kind=kind, sha256=sha256(data).hexdigest(), media_type="text/plain", size=len(data))


def finding(number: int, outcome: str = "done", **more: Any) -> Finding:
    values = {
        "number": number, "verb": "press", "says": f"press: {number}", "channel": "web", "outcome": outcome,
        "began": NOON + timedelta(seconds=10 * (number - 1)), "seconds": 10.0,
    }  # fmt: skip
    return Finding(**values | more)


def report(verdict: str = "completed", *, at: datetime = NOON, **more: Any) -> Report:
    """Two steps and a look, ten seconds each; one that is not completed fails at its second step."""
    done = verdict.startswith("completed")
    rest = [finding(2), finding(3, part="done")] if done else [
        finding(2, "failed", trouble="error page"), finding(3, "not reached", part="done", seconds=0.0)
    ]  # fmt: skip
    values = {
        "journey": "ask", "journey_sha256": sha256(TEXT.encode()).hexdigest(), "target": "desk",
        "url": "http://127.0.0.1:9/", "began": at, "ended": at + timedelta(seconds=30), "persona": {"device": "phone"},
        "findings": (finding(1, exhibits=(exhibit(),)), *rest), "before": check(at), "after": check(at), "verdict": verdict,
        "done_after": 30.0 if done else None, "clicks": 2, "typed": 3,
    }  # fmt: skip
    return Report(**values | more)


def record(
    verdict: str = "completed", why: str = "planned", of: JourneyFile | None = None, **more: Any
) -> Probe:
    """``at`` and what else a report has; ``visit``, ``confirms`` and ``keep``."""
    belongs = {key: more.pop(key) for key in ("visit", "confirms", "keep") if key in more}
    return Probe.objects.record(
        report(verdict, **more), journey=of or journey(), watcher=watcher(), why=why, **belongs
    )
