"""The customers' side of a month in the console: districts' days, all or none; reminders with their progress and a stop."""

from datetime import UTC, date, datetime, timedelta

import pytest

from rasd.channels.models import Channel, Line
from rasd.flows.models import ApprovedTemplate, Reminder
from rasd.ledger.models import Entry
from rasd.metering.models import Account, AccountContact, Cycle, DistrictWindow
from tests.flows.conftest import make_point

pytestmark = pytest.mark.django_db
OPENS = datetime(2026, 11, 15, 6, tzinfo=UTC)


@pytest.fixture
def cycle():
    account = Account.objects.create(number="A1", holder_name="x")
    AccountContact.objects.create(
        account=account, identifier="tel:+96890000001", since=OPENS - timedelta(days=9)
    )
    make_point(1, account, readings=False)
    return Cycle.open("2026-11", at=OPENS, actor="user:test")


def test_a_districts_days_are_saved_and_taken_away_by_who_may(as_, cycle):
    page, supervisor = "/cycle/2026-11/windows", as_("supervisor")
    assert "بوشر" in supervisor.get(page).content.decode()
    told = supervisor.post(page, {"opens-بوشر": "2026-11-03", "closes-بوشر": "2026-11-08"})
    assert told.status_code == 302
    window = DistrictWindow.objects.get()
    assert (window.district, window.opens, window.closes) == ("بوشر", date(2026, 11, 3), date(2026, 11, 8))
    assert Entry.objects.get(action="cycle.windows").actor == "user:supervisor"
    supervisor.post(page, {})
    assert not DistrictWindow.objects.exists()


@pytest.mark.parametrize(
    ("opens", "closes", "said"),
    [
        ("2026-11-08", "2026-11-03", "exchange the two"),
        ("2026-11-08", "", "Give both days, or neither."),
        ("2026-11-31", "2026-12-03", "Give both days, or neither."),
        ("2026-12-15", "2026-12-16", "in the window of 2026-12 already"),
    ],
)
def test_wrong_days_are_refused_with_the_mend_and_what_was_typed_stays(as_, cycle, opens, closes, said):
    Cycle.open("2026-12", at=OPENS, actor="user:test")
    told = as_("supervisor").post("/cycle/2026-11/windows", {"opens-بوشر": opens, "closes-بوشر": closes})
    assert told.status_code == 422
    assert said in told.content.decode()
    assert f'value="{opens}"' in told.content.decode()
    assert not DistrictWindow.objects.exists()


def test_the_page_of_reminders_says_what_is_missing_shows_how_far_a_round_is_and_stops_it(
    as_, cycle, settings
):
    settings.PUBLIC_URL = "https://service.example.om"
    page, supervisor = "/cycle/2026-11/reminders", as_("supervisor")
    assert "no template is entered" in supervisor.get(page).content.decode()
    Line.objects.create(channel=Channel.WHATSAPP, purpose="readings", external_id="1", name="readings")
    ApprovedTemplate.objects.create(use="start", language="ar", name="x", code="ar", body="{{1}}{{2}}{{3}}")
    reminder = Reminder.begin(cycle, "start", at=OPENS)
    words = supervisor.get(page).content.decode()
    assert "Had not read" in words
    assert "225 more customers now, of 250 in 24 hours" in words
    stop = f"{page}/{reminder.pk}/stop"
    assert as_("agent").post(stop).status_code == 403
    assert supervisor.post(stop).status_code == 302
    assert Reminder.objects.get().stopped_by == "user:supervisor"
    assert "Stop this round" not in supervisor.get(page).content.decode()
