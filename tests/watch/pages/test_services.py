"""A service at a glance and by the hour; its visits; what was planned; the league."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from rasd.watch.models import Alert, Skip
from rasd.watch.options import options
from rasd.watch.permission import new_key, sign
from rasd.watch.schedule.audit import audit, parse
from tests.watch.making import A_CHAT, NOW, make_journey, make_plan, make_probe, make_target

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_that_moment")]

STATEMENT = """
service: The customers' site
granted_by: Head of digital service
asked_by: Quality office
call: Duty desk, day and night
begins: 2026-11-01T00:00:00+04:00
ends: 2026-12-01T00:00:00+04:00
origins: [https://help.example.org]
visits_a_day: 48
"""


@pytest.fixture
def _at_that_moment(time_machine) -> None:
    time_machine.move_to(NOW, tick=False)


def said(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode().replace("&#x27;", "'")


def in_arabic() -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="ar")
    client.force_login(User.objects.create(username="said"))
    return client


def test_a_share_never_stands_without_its_interval_and_what_it_rests_on(salma: Client):
    journey = make_journey(make_target())
    for n in range(4):
        make_probe(journey, NOW - timedelta(hours=n + 1))
    home = said(salma, "/")
    assert "4 of 4 visits done" in home
    assert "true share between 51% and 99%" in home or "true share between 51% and 100%" in home


def test_an_empty_watch_and_a_service_that_nobody_visited_say_what_to_do(salma: Client):
    assert "rasd watch record URL" in said(salma, "/")
    journey = make_journey(make_target())
    assert f"rasd watch run helpdesk/{journey.name}" in said(salma, "/")
    assert f"rasd watch run helpdesk/{journey.name}" in said(salma, "/targets/helpdesk")


def test_a_service_with_an_open_alert_comes_first(salma: Client):
    make_target("a-first", title="الأولى")
    worst = make_target("z-last", title="الأخيرة")
    Alert.objects.create(target=worst, window="fast", opened_at=NOW, facts={})
    home = said(salma, "/")
    assert home.index("الأخيرة") < home.index("الأولى")
    assert "Many errands have failed in the last hours" in home


def test_an_hour_of_the_week_with_fewer_than_ten_visits_is_hatched(salma: Client):
    journey = make_journey(make_target())
    for n in range(10):
        make_probe(journey, NOW - timedelta(days=7, minutes=n))  # Sunday 10:20 to 10:30
    make_probe(journey, NOW - timedelta(days=1))  # Saturday
    page = said(salma, "/targets/helpdesk")
    hatched = [
        each
        for each in page.split("<a tabindex")
        if 'class="cell' in each and "hatched" in each.split(">")[0]
    ]
    assert len(hatched) == 1
    assert "Saturday 10:00: 1/1" in hatched[0]


def test_the_week_begins_where_the_language_lets_it_and_numbers_are_in_its_digits(salma: Client):
    make_probe(make_journey(make_target()), NOW - timedelta(hours=1))
    english, arabic = said(salma, "/targets/helpdesk"), said(in_arabic(), "/targets/helpdesk")
    assert english.index("Mon</span>") < english.index("Sun</span>")
    assert arabic.index("أحد</span>") < arabic.index("إثنين</span>")
    assert "١/١" in arabic
    assert "٪" in arabic


def test_a_cell_leads_to_the_visits_of_its_hour(salma: Client):
    journey = make_journey(make_target())
    then, another = (
        make_probe(journey, NOW - timedelta(days=7)),
        make_probe(journey, NOW - timedelta(hours=5)),
    )
    shown = said(salma, f"/targets/helpdesk/visits?hour={then.hour}")
    assert then.token in shown
    assert another.token not in shown
    assert "Sunday, 10:00–11:00" in shown
    assert then.token not in said(salma, "/targets/helpdesk/visits?verdict=theirs")


def test_an_errands_page_shows_where_people_are_lost_and_each_wording_by_itself(salma: Client):
    target = make_target()
    journey = make_journey(target)
    make_probe(journey, NOW - timedelta(hours=3))
    make_probe(journey, NOW - timedelta(hours=2), "theirs")
    page = said(salma, "/targets/helpdesk/journeys/open-a-ticket")
    assert "<bdi>1/2</bdi>" in page
    assert "1 × The service answered with an error." in page
    assert "somebody who speaks Arabic" in page
    assert salma.get("/targets/helpdesk/journeys/nobody").status_code == 404


def test_chats_tell_how_long_people_waited_and_who_gave_up(salma: Client):
    journey = make_journey(make_target(), A_CHAT)
    make_probe(journey, NOW - timedelta(hours=3))
    page = said(salma, "/targets/helpdesk/journeys/ask-about-the-bill")
    assert "Time to the first answer in the chat" in page
    assert "Time until a person answered" in page


def test_g14_what_was_planned_and_not_run_is_shown_with_its_reason(salma: Client):
    target = make_target()
    make_journey(target)
    plan = make_plan(target, NOW - timedelta(days=3))
    visit = plan.visits.order_by("due_at").first()
    Skip.objects.create(visit=visit, reason="busy", noticed_at=visit.until)
    page = said(salma, "/targets/helpdesk/plan")
    assert "<strong>1</strong> every watcher was busy with another visit" in page
    assert plan.commitment in page


def test_g14_no_page_tells_when_the_watch_will_come(salma: Client):
    target = make_target()
    make_journey(target)
    plan = make_plan(target, NOW - timedelta(days=3))
    to_come = [each.due_at for each in plan.visits.filter(due_at__gt=NOW)]
    assert len(to_come) > 100
    told = [
        said(salma, path)
        for path in ("/", "/targets/helpdesk", "/targets/helpdesk/plan", "/targets/helpdesk/plans.json")
    ]
    for page in told:
        assert plan.seed not in page
        for due in to_come:
            assert f"{due:%Y-%m-%dT%H:%M:%S}" not in page
            assert f"{due + timedelta(hours=4):%H:%M:%S}" not in page.split("<body")[-1] or page.startswith(
                "{"
            )


def test_published_plans_are_everybodys_where_the_service_is_public_and_can_be_audited(salma: Client):
    target = make_target()
    make_journey(target)
    plan = make_plan(target, NOW - timedelta(days=30), revealed=True)
    Skip.objects.bulk_create(
        Skip(visit=each, reason="stopped", noticed_at=each.until) for each in plan.visits.all()
    )
    answer = Client().get("/targets/helpdesk/plans.json")
    audited, _between = audit(parse(answer.content), [plan.commitment])
    assert audited[0].revealed
    assert audited[0].findings == []
    assert json.loads(answer.content)["plans"][0]["seed"] == plan.seed
    make_target("bills", public=False)
    assert Client().get("/targets/bills/plans.json")["Location"].startswith("/login")


def test_nobody_is_ranked_by_chance(salma: Client):
    target = make_target()
    ticket, chat = make_journey(target), make_journey(target, A_CHAT)
    for n in range(3):
        make_probe(ticket, NOW - timedelta(hours=n + 1))
        make_probe(chat, NOW - timedelta(hours=n + 1), "theirs" if n else "completed")
    page = said(salma, "/league")
    assert page.count("<bdi>1–2</bdi>") == 2


def test_everything_can_be_taken_away_as_csv(salma: Client):
    probe = make_probe(make_journey(make_target()), NOW - timedelta(hours=3))
    for kind, many in {"probes": 1, "steps": probe.steps.count()}.items():
        answer = salma.get(f"/targets/helpdesk/{kind}.csv?weeks=4")
        assert f"helpdesk-{kind}-2026-10-26-2026-11-22.csv" in answer["Content-Disposition"]
        with pytest.warns(Warning, match="asynchronous iterators"):  # the test's client is not the server
            lines = b"".join(answer).decode("utf-8-sig").splitlines()
        assert len(lines) == 1 + many
        assert probe.token in lines[1]
    assert salma.get("/targets/helpdesk/secrets.csv").status_code == 404


def test_a_service_that_is_not_there_is_not_there(salma: Client):
    for path in ("/targets/nobody", "/targets/nobody/plan", "/targets/nobody/probes.csv", "/nowhere"):
        answer = salma.get(path)
        assert answer.status_code == 404
        assert "Nothing here" in answer.content.decode()


def test_a_services_page_says_by_whose_leave_it_is_visited_and_until_when(
    salma: Client, tmp_path, monkeypatch
):
    target = make_target()
    assert "nobody need be asked" in said(salma, "/targets/helpdesk")
    target.url = "https://help.example.org/"
    target.save()
    assert "There is no permission, so no visit is paid." in said(salma, "/targets/helpdesk")
    target.settings = {"permission": "permission.yaml"}
    target.save()
    monkeypatch.setattr(options, "file", tmp_path / "watch.yaml")
    assert "The permission cannot be used" in said(salma, "/targets/helpdesk")
    signed = sign(STATEMENT, new_key())
    (tmp_path / "permission.yaml").write_text(signed)
    page = said(salma, "/targets/helpdesk")
    assert "Head of digital service" in page
    assert "1 December 2026" in page
    (tmp_path / "permission.yaml").write_text(signed.replace("visits_a_day: 48", "visits_a_day: 4800"))
    assert "it was changed after it was signed" in said(salma, "/targets/helpdesk")
