"""Opens and closes alerts (``models/alerts.py``), and says who is to be told. Sending is ``telling.py``'s.

Ours and wall are no failures of the service (G15), and stand in no budget. Where nothing else is seen for three visits on end,
that is an alert of its own, in other words: robots are kept out, or the watch is blind.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from rasd.watch.measures.burning import FAST_FEWEST, SLOW_FEWEST, Burn, burn
from rasd.watch.models import Alert, Maintenance, Probe, Skip, Target
from rasd.watch.permission import NotAPermission
from rasd.watch.places import NotPlain
from rasd.watch.telling import write
from rasd.watch.verdicts import Verdict
from rasd.watch.watchfile import Alerts, Watchfile

CONFIRMED_WITHIN = timedelta(minutes=15)
"""So long a failure waits for its confirmation visit before it speaks for itself."""
STREAK = 3
"""Visits on end that a wall or blindness must last before it is told."""
LOOKED_AT = timedelta(hours=1)
"""Targets on which something happened since; the others cannot have changed."""
REMIND_AFTER = timedelta(hours=24)
DONE = {Verdict.COMPLETED, Verdict.COMPLETED_BUT}
COUNTS = [verdict for verdict in Verdict if verdict.counts]
UNSEEN = [
    Skip.Reason.STOPPED,
    Skip.Reason.BUSY,
    Skip.Reason.DIED,
    Skip.Reason.PERMISSION,
    Skip.Reason.UNREAD,
    Skip.Reason.RATE,
]
"""Skips that leave the watch blind: its own doing, a permission that somebody must renew, a place that could never be asked for
its rules, or one that asks with each error to be left alone: for 30 days if it likes, and nobody would know."""
THE_LOOK = 0x5741_5441  # "WATA", of pg_try_advisory_xact_lock: one watcher looks at a time


@dataclass(frozen=True)
class Paid:
    token: str
    journey: str
    why: str
    verdict: Verdict
    began_at: datetime
    ended_at: datetime

    @property
    def done(self) -> bool:
        return self.verdict in DONE


def look(now: datetime, watchfile: Watchfile) -> None:
    """After every round. Opens what must be told, closes what has recovered, reminds of what nobody has taken up."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [THE_LOOK])
            if not cursor.fetchone()[0]:
                return
        targets = list(_to_look_at(now))
        for target in targets:
            if target.gone_at:
                for alert in target.alerts.filter(closed_at=None):
                    _close(alert, now, watchfile.alerts, gone=True)
            else:
                _budget(target, now, watchfile.alerts)
                _wall(target, now, watchfile.alerts)
                _permission(target, now, watchfile.alerts)
        _blindness(targets, now, watchfile.alerts)
        _remind(now, watchfile.alerts)


def _to_look_at(now: datetime) -> Iterable[Target]:
    since = now - LOOKED_AT
    happened = Probe.objects.filter(ended_at__gt=since).values("target")
    left = Skip.objects.filter(noticed_at__gt=since).values("visit__target")
    waiting = Alert.objects.filter(closed_at=None, target__isnull=False).values("target")
    unseen = [
        name
        for alert in Alert.objects.filter(closed_at=None, window="blind")
        for name in alert.facts["targets"]
    ]
    return Target.objects.filter(Q(pk__in=happened) | Q(pk__in=left) | Q(pk__in=waiting) | Q(name__in=unseen))


def _budget(target: Target, now: datetime, alerts: Alerts) -> None:
    paid = _paid(target, now, alerts.slow)
    if not paid:
        return
    planned = [each for each in paid if each.why == Probe.Why.PLANNED]
    last = paid[0]
    fast = _window(planned, now - alerts.fast, FAST_FEWEST)
    slow = _window(planned, now - alerts.slow, SLOW_FEWEST)
    goes_on = not last.done and (
        last.why == Probe.Why.CONFIRMATION or now - last.ended_at >= CONFIRMED_WITHIN
    )
    for window, visits in ((Alert.Window.FAST, fast), (Alert.Window.SLOW, slow)):
        burning = burn(sum(not each.done for each in visits), len(visits), alerts.objective)
        alert = _standing(window, target)
        if alert and not burning.too_fast and last.done:
            _close(alert, now, alerts, **asdict(burning))
        elif not alert and burning.too_fast and goes_on and not _standing(Alert.Window.FAST, target):
            _open(window, target, now, alerts, _told(burning, visits))


def _told(burning: Burn, visits: Sequence[Paid]) -> dict[str, Any]:
    failed = [each for each in visits if not each.done]
    return asdict(burning) | {
        "rate": round(burning.rate, 1),
        "since": visits[-1].began_at.isoformat(),
        "probes": [each.token for each in failed[:20]],
        "journeys": sorted({each.journey for each in failed}),
    }


def _paid(target: Target, now: datetime, slow: timedelta) -> list[Paid]:
    """Visits that speak for or against the service, the latest first: those of the slow window, and the last few."""
    counted = Probe.objects.filter(target=target, verdict__in=COUNTS, ended_at__lte=now).order_by("-ended_at")
    fields = counted.values_list("token", "journey__name", "why", "verdict", "began_at", "ended_at")
    rows = list(fields.filter(ended_at__gt=now - slow))
    if len(rows) < 2 * SLOW_FEWEST:  # confirmations are among them
        rows = list(fields[: 2 * SLOW_FEWEST])
    if not rows:
        return []
    held_apart = list(Maintenance.objects.touching(target, rows[-1][4], now))
    paid = [
        Paid(token, journey, why, Verdict(verdict), *when) for token, journey, why, verdict, *when in rows
    ]
    return [each for each in paid if not any(m.touches(each.began_at, each.ended_at) for m in held_apart)]


def _window(planned: Sequence[Paid], since: datetime, fewest: int) -> Sequence[Paid]:
    """Of ``planned``, the latest first: those since then, and at least the last ``fewest``."""
    within = sum(each.ended_at > since for each in planned)
    return planned[: max(within, fewest)]


def _wall(target: Target, now: datetime, alerts: Alerts) -> None:
    probes = Probe.objects.filter(target=target, ended_at__lte=now).exclude(verdict=Verdict.OURS)
    kept_out = Skip.objects.filter(visit__target=target, reason=Skip.Reason.ROBOTS)
    events = _latest(probes, kept_out, {Verdict.WALL})
    alert = _standing(Alert.Window.WALL, target)
    if alert is None and _all(events):
        facts = {"since": events[-1][0].isoformat(), "probes": [token for *_, token in events if token]}
        _open(Alert.Window.WALL, target, now, alerts, facts)
    elif alert and events and not events[0][1]:
        _close(alert, now, alerts)


def _permission(target: Target, now: datetime, alerts: Alerts) -> None:
    """Told in time to ask for another, and once more when it has run out, whoever looks after it."""
    try:
        statement = target.statement
    except (OSError, UnicodeDecodeError, NotAPermission, NotPlain):
        return  # no visit is paid, and the watch is soon blind: that is told
    alert = _standing(Alert.Window.LEAVE, target)
    if statement is None or not statement.is_to_be_renewed(now):
        if alert:
            _close(alert, now, alerts)
        return
    facts = {"ends": statement.ends.isoformat(), "over": now >= statement.ends}
    if alert is None:
        _open(Alert.Window.LEAVE, target, now, alerts, facts)
    elif alert.facts != facts:
        ran_out = facts["over"] and not alert.facts["over"]
        alert.facts = facts
        alert.save(update_fields=["facts"])
        if ran_out:
            write(alert, "reminder", now, alerts)


def _blindness(targets: Sequence[Target], now: datetime, alerts: Alerts) -> None:
    """Of the whole watch, which names the targets: an outage of its own line would otherwise be as many alerts as there are."""
    alert = _standing(Alert.Window.BLIND, None)
    unseen = set(alert.facts["targets"]) if alert else set()
    since = [now]
    for target in targets:
        skips = Skip.objects.filter(visit__target=target, reason__in=UNSEEN)
        events = _latest(Probe.objects.filter(target=target, ended_at__lte=now), skips, {Verdict.OURS})
        if target.gone_at or (events and not events[0][1]):
            unseen.discard(target.name)
        elif _all(events):
            unseen.add(target.name)
            since.append(events[-1][0])
    if alert and not unseen:
        _close(alert, now, alerts)
    elif alert:
        alert.facts["targets"] = sorted(unseen | set(alert.facts["targets"]))
        alert.facts["still"] = sorted(unseen)
        alert.save(update_fields=["facts"])
    elif unseen:
        facts = {"targets": sorted(unseen), "since": min(since).isoformat()}
        _open(Alert.Window.BLIND, None, now, alerts, facts)


Event = tuple[datetime, bool, str]  # when, whether nothing was seen, the probe's token


def _latest(probes: Any, skips: Any, without: set[Verdict]) -> list[Event]:
    """The last planned visits, paid or not, the latest first: at most as many as make a streak."""
    paid = (
        probes.filter(why=Probe.Why.PLANNED).order_by("-ended_at").values_list("ended_at", "verdict", "token")
    )
    left = skips.order_by("-visit__due_at").values_list("visit__due_at", flat=True)
    events = [(when, Verdict(verdict) in without, token) for when, verdict, token in paid[:STREAK]]
    events += [(when, True, "") for when in left[:STREAK]]
    return sorted(events, reverse=True)[:STREAK]


def _all(events: Sequence[Event]) -> bool:
    return len(events) == STREAK and all(nothing_seen for _, nothing_seen, _ in events)


def _standing(window: str, target: Target | None) -> Alert | None:
    return Alert.objects.filter(window=window, target=target, closed_at=None).first()


def _open(window: str, target: Target | None, now: datetime, alerts: Alerts, facts: dict[str, Any]) -> None:
    alert = Alert.objects.create(target=target, window=window, opened_at=now, facts=facts)
    write(alert, "opened", now, alerts)


def _close(alert: Alert, now: datetime, alerts: Alerts, **facts: Any) -> None:
    alert.closed_at = now
    alert.facts["closed"] = facts
    alert.save(update_fields=["closed_at", "facts"])
    write(alert, "closed", now, alerts)


def _remind(now: datetime, alerts: Alerts) -> None:
    """Once a day of each that stands open and that nobody has taken up."""
    for alert in Alert.objects.filter(closed_at=None).prefetch_related("acknowledgements", "tellings"):
        last = max((each.written_at for each in alert.tellings.all()), default=alert.opened_at)
        if alert.acknowledgement is None and now - last >= REMIND_AFTER:
            write(alert, "reminder", now, alerts)
