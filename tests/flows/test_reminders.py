"""Reminders: to those who have not read and never to those who have, within Meta's limit, once, until stopped."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.channels import tiers
from rasd.channels.jobs import UNASKED
from rasd.channels.models import Address, Channel, Line, OptOut, Outgoing
from rasd.desk.models import Conversation
from rasd.flows.models import ApprovedTemplate, Reminded, Reminder
from rasd.flows.models.reminders import is_an_hour_for_it, occasion_at
from rasd.ledger.models import Entry
from rasd.metering import days
from rasd.metering.models import Account, AccountContact, Adoption, Reading
from tests.flows.conftest import NOON, make_point
from tests.jobs import do_jobs

OPENS = datetime(2026, 11, 15, 6, tzinfo=UTC)  # ten in the morning in Muscat
LEFT = Reminded.LeftOut
pytestmark = pytest.mark.django_db


@pytest.fixture
def templates():
    for use in ("start", "ending"):
        body = "الفترة من {{1}} إلى {{2}}: {{3}}"
        ApprovedTemplate.objects.create(use=use, language="ar", name=f"read_{use}", code="ar", body=body)
    ApprovedTemplate.objects.create(
        use="start", language="en", name="read_start", code="en_US", body="From {{1}} to {{2}}: {{3}}"
    )


@pytest.fixture
def round_(templates, cycle, line, settings):
    settings.PUBLIC_URL = "https://service.example.om"

    def begin(**more):
        return Reminder.begin(cycle, "start", at=OPENS, **more)

    return begin


def make_customer(number: int, **account):
    holder = Account.objects.create(number=f"A{number}", holder_name="ناصر التجريبي", **account)
    AccountContact.objects.create(
        account=holder, identifier=f"tel:+9689{number:07}", since=OPENS - timedelta(days=90)
    )
    return make_point(number, holder, readings=False)


def read(point, cycle, source="customer"):
    register = point.current_register
    reading = Reading.objects.create(
        service_point=point, register=register, cycle=cycle, value=1, source=source, taken_at=OPENS
    )
    Adoption.objects.create(
        service_point=point,
        register=register,
        cycle=cycle,
        reading=reading,
        actor="x",
        why="x",
        receipt=point.number,
    )


def written_to():
    return sorted(
        Outgoing.objects.filter(key__startswith="reminder:").values_list("address__phone", flat=True)
    )


def test_only_who_has_not_read_is_written_to_in_his_language_with_his_own_link(round_, cycle):
    make_customer(1)
    make_customer(2, language="en")
    read(make_customer(3), cycle)
    read(make_customer(4), cycle, source="estimate")
    reminder = round_()
    assert reminder.drawn == 3
    assert reminder.go_on(OPENS) == 3
    assert written_to() == ["+96890000001", "+96890000002", "+96890000004"]
    english = Outgoing.objects.get(address__phone="+96890000002")
    assert english.content["template"]["language"] == "en_US"
    assert english.text.startswith(
        "From \u206815 November\u2069 to \u206825 November\u2069: https://service.example.om/m/"
    )
    assert len(set(Outgoing.objects.values_list("text", flat=True))) == 3


def test_who_reads_after_the_draw_and_before_his_turn_is_left_alone(round_, cycle):
    early, late = make_customer(1), make_customer(2)
    reminder = round_()
    read(late, cycle)
    reminder.go_on(OPENS)
    assert written_to() == [f"+9689{1:07}"]
    assert reminder.progress()["read"] == 1
    assert early.account.number == "A1"


def test_one_person_with_two_accounts_is_written_to_once(round_):
    point = make_customer(1)
    other = make_customer(2)
    AccountContact.objects.create(account=other.account, identifier=point.account.contacts.get().identifier)
    reminder = round_()
    reminder.go_on(OPENS)
    assert written_to() == ["+96890000001", "+96890000002"]


def test_a_crash_in_the_middle_of_a_batch_sends_nothing_twice_and_forgets_nobody(round_, monkeypatch, world):
    for number in range(1, 5):
        make_customer(number)
    reminder = round_()
    write, calls = Reminded.write_to, []

    def crashing(self, at, **more):
        calls.append(self)
        if len(calls) == 3:
            raise ConnectionError("the worker died")
        write(self, at, **more)

    monkeypatch.setattr(Reminded, "write_to", crashing)
    with pytest.raises(ConnectionError):
        reminder.go_on(OPENS)
    assert not Outgoing.objects.exists()
    assert reminder.go_on(OPENS) == 4
    assert Reminder.objects.get().go_on(OPENS) == 0
    do_jobs(queues={"outbox"})
    assert len(world.sent) == len({sent["to"] for sent in world.sent}) == 4


def test_metas_limit_is_kept_and_the_rest_has_its_turn_a_day_later(round_, line):
    for number in range(1, 8):
        make_customer(number)
    Line.objects.update(daily_customers=5)  # of which a tenth is kept for late answers: four
    reminder = round_()
    assert [reminder.go_on(OPENS), reminder.go_on(OPENS)] == [4, 0]
    Outgoing.objects.update(created_at=OPENS)
    assert reminder.go_on(OPENS + timedelta(hours=23)) == 0
    assert reminder.go_on(OPENS + timedelta(hours=24, minutes=1)) == 3
    assert Reminder.objects.get().ended_at is not None


def test_where_metas_limit_does_not_reach_for_all_nobody_is_reminded_twice_before_everybody_was_once(
    round_, cycle
):
    for number in range(1, 6):
        make_customer(number)
    Line.objects.update(daily_customers=4)  # three, as a tenth is kept
    round_().go_on(OPENS)
    first = set(written_to())
    Outgoing.objects.update(created_at=OPENS)
    later = OPENS + timedelta(days=7)
    Reminder.begin(cycle, "ending", at=later).go_on(later)
    assert len(first) == 3
    assert len(set(written_to())) == 5


def test_numbers_of_one_portfolio_share_its_limit_and_an_answer_within_a_day_takes_none_of_it(line, customer):
    more = {"portfolio": "p", "daily_customers": 10}
    other = Line.objects.create(
        channel=Channel.WHATSAPP, purpose="service", external_id="2", name="x", **more
    )
    Line.objects.update(**more)
    line.refresh_from_db()
    assert customer.says("السلام عليكم")
    assert tiers.room(line, NOON) == 9
    stranger = Address.objects.create(channel=Channel.WHATSAPP, phone="+96895555555")
    Outgoing.objects.create(line=other, address=stranger, key="a", kind="template", text="x")
    assert tiers.room(line, NOON + timedelta(hours=1)) == 8
    assert tiers.room(line, NOON + timedelta(hours=25)) == 9


def test_a_stopped_round_writes_to_nobody_else_and_the_ledger_says_who_stopped_it(round_):
    make_customer(1)
    reminder = round_()
    reminder.stop(at=OPENS, actor="user:salma")
    assert Reminder.objects.get().go_on(OPENS) == 0
    assert not written_to()
    assert Entry.objects.get(action="reminders.stopped").actor == "user:salma"


def test_who_wants_none_and_who_is_with_a_person_is_left_alone(round_, line):
    quiet, talking = make_customer(1), make_customer(2)
    addresses = [
        Address.objects.create(channel=Channel.WHATSAPP, phone=point.account.contacts.get().identifier[4:])
        for point in (quiet, talking)
    ]
    reminder = round_()
    OptOut.begin(addresses[0], "STOP", at=OPENS)
    from rasd.desk.models import Contact

    talk = Conversation.objects.create(line=line, address=addresses[1], contact=Contact.of(addresses[1]))
    talk.hand_over(wish="customer", why="x", at=OPENS, actor="x")
    reminder.go_on(OPENS)
    assert (reminder.progress()["opted_out"], reminder.progress()["with_people"]) == (1, 1)
    assert not written_to()


def test_a_number_that_is_another_persons_now_is_not_written_to(round_):
    point = make_customer(1)
    phone = point.account.contacts.get().identifier[4:]
    Address.objects.create(channel=Channel.WHATSAPP, phone=phone, phone_moved_at=OPENS - timedelta(days=1))
    assert round_().drawn == 0


def test_a_district_with_days_of_its_own_has_a_round_of_its_own(round_, cycle):
    mine, other = make_customer(1), make_customer(2)
    other.district = "صور"
    other.save()
    cycle.put_windows({"صور": (date(2026, 11, 16), date(2026, 11, 26))}, at=OPENS, actor="x")
    assert [one.district for one in Reminder.begin_due(OPENS)] == [""]
    assert [one.district for one in Reminder.begin_due(OPENS + timedelta(days=1))] == ["صور"]
    assert list(Reminded.objects.values_list("contact__account", flat=True)) == [
        mine.account_id,
        other.account_id,
    ]


def test_nothing_begins_without_an_approved_template_or_an_address_of_the_site(cycle, line, settings):
    settings.PUBLIC_URL = ""
    make_customer(1)
    assert Reminder.what_is_missing("start") == "template"
    ApprovedTemplate.objects.create(use="start", language="ar", name="x", code="ar", body="{{1}}{{2}}{{3}}")
    assert Reminder.what_is_missing("start") == "address"
    assert Reminder.begin_due(OPENS) == []


def test_each_occasion_has_one_round_and_it_runs_in_the_days_hours(round_, cycle):
    make_customer(1)
    at_night = datetime(2026, 11, 15, 3, tzinfo=UTC)  # seven in Muscat
    assert Reminder.go_on_with_all(at_night) == 0
    assert not Reminder.objects.exists()
    assert Reminder.go_on_with_all(OPENS) == 1
    assert Reminder.go_on_with_all(OPENS + timedelta(minutes=1)) == 0
    assert Reminder.go_on_with_all(OPENS + timedelta(days=7)) == 1
    assert [one.occasion for one in Reminder.objects.all()] == ["start", "ending"]
    assert not Outgoing.objects.exclude(kind="template").exists()


def test_what_nobody_waits_for_goes_out_behind_the_answers(round_):
    from procrastinate.contrib.django.models import ProcrastinateJob

    make_customer(1)
    round_().go_on(OPENS)
    assert ProcrastinateJob.objects.get(queue_name="outbox").priority == UNASKED


@given(
    opens=st.dates(date(2026, 1, 1), date(2027, 1, 1)),
    length=st.integers(0, 40),
    after=st.integers(-5, 50),
    hour=st.integers(0, 23),
)
def test_a_reminder_is_of_the_start_until_three_days_before_the_end_and_never_outside_the_window(
    opens, length, after, hour
):
    closes = opens + timedelta(days=length)
    at = datetime(opens.year, opens.month, opens.day, hour, tzinfo=UTC) + timedelta(days=after)
    today = days.local_day(at)
    found = occasion_at((opens, closes), at)
    assert bool(found) == (opens <= today <= closes)
    assert (found == "ending") == (opens <= today <= closes and opens < closes - timedelta(days=3) <= today)
    assert is_an_hour_for_it(at) == (9 <= (hour + 4) % 24 < 20)
