"""Who wrote: numbers move between people, user ids are made anew, and nothing of one person ever becomes another's."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from rasd.channels.models import Address, Incoming
from tests.channels.doors import CUSTOMER, deliver, envelope, text_message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("line")]
NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
OLD, NEW = CUSTOMER, "96890000002"
_ids = iter(range(10_000))


def says(body: str, number: str = "", user_id: str = "", minutes: int = 0, name: str = "") -> dict[str, Any]:
    """A ``value`` with a text sent ``minutes`` after noon."""
    message = text_message(next(_ids), body, NOON + timedelta(minutes=minutes))
    del message["from"]
    message |= {k: v for k, v in (("from", number), ("from_user_id", user_id)) if v}
    contact = {
        "profile": {"name": name},
        **{k: v for k, v in (("wa_id", number), ("user_id", user_id)) if v},
    }
    return {"messages": [message], "contacts": [contact]}


def tells(system: dict[str, str], number: str = "", user_id: str = "", minutes: int = 0) -> dict[str, Any]:
    """A ``value`` with a system message about the sender."""
    value = says("", number, user_id, minutes)
    del value["contacts"], value["messages"][0]["text"]
    value["messages"][0] |= {"type": "system", "system": {"body": "changed", **system}}
    return value


def arrive(*values: dict[str, Any]) -> None:
    for value in values:
        assert deliver(envelope(value)).trouble == ""


def author(body: str) -> Address:
    return Incoming.objects.get(text=body).address


def test_a_number_alone_is_a_person():
    arrive(says("one", OLD, name="A"), says("two", OLD, minutes=1, name="B"))
    person = Address.objects.get()
    assert (person.phone, person.user_id, person.profile_name) == (f"+{OLD}", None, "B")
    assert person.identifier == f"tel:+{OLD}"


def test_a_user_id_alone_is_a_person():
    arrive(says("one", user_id="OM.1"), says("two", user_id="OM.1"))
    person = Address.objects.get()
    assert (person.phone, person.identifier) == (None, "whatsapp:OM.1")


def test_a_user_id_joins_the_number_that_was_known_first():
    arrive(says("one", OLD), says("two", OLD, "OM.1", minutes=1), says("three", user_id="OM.1", minutes=2))
    person = Address.objects.get()
    assert (person.phone, person.user_id) == (f"+{OLD}", "OM.1")


def test_a_number_joins_the_user_id_that_was_known_first():
    arrive(says("one", user_id="OM.1"), says("two", OLD, "OM.1", minutes=1))
    assert Address.objects.get().phone == f"+{OLD}"


def test_a_sender_whose_from_is_no_number_is_still_a_person():
    arrive(says("one", "<NUMBER>"))
    assert author("one").user_id == "<NUMBER>"


def test_a_number_that_moved_to_someone_else_takes_nothing_of_the_first_person_along():
    arrive(says("first", OLD, "OM.1", name="First"), says("second", OLD, "OM.2", minutes=60, name="Second"))
    first, second = author("first"), author("second")
    assert first != second
    assert (first.phone, first.former_phone, first.profile_name) == (None, f"+{OLD}", "First")
    assert (second.phone, second.profile_name) == (f"+{OLD}", "Second")
    assert second.phone_moved_at == NOON + timedelta(minutes=60)
    assert first.phone_moved_at is None
    assert str(first) == "First"


def test_the_same_in_the_other_order_gives_the_same_people():
    arrive(says("second", OLD, "OM.2", minutes=60), says("first", OLD, "OM.1"))
    first, second = author("first"), author("second")
    assert first != second
    assert (first.phone, first.former_phone) == (None, f"+{OLD}")
    assert second.phone == f"+{OLD}"


def test_a_late_message_that_shows_the_number_alone_belongs_to_who_had_it_then():
    arrive(says("first", OLD, "OM.1"), says("second", OLD, "OM.2", minutes=60), says("late", OLD, minutes=30))
    assert author("late") == author("first")


CHANGED_NUMBER = {"type": "user_changed_number", "wa_id": NEW}


def test_a_person_who_changes_number_stays_the_same_person():
    arrive(
        says("before", OLD, "OM.1"), tells(CHANGED_NUMBER, OLD, "OM.1", 10), says("after", NEW, "OM.1", 20)
    )
    person = Address.objects.get()
    assert (person.phone, person.former_phone) == (f"+{NEW}", f"+{OLD}")
    assert person.phone_moved_at is None


@pytest.mark.parametrize("apart", [10, 0], ids=["minutes apart", "in one second"])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_change_of_number_ends_the_same_in_every_order_where_there_is_a_user_id(order, apart):
    told = [
        says("before", OLD, "OM.1"),
        tells(CHANGED_NUMBER, OLD, "OM.1", apart),
        says("after", NEW, "OM.1", 2 * apart),
    ]
    arrive(*[told[i] for i in order])
    assert Address.objects.get().phone == f"+{NEW}"


def test_a_person_known_by_the_number_alone_is_followed_to_the_new_number():
    arrive(says("before", OLD), tells(CHANGED_NUMBER, OLD, minutes=10), says("after", NEW, minutes=20))
    assert author("before") == author("after")


def test_a_message_from_the_new_number_that_overtakes_the_news_merges_nobody():
    arrive(says("before", OLD), says("after", NEW, minutes=20), tells(CHANGED_NUMBER, OLD, minutes=10))
    before, after = author("before"), author("after")
    assert before != after
    assert (before.phone, before.former_phone) == (None, f"+{OLD}")
    assert after.phone == f"+{NEW}"
    assert str(before) == f"formerly +{OLD}"


def test_whoever_gets_the_old_number_next_is_a_new_person_and_marked_so():
    arrive(says("before", OLD), tells(CHANGED_NUMBER, OLD, minutes=10), says("stranger", OLD, minutes=60))
    stranger = author("stranger")
    assert stranger != author("before")
    assert stranger.phone_moved_at == NOON + timedelta(minutes=60)


def test_moving_to_a_number_that_was_another_s_leaves_the_other_his_history():
    arrive(says("other", NEW), says("mover", OLD, minutes=5), tells(CHANGED_NUMBER, OLD, minutes=10))
    other, mover = author("other"), author("mover")
    assert other != mover
    assert (other.phone, other.former_phone) == (None, f"+{NEW}")
    assert (mover.phone, mover.phone_moved_at) == (f"+{NEW}", NOON + timedelta(minutes=10))


CHANGED_ID = {"type": "user_changed_user_id", "user_id": "OM.2"}


def test_a_user_id_made_anew_is_the_same_person():
    arrive(says("a", OLD, "OM.1"), tells(CHANGED_ID, OLD, "OM.1", 10), says("b", OLD, "OM.2", 20))
    person = Address.objects.get()
    assert (person.user_id, person.phone, person.phone_moved_at) == ("OM.2", f"+{OLD}", None)


def test_a_user_id_made_anew_whose_news_comes_late_clears_the_suspicion():
    arrive(says("a", OLD, "OM.1"), says("b", OLD, "OM.2", 20))
    assert author("b").phone_moved_at is not None
    arrive(tells(CHANGED_ID, OLD, "OM.1", 10))
    assert author("b").phone_moved_at is None


def test_news_of_an_unknown_type_change_nothing():
    arrive(
        says("a", OLD, "OM.1"), tells({"type": "customer_identity_changed", "wa_id": NEW}, OLD, "OM.1", 10)
    )
    assert Address.objects.get().phone == f"+{OLD}"
