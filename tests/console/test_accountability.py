"""G12 on the pages: one's own first, everybody's for who leads, down to the entries of the ledger; comments are entries too."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rasd.console import accounts
from rasd.console.accounts import Period
from rasd.desk.account import Figures, Scope
from rasd.desk.models import AccountMark, Case, Queue
from rasd.ledger.models import Entry, record, verify
from tests.console.looking import look_at
from tests.desk.test_account import Owed

pytestmark = pytest.mark.django_db


class Past:
    """Obligations of made-up employees, as the ledger would have them, earlier today."""

    def __init__(self) -> None:
        self.pk = 0
        self.now = timezone.now()

    def owed(self, who: str = "salma", after: float | None = 20, *, hours_ago: float = 2, **more) -> Owed:
        """Answered ``after`` so many minutes of the thirty; not yet, where that is None."""
        self.pk += 1
        one = Owed(pk=self.pk, write=record, zero=self.now - timedelta(hours=hours_ago), **more)
        one.owed().given(1, who)
        return one if after is None else one.answered(after)

    def fill(self) -> None:
        """Eighty of salma's in all ways, four of nasser's, a queue's."""
        chance = random.Random(7)
        for n in range(60):
            late = n % 5 == 0
            self.owed(
                after=30 + chance.lognormvariate(3.5, 1.1) if late else chance.uniform(2, 29),
                hours_ago=30 + n % 20,
            )
        for _ in range(5):
            self.owed(after=None).given(10, "nasser", by="user:salma").answered(25)
        for _ in range(3):
            self.owed(after=None).given(40, "nasser", by="user:salma").answered(55)
        self.owed(after=None).given(10, None)
        self.owed().owed_again(60)
        self.owed(after=None).answered(10, action="waived")
        self.owed(after=None, queue="Billing")
        self.owed(who="huda", after=20, hours_ago=3)
        AccountMark.catch_up(self.now)


@pytest.fixture
def past() -> Past:
    return Past()


def page_of(client: Client, address: str, **query: str) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def account_of(name: str, scope: str = "person") -> str:
    return reverse("console:one_account", args=[scope, name])


ALL = "/accountability/"


def test_who_leads_sees_everybody_and_who_does_not_is_led_to_his_own(as_, person, past):
    past.owed("salma")
    AccountMark.catch_up(past.now)
    assert "salma" in page_of(as_("supervisor"), ALL, period="month")
    client = Client()
    client.force_login(person("agent", username="salma"))
    answer = client.get(ALL, follow=True)
    assert answer.redirect_chain[-1][0] == account_of("salma")
    assert answer.status_code == 200


def test_g12_everybody_sees_his_own_and_nobody_elses_without_the_permission(person, past):
    past.owed("salma")
    AccountMark.catch_up(past.now)
    client = Client()
    client.force_login(person("agent", username="nasser"))
    assert client.get(account_of("nasser")).status_code == 200
    assert client.get(account_of("salma")).status_code == 403
    assert client.get(account_of("First line", "queue")).status_code == 403
    assert client.get(account_of("nasser", "nonsense")).status_code == 404
    assert client.get(reverse("console:obligation_account", args=[1])).status_code == 403
    assert client.post(reverse("console:comment_on", args=[1]), {"text": "x"}).status_code == 403
    assert Client().get(account_of("salma")).status_code == 302


def test_every_figure_opens_the_obligations_behind_it_and_each_its_entries_with_number_and_hash(as_, past):
    late = past.owed("salma", after=47)
    past.owed("salma", after=10)
    AccountMark.catch_up(past.now)
    client = as_("supervisor")
    assert f"{account_of('salma')}?period=month&amp;show=late" in page_of(client, ALL, period="month")
    listed = page_of(client, account_of("salma"), show="late")
    drilled = reverse("console:obligation_account", args=[late.pk])
    assert drilled in listed
    assert reverse("console:obligation_account", args=[2]) not in listed
    page = page_of(client, drilled)
    for entry in Entry.objects.filter(subject="obligation:1"):
        assert f"entry-{entry.number}" in page
        assert bytes(entry.hash).hex() in page
    assert "late by 17 minutes" in page


def test_work_on_a_case_is_named_by_its_reference_and_title(as_, past):
    case = Case.open("visit", "No bell", at=past.now, actor="user:lead", origin="employee")
    past.pk = case.work.pk - 1
    past.owed("salma", after=47)
    AccountMark.catch_up(past.now)
    client = as_("supervisor")
    for address in (account_of("salma"), reverse("console:obligation_account", args=[case.work.pk])):
        page = page_of(client, address)
        assert case.reference in page
        assert "No bell" in page


def test_g12_a_comment_is_an_entry_of_the_ledger_shown_beside_the_one_it_is_about(person, past):
    past.owed("salma", after=47)
    AccountMark.catch_up(past.now)
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(person("agent", username="salma"))
    for _twice in range(2):
        answer = client.post(
            reverse("console:comment_on", args=[3]), {"text": "انقطع النظام <b>"}, follow=True
        )
    assert "انقطع النظام &lt;b&gt;" in answer.content.decode()
    (said,) = Entry.objects.filter(action="account.commented")
    assert (said.subject, said.actor, said.why) == ("entry:3", "user:salma", "انقطع النظام <b>")
    assert verify() is None
    figures = accounts.rows(Scope.PERSON, Period.named("month", timezone.localdate()), past.now)
    AccountMark.catch_up(past.now)
    assert AccountMark.here().number == Entry.objects.count()
    assert accounts.rows(Scope.PERSON, Period.named("month", timezone.localdate()), past.now) == figures
    assert AccountMark.differs() == ""


def test_a_supervisor_reads_what_was_said_behind_a_figure_and_cannot_write_there(as_, utility):
    chat = utility.conversation()
    owed = chat.owe(utility.writes(chat, "متى يصلح العداد؟"), queue=utility.queue)
    photo = utility.sends_photograph(chat, "04521").incoming.media
    elsewhere = utility.sends_photograph(utility.conversation(), "00017").incoming.media
    AccountMark.catch_up(utility.now)
    client = as_("supervisor")
    read = reverse("console:obligation_conversation", args=[owed.pk])
    about = client.get(reverse("console:obligation_account", args=[owed.pk])).content.decode()
    assert read in about
    assert "What was said" in about
    assert f"<title>An answer to a message {owed.pk} · " in about
    page = client.get(read).content.decode()
    assert "متى يصلح العداد؟" in page
    assert "<textarea" not in page
    assert client.get(reverse("console:conversation", args=[chat.pk])).status_code == 403
    assert client.post(reverse("console:reply", args=[chat.pk]), {"text": "x"}).status_code == 403
    assert client.get(reverse("console:photograph", args=[photo.sha256, "thumb"])).status_code == 200
    assert Entry.objects.filter(action="evidence.viewed", subject=f"evidence:{photo.sha256}").exists()
    for name, args in (("photograph", [elsewhere.sha256, "thumb"]), ("document", [elsewhere.sha256])):
        assert client.get(reverse(f"console:{name}", args=args)).status_code == 403, "nothing is owed there"
    assert as_("reviewer").get(read).status_code == 403


@pytest.mark.parametrize("text", ["", "  \0 ", "x" * 1001])
def test_an_empty_comment_and_one_that_is_too_long_are_refused_and_nothing_is_written(person, past, text):
    past.owed("salma")
    AccountMark.catch_up(past.now)
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(person("agent", username="salma"))
    answer = client.post(reverse("console:comment_on", args=[1]), {"text": text}, follow=True)
    assert "Write up to 1000 characters" in answer.content.decode()
    assert not Entry.objects.filter(action="account.commented").exists()


def test_only_entries_of_obligations_can_be_commented_on(as_, past):
    from django.db import transaction

    with transaction.atomic():
        record("user:x", "login.succeeded", "user:x", at=past.now)
    assert as_("supervisor").post(reverse("console:comment_on", args=[1]), {"text": "x"}).status_code == 404


def test_fewer_than_ten_are_marked_as_saying_little(as_, past):
    for _ in range(9):
        past.owed("salma")
    AccountMark.catch_up(past.now)
    client = as_("supervisor")
    assert 'class="few"' in page_of(client, ALL)
    assert "Fewer than ten are known" in page_of(client, account_of("salma"))
    past.owed("salma")
    AccountMark.catch_up(past.now)
    assert "Fewer than ten are known" not in page_of(client, account_of("salma"))
    assert "10 of 10" in page_of(client, account_of("salma"))


def test_the_csv_has_the_same_figures_and_no_cell_that_a_spreadsheet_would_calculate(as_, past):
    past.owed("salma", after=47)
    past.owed("=HYPERLINK(1)", after=10)
    AccountMark.catch_up(past.now)
    client = as_("supervisor")
    text = page_of(client, ALL, format="csv")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert {row["Name"]: row["Answered late"] for row in rows} == {"salma": "1", "'=HYPERLINK(1)": "0"}
    text = page_of(client, account_of("salma"), format="csv")
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert (row["Seconds late"], row["Ledger entry, from"]) == ("1020", "2")


def test_a_page_shows_fifty_and_the_csv_all(as_, past):
    for n in range(52):
        past.owed(f"agent{n:02}")
    AccountMark.catch_up(past.now)
    client = as_("supervisor")
    first, second = (page_of(client, ALL, sort="name", page=page) for page in "12")
    assert ("agent49" in first, "agent50" in first) == (True, False)
    assert ("agent49" in second, "agent50" in second) == (False, True)
    assert "agent00" in page_of(client, ALL, format="csv")
    assert "agent51" in page_of(client, ALL, format="csv")


def test_what_waits_late_is_shown_whenever_it_came(as_, past):
    past.owed("salma", after=None, hours_ago=24 * 70)
    AccountMark.catch_up(past.now)
    assert reverse("console:obligation_account", args=[1]) in page_of(
        as_("supervisor"), account_of("salma"), show="waiting_late", period="today"
    )


def test_names_with_slashes_and_arabic_have_their_pages(as_, past):
    past.owed("سلمى@x", queue="ماء/كهرباء")
    AccountMark.catch_up(past.now)
    client = as_("supervisor")
    assert "ماء/كهرباء" in page_of(client, account_of("ماء/كهرباء", "queue"))
    assert account_of("ماء/كهرباء", "queue") in page_of(client, ALL, by="queue")
    assert client.get(account_of("سلمى@x")).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"from": "nonsense", "to": "2026-01-01"},
        {"from": "0001-01-01", "to": "9999-12-31"},
        {"period": "x", "sort": "x", "by": "x"},
        {"page": "9" * 30, "show": "x"},
        {"page": "²"},
    ],
)
def test_nonsense_in_the_address_is_the_month(as_, past, query):
    past.owed("salma")
    AccountMark.catch_up(past.now)
    client = as_("supervisor")
    page_of(client, ALL, **query)
    page_of(client, account_of("salma"), **query)


def test_periods_are_days_where_the_utility_is():
    today = datetime(2026, 11, 22, tzinfo=UTC).date()  # a Sunday
    assert Period.named("week", today).first == today
    assert (Period.named("last_month", today).first.day, Period.named("last_month", today).last.day) == (
        1,
        31,
    )
    assert Period.named("month", today).first.day == 1


def test_few_stand_behind_many_when_sorted_by_the_share_in_time():
    """By what is proven (Wilson's lower bound): two of two do not stand before ninety-nine of a hundred."""
    order = accounts.ORDERS["in_time"]
    two = accounts.Row("person", "a", "a", Figures(in_time=2))
    many = accounts.Row("person", "b", "b", Figures(in_time=99, late=1))
    assert order(two) < order(many)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_of_the_account_fits_the_screen_and_axe_finds_nothing_serious(person, past):
    user = person("supervisor", "agent", username="salma")
    user.first_name, user.last_name = "سلمى", "المثال"
    user.save()
    User.objects.create_user("nasser", first_name="Nasser", last_name="Example")
    Queue.objects.create(name="First line", answer_within=timedelta(minutes=30))
    past.fill()
    client = Client()
    client.force_login(user)
    late = Entry.objects.filter(action="obligation.answered").earliest("number")
    client.post(
        reverse("console:comment_on", args=[late.number]), {"text": "كان النظام متوقفًا في تلك الساعة."}
    )
    pages = {
        "accounts": ALL,
        "accounts-queues": f"{ALL}?by=queue",
        "account-mine": account_of("salma") + "?show=late",
        "account-few": account_of("nasser"),
        "account-obligation": f"/accountability/{late.subject.replace(':', 's/')}",
        "account-nobody": f"{ALL}?from=2020-01-01&to=2020-01-02",
    }
    look_at(user, pages)
    assert Group.objects.filter(name="supervisor", permissions__codename="view_obligation").exists()
