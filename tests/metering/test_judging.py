"""G3: the machine accepts only what is sure; unsure, it asks; it never rejects."""

from datetime import timedelta

import pytest
from metering_house import NOON, seen

pytestmark = pytest.mark.django_db


def test_g3_a_sure_reading_is_accepted(house, november, send):
    judgement = send(house, seen(4300)).judge(NOON)
    assert (judgement.verdict, judgement.value, judgement.why) == ("accept", 4300, "sure")


def test_g3_adopting_it_gives_a_receipt_and_the_use_since(house, november, send):
    submission = send(house, seen(4310))
    judgement = submission.judge(NOON)
    adoption = submission.adopt(judgement.value, NOON, "machine:reader", judgement.why, judgement.confidence)
    assert adoption.receipt.startswith("2611-")
    used = adoption.consumption()
    assert (used.value, used.days, used.since) == (310, 31, NOON - timedelta(days=31))
    assert float(used.last_year_per_day) == pytest.approx(10)
    assert used.change == pytest.approx(0)
