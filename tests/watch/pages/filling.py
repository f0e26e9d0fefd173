"""A watch that has seen something: what its pages show when they are looked at."""

from datetime import timedelta
from pathlib import Path

from rasd.watch.models import Probe
from rasd.watch.players.finding import Trouble
from tests.watch.making import A_CHAT, NOW, box_in, make_journey, make_probe, make_target, make_weeks


def fill(folder: Path) -> dict[str, Probe]:
    """A help desk with weeks of visits, the last of which have pictures; and a service that nobody has visited yet."""
    target = make_target()
    ticket, chat = make_journey(target), make_journey(target, A_CHAT)
    make_weeks(ticket, weeks=3, until=NOW - timedelta(hours=3), a_day=6)
    box = box_in(folder)
    seen = {
        "completed": make_probe(ticket, NOW - timedelta(minutes=140), box=box),
        "completed-but": make_probe(ticket, NOW - timedelta(minutes=110), "completed, but", box=box),
        "theirs": make_probe(
            ticket,
            NOW - timedelta(minutes=80),
            "theirs",
            box=box,
            stops_at=4,
            words="الصفحة تقول: حدث خطأ في النظام، حاول لاحقًا (HTTP 502)",
        ),
        "wall": make_probe(chat, NOW - timedelta(minutes=40), "wall", box=box),
        "ours": make_probe(ticket, NOW - timedelta(minutes=20), "ours", box=box),
    }
    seen["confirmation"] = make_probe(
        ticket,
        NOW - timedelta(minutes=70),
        "theirs",
        why=Probe.Why.CONFIRMATION,
        confirms=seen["theirs"],
        trouble=Trouble.ERROR_PAGE,
        box=box,
    )
    make_target("bills", title="فواتيري", url="http://127.0.0.1:8766", public=False)
    return seen
