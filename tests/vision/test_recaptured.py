"""A rendered meter is no screen; the same one shown on a SIMULATED display and photographed is.

The figures are bench/recaptured.py's.
"""

import numpy as np
import pytest
from bench.recaptured import seen_again

from rasd.vision import open_photograph
from rasd.vision.recaptured import TILE, peakedness, recaptured
from rasd.vision.rendered import render_meter
from rasd.vision.types import Severity

PICTURE = open_photograph(render_meter(45213, seed=1))


@pytest.mark.parametrize("kind", ["roller", "lcd"])
def test_a_meter_is_no_screen(kind):
    assert recaptured(open_photograph(render_meter(45213, kind=kind, seed=2))) == []


def test_a_display_photographed_is_noted_and_no_more_than_noted():
    shown = seen_again(PICTURE, 1080, np.random.default_rng(1), halftone=False)
    [found] = recaptured(shown)
    assert found.code == "screen"
    assert found.severity is Severity.NOTE


def test_a_picture_smaller_than_a_tile_says_nothing():
    assert peakedness(PICTURE[: TILE - 1]) == 0.0
