"""How little a few counts prove. The values are those of the design, of Newcombe (1998) and of R's binom.test."""

import pytest

from rasd.metering.statistics import mcnemar_exact, wilson


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (4, 4, 0.51, 1.0),
        (10, 10, 0.722, 1.0),
        (30, 30, 0.886, 1.0),
        (168, 168, 0.9776, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=1e-3)


def test_more_right_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 3"):
        wilson(4, 3)


@pytest.mark.parametrize(
    ("one", "other", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (1, 0, 1.0),
        (0, 6, 0.03125),  # 2 / 2**6
        (10, 2, 0.03857421875),  # binom.test(2, 12)
        (2, 10, 0.03857421875),
    ],
)
def test_mcnemars_exact_test(one: int, other: int, p: float) -> None:
    assert mcnemar_exact(one, other) == pytest.approx(p, abs=1e-9)


def test_it_stands_large_counts() -> None:
    assert 0 <= mcnemar_exact(9700, 3100) < 1e-300
