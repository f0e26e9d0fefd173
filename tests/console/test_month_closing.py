"""The month's pages: closing it, what the rules doubt, what is billed and why; what people do there is on record."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from rasd.ledger.models import Entry
from rasd.metering.closing import Undecided, close
from rasd.metering.models import Adoption, Billed, Cycle, Reading, ReadingException, ServicePoint
from tests.console.looking import look_at
from tests.metering.house import NOON, give_history, make_house

AFTER = datetime(2026, 11, 27, 9, tzinfo=ZoneInfo("Asia/Muscat"))


@pytest.fixture
def supervisor(person: Callable[..., User]) -> User:
    return person("supervisor", username="noor")


@pytest.fixture
def month(db: None) -> Cycle:
    """Three houses: one read as usual, one below its last reading, one that nobody read."""
    cycle = Cycle.open("2026-11", at=NOON - timedelta(days=19), actor="user:test")
    for n, value in enumerate((4310, 3900, None)):
        point = make_house(f"SP-{n + 1}", phone=f"tel:+9689000001{n}")
        give_history(point)
        if value is not None:
            Reading.objects.create(
                service_point=point, register=point.current_register, cycle=cycle, value=value, source="field", taken_at=NOON
            )  # fmt: skip
    with pytest.raises(Undecided):
        close(cycle, at=AFTER, actor="user:test")
    return cycle


def test_what_is_held_back_is_explained_settled_with_a_reason_and_thought_over(
    client: Client, supervisor: User, month: Cycle
) -> None:
    client.force_login(supervisor)
    found = ReadingException.objects.get(rule="negative")
    listed = client.get(reverse("console:month_exceptions", args=["2026-11"])).content.decode()
    assert "SP-2" in listed
    address = reverse("console:month_exception", args=["2026-11", found.pk])
    assert "4,000" in client.get(address).content.decode()
    for no_reason in (" ", "\0", "w" * 301):
        assert client.post(address, {"outcome": "kept", "why": no_reason}).status_code == 422
    client.post(address, {"outcome": "estimated", "why": "the 9 is a 4"})
    found.refresh_from_db()
    assert (found.outcome, found.closed_by, found.why) == ("estimated", supervisor, "the 9 is a 4")
    assert Entry.objects.filter(action="exception.estimated", actor="user:noor").exists()
    client.post(address, {"outcome": "reopen"})
    found.refresh_from_db()
    assert (found.outcome, found.owner) == ("", supervisor)
    client.post(address, {"outcome": "estimated", "why": "the 9 is a 4"})
    close(month, at=AFTER, actor="user:noor")
    assert Billed.objects.get(cycle=month, service_point__number="SP-2").source == "estimate"


def test_g7_what_the_rules_find_is_taken_given_and_never_left_with_nobody(
    client: Client, supervisor: User, person: Callable[..., User], month: Cycle
) -> None:
    listed = reverse("console:month_exceptions", args=["2026-11"])
    found = ReadingException.objects.get(rule="negative")
    agent, other = person("agent", username="reem"), person("supervisor", username="salim")
    client.force_login(supervisor)
    assert "SP-2" in client.get(f"{listed}?whose=nobody").content.decode()
    client.post(f"{listed}?whose=nobody&rule=negative")
    found.refresh_from_db()
    assert found.owner == supervisor
    address = reverse("console:month_exception", args=["2026-11", found.pk])
    assert client.post(address, {"owner": agent.pk}).status_code == 422
    assert client.post(address, {"owner": other.pk}).status_code == 302
    found.refresh_from_db()
    assert found.owner == other
    assert Entry.objects.get(action="exception.given").facts == {"to": "user:salim"}
    ReadingException.objects.update(owner=None)
    with pytest.raises(Undecided):
        close(month, at=AFTER, actor="user:noor")
    assert not ReadingException.objects.exclude(owner=supervisor).exists()


def test_g2_another_value_is_adopted_by_hand_with_a_reason_by_those_allowed_and_taken_back(
    client: Client, supervisor: User, person: Callable[..., User], month: Cycle
) -> None:
    register = ServicePoint.objects.get(number="SP-2").current_register
    assert register is not None
    address = reverse("console:month_register", args=["2026-11", register.pk])
    client.force_login(person("agent", username="reem"))
    assert client.post(address, {}).status_code == 403
    client.force_login(supervisor)
    assert client.post(address, {"value": "4390", "source": "field", "why": ""}).status_code == 422
    assert client.post(address, {"value": "123456", "source": "field", "why": "x"}).status_code == 422
    odd = {"value": "43900", "source": "field", "why": "one digit too many"}
    assert client.post(address, odd).status_code == 422
    assert client.post(address, odd | {"sure": "on"}).status_code == 302
    client.post(address, {"undo": "1"})
    client.post(
        address,
        {"reading": "typed", "value": "٤٣٩٠", "source": "field", "why": "3900 is 4390 in the picture"},
    )
    stands = Adoption.objects.get(register=register, superseded_at=None)
    assert (stands.reading.value, stands.rule, stands.actor) == (4390, "manual", "user:noor")
    assert ReadingException.objects.get(register=register).outcome == "replaced"
    client.post(address, {"undo": "1"})
    assert Adoption.objects.get(register=register, superseded_at=None).reading.value == 3900
    assert ReadingException.objects.get(register=register).closed_at is None
    client.post(address, {"reading": "typed", "value": "4391", "source": "field", "why": "and a one"})
    close(month, at=AFTER, actor="user:noor")
    assert Billed.objects.get(cycle=month, register=register).value == 4391


def test_the_month_is_closed_by_a_button_and_says_what_is_billed(
    client: Client, supervisor: User, person: Callable[..., User], month: Cycle
) -> None:
    client.force_login(supervisor)
    home = reverse("console:cycle", args=["2026-11"])
    assert (
        month.progress() | {"adopted": 2, "missing": 1} == month.progress()
    )  # an estimate is none that came in
    assert "1 reading is held back" in client.get(home, headers={"accept-language": "en"}).content.decode()
    client.force_login(person("agent", username="reem"))
    assert client.post(reverse("console:month_close", args=["2026-11"])).status_code == 403
    close(month, at=AFTER, actor="user:noor", with_open_reviews=True)
    client.force_login(supervisor)
    part = client.get(reverse("console:month_closing", args=["2026-11"])).content.decode()
    assert "<html" not in part
    assert "</ol>" in part
    table = client.get(
        reverse("console:month_precedence", args=["2026-11"]), headers={"accept-language": "en"}
    )
    assert "2 registers billed on it" in table.content.decode()  # on estimates; one on what a reader brought
    assert "sealed" in client.get(home, headers={"accept-language": "en"}).content.decode()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_months_pages_fit_a_phone_and_a_desk_in_both_languages(supervisor: User, month: Cycle) -> None:
    found = ReadingException.objects.get(rule="negative")
    look_at(
        supervisor,
        {
            "month-home": "/cycle/2026-11",
            "month-exceptions": "/cycle/2026-11/exceptions",
            "month-exception": f"/cycle/2026-11/exceptions/{found.pk}",
            "month-precedence": "/cycle/2026-11/precedence",
            "month-register": f"/cycle/2026-11/registers/{found.register_id}",
        },
        sparing=True,
    )
