"""A year of reading months, played in small: what was billed, and whether it comes to what passed through the meters."""

from datetime import date
from pathlib import Path

import pytest

from rasd.config.year import Year

pytestmark = pytest.mark.django_db


def test_a_played_year_is_billed_to_the_unit_and_every_number_is_traced(tmp_path: Path) -> None:
    year = Year(
        points=64,
        months=5,
        until=date(2026, 11, 22),
        seed=7,
        photographs=0.02,
        folder=tmp_path,
        say=lambda words: None,
    )
    played = year.play()
    assert played.cycles == 5
    assert played.not_traced == []
    assert played.third_estimates == []
    assert played.balanced > 30
    assert played.unbalanced == []
    assert played.unbelievable == []
    assert set(played.stand_out) <= {played.invents}, "few visits prove little, but they accuse nobody else"
