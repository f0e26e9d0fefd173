"""Eight weeks of the watch, in its own time: real applications, real browsers, faults that come and go, and troubles of our own.

    rasd bench watch weeks [--weeks 8] [--play 8] [--folder FOLDER] [--go-on]

The watcher itself runs (plans, claims, rounds, alerts, confirmations); only its clock is played: between two visits it jumps to
the next, and what a visit took is added. Told at the end, one JSON object a line: what is told of healthy services; for each
fault, the planned visits to its service while it was there, the first of them that told of it (not done, or a flaw that no
healthy visit told of), and by how many the arithmetic says it should be found with 95 % certainty; then how often a service was
blamed while nothing was wrong with it. The last must be 0, and exit status 1 says that it was not, or that a fault was not found.

``--weeks``: in how many each hour of the week is visited; ``--play``: how many are played, the faults drawn together where it is
less than eight; ``--go-on``: from where it was stopped. The database ``watch_weeks`` and the evidence are left for looking at.
"""

import argparse
import json
import logging
import math
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from bench.watch._stage import Stage, stage

ZONE = ZoneInfo("Asia/Muscat")
NIGHT = range(0, 6)  # hours, as faults.py has them
CONFIRMATIONS = 6  # a day, that the budgets leave room for
LATE_MAIL = timedelta(hours=1)
BEGINS = datetime(2026, 9, 27, 0, 0, tzinfo=ZONE)  # a Sunday: the week's first working day in Muscat
WEEK = timedelta(weeks=1)
WEEKS = 8
CERTAIN = 0.95
JOURNEYS = Path(__file__).parent / "journeys"
TARGETS = {
    "helpdesk": ("A help desk (django-helpdesk)", "open-a-ticket"),
    "shop": ("A shop for tickets (pretix)", "order-a-ticket"),
    "chat": ("A chat (Chainlit)", "ask-for-a-person"),
}


@dataclass(frozen=True)
class Fault:
    """``hours``: of the day, in which it is there. ``begins``, ``lasts``: weeks of the eight."""

    name: str
    target: str
    begins: float
    lasts: float
    faults: tuple[dict[str, Any], ...] = ()
    hours: range = range(24)
    ours: bool = False
    played: ClassVar[float] = 8.0

    def is_its_time(self, now: datetime) -> bool:
        """At whatever hour."""
        since = (now - BEGINS) / WEEK * WEEKS / Fault.played
        return self.begins <= since < self.begins + self.lasts

    def is_on(self, now: datetime) -> bool:
        return self.is_its_time(now) and now.astimezone(ZONE).hour in self.hours

    @property
    def promised(self) -> int:
        """Visits within which it is met at least once with that certainty: the least n with (1 - share)^n <= 5 %."""
        share = len(self.hours) / 24
        return 1 if share == 1 else math.ceil(math.log(1 - CERTAIN) / math.log(1 - share))


FAULTS = (
    Fault("scripts and styles answer 404, pages answer 200", "shop", 1.0, 0.6, ({"kind": "assets_missing"},)),
    Fault("a form loses its data", "helpdesk", 1.5, 0.6, ({"kind": "form_loses", "path": "/tickets/submit"},)),
    Fault(
        "a step is slow at night only", "shop", 2.2, 0.9,
        ({"kind": "slow_at_night", "path": "/checkout/", "seconds": 40},), hours=NIGHT,
    ),
    Fault("the watch's own network is out", "", 3.2, 0.4, ours=True),
    Fault("a chat says for ever that it sent an e-mail", "chat", 4.2, 0.6, ({"kind": "same_answer"},)),
    Fault(
        "a button is hidden on phones", "shop", 5.0, 0.6,
        ({"kind": "hidden_on_phones", "path": "/souq/museum/", "selector": "button.btn-primary"},),
    ),
    Fault("the watch's host is overloaded", "", 5.8, 0.3, ours=True),
    Fault("a mail arrives after an hour", "helpdesk", 6.5, 0.6),
)  # fmt: skip


class Time:
    """The rehearsal's clock: it stands still but where somebody waits, and while a visit is played it goes with the machine's."""

    def __init__(self, now: datetime) -> None:
        self.began = self.at = now

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - self.began).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Company:
    """Pays visits with a real crew, on the stage as it is at that time, and tells them as of that time."""

    def __init__(self, crew: Any, on: Stage, time: Time) -> None:
        self.crew, self.stage, self.time = crew, on, time
        self.paid = 0
        self._late_mail_at = time.now()

    def pay(self, order: Any) -> Any:
        now = self.time.now()
        on = [fault for fault in FAULTS if fault.is_on(now)]
        out = any(fault.ours and "network" in fault.name for fault in on)
        for name, wrong in self.stage.wrong.items():
            faults = [each for fault in on if fault.target == name for each in fault.faults]
            wrong.at(now.astimezone(ZONE), [*faults, *([{"kind": "down"}] if out else [])])
        self.stage.way_out.works(not out)
        self.stage.burn(any(fault.ours and "host" in fault.name for fault in on))
        self.stage.late_mail_of = b"helpdesk@" if any("mail arrives" in fault.name for fault in on) else b""
        if now >= self._late_mail_at:
            self.stage.bring()
        report = self.crew.pay(order)
        self.paid += 1
        told = moved(report, now - report.began)
        self.time.sleep((report.ended - report.began).total_seconds())
        if self.stage.late:
            self._late_mail_at = self.time.now() + LATE_MAIL
        first = next((each.words for each in report.findings if not each.went_well), "")
        print(
            f"{self.paid:4} {now.astimezone(ZONE):%a %d %b %H:%M} {order.target:9} {report.verdict.value:15} {first[:90]}",
            file=sys.stderr,
        )
        return told

    def close(self) -> None:
        self.stage.burn(False)
        self.crew.close()


def moved(report: Any, by: timedelta) -> Any:
    """The same visit, paid at another time."""
    findings = tuple(each.model_copy(update={"began": each.began + by}) for each in report.findings)
    return report.model_copy(
        update={
            "began": report.began + by,
            "ended": report.ended + by,
            "findings": findings,
            "before": report.before.model_copy(update={"at": report.before.at + by}),
            "after": report.after.model_copy(update={"at": report.after.at + by}),
        }
    )


def watchfile(on: Stage, weeks: int) -> str:
    entries = {
        name: {
            "title": title,
            "url": on.urls[name] + "/",
            "public": True,
            "visits_a_day": math.ceil(24 / weeks) + 1 + CONFIRMATIONS,
            "journeys": [str(JOURNEYS / f"{journey}.yaml")],
            "mailbox": on.office.mailbox.model_dump(),
        }
        for name, (title, journey) in TARGETS.items()
        if name in on.urls
    }
    watcher = {"name": "rehearsal", "place": "A rehearsal on one machine", "own_network": [on.way_out.url]}
    return json.dumps({"watcher": watcher, "weeks": weeks, "targets": entries})  # YAML holds all of JSON


def prepare(folder: Path, go_on: bool) -> None:
    """A database of its own on the embedded server, empty but where it goes on, and the watch's own settings."""
    from rasd.config.options import options

    assert options.embedded, "the rehearsal uses the embedded server"
    options.embedded.hold()
    os.environ["RASD_WATCH_DATABASE_URL"] = options.embedded.make_database("watch_weeks")
    os.environ["RASD_WATCH_DATA_DIR"] = str(folder / "watch")
    os.environ["DJANGO_SETTINGS_MODULE"] = "rasd.watch.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if not go_on:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
    call_command("migrate", verbosity=0)


def rehearse(folder: Path, weeks: int, play: float) -> None:
    from rasd.watch import watcher
    from rasd.watch.crew import Crew
    from rasd.watch.models import Probe
    from rasd.watch.players.base import Clock

    watcher.LOOK, watcher.ROUND = (
        6 * 3600.0,
        3600.0,
    )  # of its own time, in which nothing happens between two visits
    last = Probe.objects.order_by("-ended_at").first()
    time = Time(last.ended_at if last else BEGINS.astimezone(UTC))
    ends = BEGINS + play * WEEK
    with stage(folder, BEGINS) as on, Crew() as crew:
        path = folder / "watch.yaml"
        path.write_text(watchfile(on, weeks), "utf-8")
        clock = Clock(time.now, time.monotonic, time.sleep)
        watching = watcher.Watching(path, Company(crew, on, time), clock)
        watching.begin()
        try:
            while time.now() < ends:
                watching.turn()
        except KeyboardInterrupt:
            print(f"» stopped after {(time.now() - BEGINS) / WEEK:.1f} weeks", file=sys.stderr)
        finally:
            watching.crew.close()


def told() -> bool:
    """Whether nobody was blamed wrongly, and each fault that was met was found."""
    from rasd.watch.models import Alert, Probe, Skip
    from rasd.watch.verdicts import Verdict

    probes = list(Probe.objects.select_related("target", "confirms").order_by("began_at"))
    say(visits=len(probes), **verdicts_of(probes))
    seconds = sum((each.ended_at - each.began_at).total_seconds() for each in probes)
    say(seconds_a_visit=round(seconds / max(1, len(probes)), 1), alerts=Alert.objects.count())
    second = [each for each in probes if each.why == Probe.Why.CONFIRMATION]
    say(
        confirmations=len(second), said_the_same=sum(each.verdict == each.confirms.verdict for each in second)
    )
    say(
        not_paid={
            reason: n for reason in Skip.Reason.values if (n := Skip.objects.filter(reason=reason).count())
        }
    )
    healthy = [each for each in probes if not on_at(each)]
    flaws = {
        (each.target.name, reason)
        for each in healthy
        if each.verdict == Verdict.COMPLETED_BUT
        for reason in each.because
    }
    for name in sorted({each.target.name for each in healthy}):
        of = [each for each in healthy if each.target.name == name]
        say(
            healthy=name,
            visits=len(of),
            **verdicts_of(of),
            flaws=sorted(what for target, what in flaws if target == name),
        )
    found = [told_of(fault, probes, flaws) for fault in FAULTS]
    wrong = [each for each in probes if each.verdict == Verdict.THEIRS and not blamed_rightly(each)]
    say(
        blamed_wrongly=len(wrong),
        of=len(probes),
        which=[f"{each} {each.target} {each.because}" for each in wrong[:20]],
    )
    return not wrong and all(found)


def verdicts_of(probes: Sequence[Any]) -> dict[str, int]:
    return dict(Counter(each.verdict for each in probes))


def on_at(probe: Any) -> list[Fault]:
    """What was wrong with its service, or with the watch, when it was paid."""
    return [
        fault
        for fault in FAULTS
        if fault.is_on(probe.began_at) and (fault.ours or fault.target == probe.target.name)
    ]


def told_of(fault: Fault, probes: Sequence[Any], flaws: set[tuple[str, str]]) -> bool:
    """Whether it was found, or not met. Of one of ours: whether every visit knew it."""
    from rasd.watch.models import Probe
    from rasd.watch.verdicts import Verdict

    there = [each for each in probes if each.why == Probe.Why.PLANNED and fault.is_its_time(each.began_at)]
    if fault.ours:
        say(fault=fault.name, visits=len(there), **verdicts_of(there))
        return not any(each.verdict == Verdict.THEIRS for each in there)
    there = [each for each in there if each.target.name == fault.target]
    met = [each for each in there if fault.is_on(each.began_at)]
    telling = [
        each
        for each in met
        if each.verdict == Verdict.THEIRS
        or (
            each.verdict == Verdict.COMPLETED_BUT
            and any((fault.target, reason) not in flaws for reason in each.because)
        )
    ]
    first = telling[0] if telling else None
    say(
        fault=fault.name,
        target=fault.target,
        visits=len(there),
        met_it=len(met),
        told_of_it=len(telling),
        found_at_visit=there.index(first) + 1 if first else None,
        promised_within=fault.promised,
        **verdicts_of(met),
        because=first and first.because,
    )
    return bool(telling) or not met


def blamed_rightly(probe: Any) -> bool:
    """Its service had a fault then, and the watch had none."""
    on = on_at(probe)
    return bool(on) and not any(fault.ours for fault in on)


def say(**what: Any) -> None:
    print(json.dumps({key.rstrip("_"): value for key, value in what.items()}, ensure_ascii=False), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--play", type=float, default=WEEKS)
    parser.add_argument("--folder", type=Path, default=Path(".rasd") / "weeks")
    parser.add_argument("--go-on", action="store_true")
    arguments = parser.parse_args()
    Fault.played = arguments.play
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.INFO)
    for number in (signal.SIGINT, signal.SIGTERM):  # it tells what it has played
        signal.signal(number, signal.default_int_handler)
    prepare(folder, arguments.go_on)
    from rasd.config.options import options

    try:
        rehearse(folder, arguments.weeks, arguments.play)
        well = told()
    finally:
        if options.embedded:
            options.embedded.release()
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
