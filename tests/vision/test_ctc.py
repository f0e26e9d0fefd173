"""Strings from a network's steps: the same as counting every path."""

import itertools
from collections import defaultdict

import numpy as np
import pytest

from rasd.vision import ctc


def steps_of(text: str, sure: float = 0.97) -> ctc.Steps:
    """Three steps a digit: blank, the digit, blank; `.` takes the place of a digit."""
    rows = []
    for letter in text:
        for column in (0, ctc.POINT if letter == "." else 1 + int(letter), 0):
            row = np.full(ctc.CLASSES, (1 - sure) / (ctc.CLASSES - 1), np.float32)
            row[column] = sure
            rows.append(row)
    return np.array(rows)


def by_counting(steps: ctc.Steps) -> dict[str, float]:
    """Every path of classes, collapsed; the point counts as blank, as it is no part of a string."""
    merged = steps[:, : ctc.POINT].astype(np.float64).copy()
    merged[:, 0] += steps[:, ctc.POINT]
    total: dict[str, float] = defaultdict(float)
    for path in itertools.product(range(ctc.POINT), repeat=len(steps)):
        probability = float(np.prod([merged[t, c] for t, c in enumerate(path)]))
        text = "".join(str(c - 1) for t, c in enumerate(path) if c and (t == 0 or path[t - 1] != c))
        total[text] += probability
    return total


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_the_probabilities_that_counting_every_path_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.dirichlet(np.full(ctc.CLASSES, 0.15), size=4).astype(np.float32)
    counted = by_counting(steps)
    strings = ctc.read(steps).strings
    assert strings[0][0] == max(counted, key=counted.__getitem__)
    for text, probability in strings[:5]:
        # The beam drops prefixes that are unlikely and may grow later: a little is missing, never too much.
        assert counted[text] - 0.01 <= probability <= counted[text] + 1e-6


def test_a_digit_twice_is_two_digits() -> None:
    assert ctc.read(steps_of("0044")).digits == "0044"


def test_the_point_is_read_beside_the_digits() -> None:
    read = ctc.read(steps_of("04521.7"))
    assert read.digits == "045217"
    assert read.decimals == 1
    assert ctc.read(steps_of("045217")).decimals is None


def test_each_digit_has_ten_probabilities_and_a_place() -> None:
    read = ctc.read(steps_of("173"))
    assert [int(np.argmax(place)) for place in read.places] == [1, 7, 3]
    assert all(sum(place) == pytest.approx(1) for place in read.places)
    assert list(read.centres) == sorted(read.centres)


def test_the_middles_of_the_digits_on_the_likeliest_path() -> None:
    """What a second, tighter cut goes by: three steps a digit, the second of which is the digit."""
    assert ctc.centres(steps_of("173")) == pytest.approx([1.5 / 9, 4.5 / 9, 7.5 / 9])


def test_nothing_but_blanks_is_no_reading() -> None:
    blank = np.zeros((6, ctc.CLASSES), np.float32)
    blank[:, 0] = 1
    read = ctc.read(blank)
    assert (read.digits, read.places) == ("", ())
