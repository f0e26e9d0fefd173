"""G12: the ledger is verified every night, and where it does not hold, or nobody looked, that is said."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from rasd.config.check import ledger as checked
from rasd.console import troubles
from rasd.ledger import models
from rasd.ledger.models import STALE_AFTER, Entry, Verification, record
from tests.ledger.test_chain import tamper, three_entries

NIGHT = datetime(2026, 11, 21, 21, 41, tzinfo=UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def test_g12_each_night_what_came_since_is_walked_and_once_a_week_all_of_it(monkeypatch):
    walked: list[tuple[int, int]] = []
    three_entries()
    for night in range(9):
        record("machine:x", "night.came", "x", at=NIGHT, facts={"night": night})
        numbers: list[int] = []
        real = models.verify
        monkeypatch.setattr(
            models,
            "verify",
            lambda real=real, to=numbers, **how: real(**how | {"on_entry": lambda: to.append(1)}),
        )
        found = Verification.run(NIGHT + night * DAY)
        monkeypatch.setattr(models, "verify", real)
        walked.append((len(numbers), found.upto))
        assert found.broken_at is None
    assert walked == [(4, 4), *((1, 4 + night) for night in range(1, 7)), (11, 11), (1, 12)]


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("UPDATE ledger_entry SET why = 'x' WHERE number = 4", 4),
        ("UPDATE ledger_entry SET why = 'x', hash = '\\x00' WHERE number = 3", 3),
        ("DELETE FROM ledger_entry WHERE number = 4", None),
        ("DELETE FROM ledger_entry WHERE number >= 3", 3),
    ],
    ids=[
        "a new one changed",
        "the last verified changed",
        "a new one at the end cut off",
        "verified ones cut off",
    ],
)
def test_g12_what_was_tampered_with_is_found_the_next_night_and_stays_found(sql: str, number: int | None):
    """What was cut off at the end before anybody had verified it is the one thing that no chain can tell of itself."""
    three_entries()
    Verification.run(NIGHT)
    record("machine:x", "night.came", "x", at=NIGHT)
    tamper(sql)
    for night in (1, 2, 3):
        assert Verification.run(NIGHT + night * DAY).broken_at == number
    if number is None:
        return
    at = NIGHT + 3 * DAY
    assert troubles.ledger(at)["broken"]
    assert troubles.count(at) == 1
    assert f"entry {number} does not hold" in checked().found


def test_g12_an_old_entry_changed_is_found_within_a_week():
    three_entries()
    Verification.run(NIGHT)
    tamper("UPDATE ledger_entry SET why = 'x' WHERE number = 1")
    found = [Verification.run(NIGHT + night * DAY).broken_at for night in range(1, 9)]
    assert found == [*([None] * 6), 1, 1]


def test_g12_that_nobody_looked_for_two_days_is_a_trouble_and_a_new_ledger_is_none(admin_client: Client):
    assert not Verification.is_overdue(NIGHT)
    three_entries()
    begun = Entry.objects.get(number=1).at
    assert not Verification.is_overdue(begun + STALE_AFTER)
    assert Verification.is_overdue(begun + STALE_AFTER + DAY)
    Verification.run(begun + 3 * DAY)
    assert not Verification.is_overdue(begun + 3 * DAY + STALE_AFTER)
    assert troubles.ledger(begun + 6 * DAY)["overdue"]
    Verification.objects.update(at=begun - 400 * DAY)
    assert (
        "is not verified"
        in admin_client.get("/troubles/", headers={"accept-language": "en"}).content.decode()
    )
    assert "see that a worker runs" in checked().mend
    Verification.objects.update(broken_at=2, why="entry 2 is missing: the next one there is 3")
    page = admin_client.get("/troubles/", headers={"accept-language": "en"}).content.decode()
    assert "The ledger was changed" in page
    assert "the next one there is 3" not in page, "told in words that can be translated"
    assert Verification.last().head in page
