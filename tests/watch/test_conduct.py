"""Before a visit is paid (G13, G14): what keeps it from being paid, and that it is then on record why."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from rasd.watch.asking import Answer, Unanswered
from rasd.watch.conduct import NotPaid, leave_for
from rasd.watch.journeys import parse
from rasd.watch.leave import Leave
from rasd.watch.models import Maintenance, Signpost, Skip, Target
from rasd.watch.permission import WELL_KNOWN, Why, key_of, new_key, sign
from rasd.watch.robots import UNREAD
from tests.watch.reports import NOON, finding, journey, record
from tests.watch.reports import target as make_target

pytestmark = pytest.mark.django_db

OWNER = new_key()
STATEMENT = f"""\
service: A desk
granted_by: its head
asked_by: the quality office
call: its duty desk
begins: {NOON - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}
ends: {NOON + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}
origins: [https://192.0.2.7]
visits_a_day: 3
may_submit: [tickets]
"""
ERRAND = """
journey: ask
title: Asks
target: desk
who: {patience: 3m}
steps: [{open: /new}, {press: Send}]
done: [{open: "/tickets/{number}"}, {open: "{link}"}]
"""
HERE = "http://127.0.0.1:9/"


class Posts:
    """What stands at the addresses of a place; whoever asks is counted."""

    def __init__(self, **at: str) -> None:
        self.at = {"/robots.txt": at.get("robots"), WELL_KNOWN: at.get("key")}
        self.asked: Counter[str] = Counter()
        self.down = False

    def __call__(self, url: str) -> Answer:
        self.asked[url] += 1
        if self.down:
            raise Unanswered("answered 503")
        text = next((text for path, text in self.at.items() if url.endswith(path)), None)
        return Answer(404) if text is None else Answer(200, text)


def desk(url: str = "https://192.0.2.7/", **more: object) -> Target:
    entry = {"title": "Desk", "url": url, "journeys": ["*.yaml"], **more}
    return make_target(url=url, settings=entry)


def asked(
    target: Target, posts: Posts, folder: Path = Path("/nowhere"), text: str = ERRAND, **after: float
) -> Leave | NotPaid:
    return leave_for(target, parse(text), folder, NOON + timedelta(**after), posts)


def reason(*args: object, **more: object) -> str | None:
    answer = asked(*args, **more)  # type: ignore[arg-type]
    return answer.reason if isinstance(answer, NotPaid) else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "leave.yaml").write_text(sign(STATEMENT, OWNER))
    return tmp_path


def test_g13_outside_loopback_nothing_is_asked_without_a_permission() -> None:
    posts = Posts(key=key_of(OWNER))
    assert reason(desk(), posts) == Skip.Reason.PERMISSION
    assert not posts.asked


def test_g13_the_owner_grants_by_publishing_his_key_and_withdraws_by_taking_it_down(folder: Path) -> None:
    target, posts = desk(permission="leave.yaml"), Posts(key=key_of(OWNER))
    leave = asked(target, posts, folder)
    assert isinstance(leave, Leave)
    assert leave.refusal("https://192.0.2.7/x") is None
    assert leave.refusal("https://evil.invalid/") is not None
    posts.at[WELL_KNOWN] = None
    assert reason(target, posts, folder, hours=20) is None  # asked once a day
    assert reason(target, posts, folder, hours=29) == Skip.Reason.PERMISSION
    assert posts.asked["https://192.0.2.7" + WELL_KNOWN] == 2


def test_g13_an_outage_of_the_place_takes_no_permission_away_for_a_week(folder: Path) -> None:
    target, posts = desk(permission="leave.yaml"), Posts(key=key_of(OWNER))
    asked(target, posts, folder)
    posts.down = True
    assert reason(target, posts, folder, days=6) is None
    assert reason(target, posts, folder, days=8) == Skip.Reason.PERMISSION


@pytest.mark.parametrize(
    "text", [STATEMENT, sign(STATEMENT, OWNER).replace("visits_a_day: 3", "visits_a_day: 9")]
)
def test_g13_a_permission_that_is_not_well_signed_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "leave.yaml").write_text(text)
    target = desk(permission="leave.yaml", owner_key=key_of(OWNER))
    assert reason(target, Posts(), tmp_path) == Skip.Reason.PERMISSION


def test_g13_a_permission_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert reason(desk(permission="gone.yaml"), Posts(), tmp_path) == Skip.Reason.PERMISSION


def test_g13_pays_no_more_visits_a_day_than_the_owner_permits(folder: Path) -> None:
    target = desk(permission="leave.yaml", owner_key=key_of(OWNER))
    for hour in (1, 2, 3):
        record(of=journey(target), at=NOON - timedelta(hours=hour), why="by hand" if hour == 2 else "planned")
    assert reason(target, Posts(), folder) == Skip.Reason.BUDGET
    assert reason(target, Posts(), folder, hours=13) is None


@pytest.mark.parametrize(
    ("robots", "expected"),
    [
        ("", None),
        ("User-agent: *\nDisallow: /admin", None),
        ("User-agent: *\nDisallow: /new", Skip.Reason.ROBOTS),
        ("User-agent: *\nDisallow: /tickets/", Skip.Reason.ROBOTS),
        ("User-agent: *\nDisallow: /", Skip.Reason.ROBOTS),
    ],
)
def test_g13_what_robots_txt_forbids_is_not_planned_to_be_asked_for(
    robots: str, expected: str | None
) -> None:
    assert reason(desk(HERE), Posts(robots=robots)) == expected


def test_g13_where_the_visit_is_led_robots_txt_is_asked_too() -> None:
    leave = asked(desk(HERE), Posts(robots="User-agent: *\nDisallow: /admin"))
    assert isinstance(leave, Leave)
    refusal = leave.refusal(f"{HERE}admin/x")
    assert refusal is not None
    assert refusal.why is Why.ROBOTS
    unread = Leave(robots={HERE.rstrip("/"): UNREAD}).refusal(HERE)
    assert unread is not None
    assert unread.why is Why.UNREAD, "nobody said that robots are kept out"


def test_g13_a_robots_txt_that_cannot_be_read_is_the_last_one_that_could_and_without_one_forbids_all(
    folder: Path,
) -> None:
    """RFC 9309, 2.3.1.4: or an outage, which a watch is there to see, would keep it out."""
    target = desk(permission="leave.yaml", owner_key=key_of(OWNER))
    posts = Posts(robots="User-agent: *\nDisallow: /admin")
    posts.down = True
    assert reason(target, posts, folder) == Skip.Reason.UNREAD, "nobody said that robots are kept out"
    assert Signpost.objects.get(url="https://192.0.2.7/robots.txt").error == "answered 503"
    posts.down = False
    assert reason(target, posts, folder, minutes=59) == Skip.Reason.UNREAD
    assert reason(target, posts, folder, minutes=61) is None
    posts.down = True
    assert reason(target, posts, folder, days=3) is None


def test_g13_waits_between_visits_as_long_as_robots_txt_asks_for_each_page() -> None:
    target = desk(HERE)
    record(of=journey(target))  # three steps, over after 30 s
    posts = Posts(robots="User-agent: *\nCrawl-delay: 100")
    assert reason(target, posts, seconds=329) == Skip.Reason.RATE
    assert reason(target, posts, seconds=330) is None


def test_g13_leaves_a_service_alone_as_long_as_it_asks() -> None:
    target = desk(HERE)
    asks = finding(1, "failed", trouble="wall", facts={"retry_after": 3600.0})  # ten seconds long
    record("wall", of=journey(target), findings=(asks,))
    assert reason(target, Posts(), minutes=60) == Skip.Reason.RATE
    assert reason(target, Posts(), minutes=61) is None


def test_announced_maintenance_keeps_visits_away_and_withdrawn_it_does_not() -> None:
    target = desk(HERE)
    announced = Maintenance.objects.create(
        target=target,
        begins_at=NOON,
        ends_at=NOON + timedelta(hours=2),
        words="a new version",
        announced_at=NOON - timedelta(days=1),
    )
    assert reason(target, Posts(), minutes=119) == Skip.Reason.MAINTENANCE
    assert reason(target, Posts(), minutes=120) is None
    announced.withdraw(None, NOON + timedelta(hours=1))
    assert reason(target, Posts(), minutes=59) == Skip.Reason.MAINTENANCE
    assert reason(target, Posts(), minutes=61) is None


def test_g13_a_letter_goes_only_where_the_permission_covers_it(folder: Path) -> None:
    target = desk(permission="leave.yaml", owner_key=key_of(OWNER))
    letter = ERRAND.replace("{press: Send}", "{write: {to: help@desk.test, subject: TEST, words: x}}")
    elsewhere = letter.replace("help@desk.test", "help@desk.com")
    assert reason(target, Posts(), folder, letter) is None
    assert reason(target, Posts(), folder, elsewhere) == Skip.Reason.PERMISSION
