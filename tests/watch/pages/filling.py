"""A watch that has seen something: what its pages show when they are looked at."""

from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.auth.models import User

from rasd.watch.models import Alert, Maintenance, Probe
from rasd.watch.players.finding import Trouble
from tests.watch.making import (
    A_CHAT,
    NOW,
    a_trace,
    a_transcript,
    box_in,
    make_journey,
    make_plan,
    make_probe,
    make_skips,
    make_target,
    make_weeks,
    what_failed,
    what_the_browser_said,
)


def fill(folder: Path, now: datetime = NOW) -> dict[str, Probe]:
    """A help desk with weeks of visits, the last of which have pictures; and a service that nobody has visited yet."""
    target = make_target()
    ticket, chat = make_journey(target), make_journey(target, A_CHAT)
    make_weeks(ticket, weeks=4, until=now - timedelta(hours=3), a_day=4)
    make_weeks(chat, weeks=2, until=now - timedelta(hours=3), a_day=2, seed=11)
    make_plan(target, now - timedelta(days=30), revealed=True)
    make_skips(make_plan(target, now - timedelta(days=2)), now)
    Alert.objects.create(target=target, window="fast", opened_at=now - timedelta(hours=2), facts={})
    Alert.objects.create(
        target=target,
        window="slow",
        opened_at=now - timedelta(days=9),
        closed_at=now - timedelta(days=8),
        facts={},
    )
    Maintenance.objects.create(
        target=target,
        begins_at=now + timedelta(hours=20),
        ends_at=now + timedelta(hours=23),
        words="نحدّث نظام البلاغات",
        announced_at=now - timedelta(hours=1),
    )
    box = box_in(folder)
    seen = {
        "completed": make_probe(ticket, now - timedelta(minutes=140), box=box),
        "completed-but": make_probe(ticket, now - timedelta(minutes=110), "completed, but", box=box),
        "theirs": make_probe(
            ticket,
            now - timedelta(minutes=80),
            "theirs",
            box=box,
            stops_at=4,
            words="الصفحة تقول: حدث خطأ في النظام، حاول لاحقًا (HTTP 502)",
            exhibits=[what_failed(box), what_the_browser_said(box), a_trace(box)],
        ),
        "chat": make_probe(
            chat,
            now - timedelta(minutes=50),
            "theirs",
            box=box,
            stops_at=5,
            trouble=Trouble.LOOP,
            words="the same answer, 3 times now",
            exhibits=[a_transcript(box, now)],
        ),
        "wall": make_probe(chat, now - timedelta(minutes=40), "wall", box=box),
        "ours": make_probe(ticket, now - timedelta(minutes=20), "ours", box=box),
    }
    seen["confirmation"] = make_probe(
        ticket,
        now - timedelta(minutes=70),
        "theirs",
        why=Probe.Why.CONFIRMATION,
        confirms=seen["theirs"],
        stops_at=4,
        box=box,
    )
    make_target("bills", title="فواتيري", url="http://127.0.0.1:8766", public=False)
    alarm(seen, now)
    return seen


def alarm(seen: dict[str, Probe], now: datetime) -> None:
    """What is known of the alert that stands, whom it was told, and who looks after it."""
    facts = {
        "objective": 0.95, "visits": 12, "failures": 4, "low": 0.2514, "high": 0.9468, "rate": 6.7,
        "since": (now - timedelta(hours=6)).isoformat(), "probes": [seen["theirs"].token, seen["chat"].token],
        "journeys": ["open-a-ticket"],
    }  # fmt: skip
    Alert.objects.update(facts=facts)
    alert = Alert.objects.get(closed_at=None)
    rows = {"written_at": alert.opened_at, "due_at": now + timedelta(minutes=8), "what": "opened"}
    alert.tellings.create(
        to="0" * 64, shown="mailtos://watch:****@mail.example.org/", told_at=alert.opened_at, **rows
    )
    alert.tellings.create(
        to="1" * 64, shown="json://alarms.example.org/hook", attempts=4, error="Connection refused", **rows
    )
    said, salma = (User.objects.get_or_create(username=name)[0] for name in ("said", "salma"))
    heard = alert.acknowledge(said, now - timedelta(minutes=90), "أظنه خادم البريد")
    heard.withdraw(said, now - timedelta(minutes=80))
    alert.acknowledge(salma, now - timedelta(minutes=70), "عطل في خادم البريد، أُبلغ قسم الأنظمة")
