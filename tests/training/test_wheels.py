"""Counters put together from photographed wheels say what they show."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wheels import Wheels, random_reading

PITCH = 25  # grey levels from digit to digit: a wheel's own brightness tells what it shows


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    """Wheels whose brightness is their digit, each at ten tenths of its way to the next."""
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as packed:
        rows = []
        for tenth in range(100):
            held = io.BytesIO()
            level = tenth // 10 * PITCH
            Image.new("RGB", (20, 32), (level, level, level)).save(held, "PNG")
            packed.writestr(f"haverland_digits/{tenth}.png", held.getvalue())
            rows.append((f"haverland_digits/{tenth}.png", f"{tenth / 10:.1f}"))
        rows += [
            ("another/1.png", "1.0"),
            ("haverland_digits/none.png", "7"),
        ]  # of another source; without tenths
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label"))
        writer.writerows(rows)
    return Wheels(tmp_path / "digits.zip", tmp_path / "labels.csv")


def test_only_wheels_of_the_source_with_tenths_are_taken(wheels: Wheels) -> None:
    assert len(wheels.crops) == 100


def test_a_counter_shows_its_reading_wheel_by_wheel(wheels: Wheels) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        strip, reading = wheels.make(rng)
        middle = strip[strip.shape[0] // 2, :, 0].astype(int)
        pad = (strip.shape[0] - 32) // 2
        gap = (strip.shape[1] - 2 * pad - 20 * len(reading)) // max(1, len(reading) - 1)
        centres = [pad + 10 + index * (20 + gap) for index in range(len(reading))]
        assert "".join(str(round(middle[x] / PITCH)) for x in centres) == reading


def test_readings_are_four_to_eight_digits_and_often_begin_with_zeros() -> None:
    rng = np.random.default_rng(0)
    made = [random_reading(rng) for _ in range(500)]
    assert {len(reading) for reading in made} == {4, 5, 6, 7, 8}
    assert 0.4 < sum(reading[0] == "0" for reading in made) / len(made) < 0.8
    assert {reading[-1] for reading in made} == set("0123456789")
