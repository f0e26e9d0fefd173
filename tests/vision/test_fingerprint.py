"""A photograph sent again is known; another one of the same meter is not taken for it.

Pictures rendered by us; the figures on real ones are bench/fingerprint.py's.
"""

import numpy as np
import pytest
from bench.fingerprint import RESENDS
from hypothesis import given
from hypothesis import strategies as st

from rasd.vision import open_photograph
from rasd.vision.fingerprint import BANDS, BITS, NEAR, SURE_WITHIN, distance, fingerprint, is_same, keys
from rasd.vision.rendered import render_meter

PICTURE = open_photograph(render_meter(45213, seed=1))
FINGERPRINTS = st.tuples(
    *(st.integers(0, 2**BITS - 1).map(lambda value, band=band: value | band << BITS) for band in range(BANDS))
)
SMALL_CHANGES = [name for name in RESENDS if "5 %" not in name]


@pytest.mark.parametrize("name", SMALL_CHANGES)
def test_a_photograph_sent_again_is_found_and_known(name):
    again = RESENDS[name](PICTURE, np.random.default_rng(0))
    first, second = fingerprint(PICTURE), fingerprint(again)
    assert set(keys(second)) & set(first)
    assert distance(first, second) <= NEAR
    assert is_same(again, PICTURE)


def test_the_same_view_with_other_digits_is_another_photograph():
    """As a camera on a tripod takes them a month apart: the fingerprints are near, the pictures are not the same."""
    next_month = open_photograph(render_meter(48377, seed=1))
    assert distance(fingerprint(PICTURE), fingerprint(next_month)) <= NEAR
    assert not is_same(next_month, PICTURE)


def test_another_photograph_of_the_same_model_is_another_photograph():
    assert not is_same(open_photograph(render_meter(45213, seed=2, rotate=4)), PICTURE)


def test_what_shows_nothing_has_no_fingerprint_and_is_like_nothing():
    white = np.full((480, 640, 3), 250, np.uint8)
    assert fingerprint(white) is None
    assert not is_same(white, PICTURE)


@given(FINGERPRINTS, st.sets(st.integers(0, BANDS * BITS - 1), max_size=SURE_WITHIN))
def test_so_few_differences_never_hide_it_from_the_search(made, flipped):
    other = [
        key ^ sum(1 << bit % BITS for bit in flipped if bit // BITS == band) for band, key in enumerate(made)
    ]
    assert distance(made, other) == len(flipped)
    assert set(keys(made)) & set(other)


def test_the_search_asks_for_252_keys_that_a_database_holds_as_integers():
    asked = list(keys(fingerprint(PICTURE)))
    assert len(set(asked)) == BANDS * (1 + BITS)
    assert max(asked) < 2**31
