"""The made world: its labels are right by construction, and its two pools have nothing in common."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training.world import fonts, rollers, styles
from training.world.labels import Counter, Scene

from training import world

seeds = st.integers(0, 2**32 - 1)
pools = st.sampled_from(styles.POOLS)
few = settings(max_examples=40)


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def within(quads: np.ndarray, picture: np.ndarray) -> bool:
    h, w = picture.shape[:2]
    return bool((quads >= 0).all() and (quads[..., 0] <= w).all() and (quads[..., 1] <= h).all())


def upright_area(quad: np.ndarray) -> float:
    return float(cv2.contourArea(np.float32(quad), oriented=True))


def digits(reading: str) -> str:
    return reading.replace(".", "")


@few
@given(seeds, pools)
def test_a_counter_s_labels_agree_with_each_other(seed, pool):
    made = world.counter(drawn(seed), pool)
    assert made.picture.dtype == np.uint8
    assert 64 <= made.picture.shape[0] <= 96
    assert made.picture.shape[2] == 3
    assert digits(made.reading).isdigit()
    assert made.reading.count(".") <= 1
    assert len(digits(made.reading)) == len(made.positions) == len(made.boxes)
    assert made.kind in {"roller", "lcd"}
    assert within(made.quad, made.picture)
    assert upright_area(made.quad) > 0, "corners run clockwise from the top left"
    assert all(0 <= p < 10 for p in made.positions)


@few
@given(seeds, pools)
def test_every_digit_s_box_lies_in_the_row_and_they_stand_in_order(seed, pool):
    made = world.counter(drawn(seed), pool)
    (left, top), (right, bottom) = made.quad.min(0) - 1, made.quad.max(0) + 1
    assert (made.boxes[..., 0] >= left).all()
    assert (made.boxes[..., 0] <= right).all()
    assert (made.boxes[..., 1] >= top).all()
    assert (made.boxes[..., 1] <= bottom).all()
    centres = made.boxes.mean(1)[:, 0]
    assert (np.diff(centres) > 0).all()


@few
@given(seeds, pools)
def test_the_row_is_cut_tightly_round_its_digits(seed, pool):
    made = world.counter(drawn(seed), pool)
    assert np.allclose(made.quad.min(0), made.boxes.min((0, 1)), atol=1)
    assert np.allclose(made.quad.max(0), made.boxes.max((0, 1)), atol=1)


@settings(max_examples=400)
@given(seeds, st.integers(4, 8))
def test_a_wheel_turns_only_while_its_right_neighbour_passes_from_9_to_0(seed, wheels):
    reading, seen, true = rollers.gears(drawn(seed), wheels)
    for i, (letter, position, exact) in enumerate(zip(reading, seen, true, strict=True)):
        assert int(exact) == int(letter), "the digit read is the one that the wheel has not yet left"
        worn = (position - exact + 5) % 10 - 5
        assert abs(worn) <= rollers.WEAR + 0.001
        turned = exact - int(exact)
        if turned > 0 and i < wheels - 1:
            assert reading[i + 1] == "9"
            assert turned <= true[i + 1] - 9 + 1e-9, "no wheel runs ahead of the one that drives it"


@settings(max_examples=60)
@given(seeds, pools)
def test_a_roller_s_positions_show_what_it_reads(seed, pool):
    made = rollers.panel(drawn(seed), pool, 40, np.float32((200, 200, 200)))
    for letter, position in zip(digits(made.reading), made.positions, strict=True):
        ahead = (position - int(letter) + 5) % 10 - 5
        assert -rollers.WEAR - 0.001 <= ahead <= rollers.FARTHEST + rollers.WEAR + 0.001


@few
@given(seeds, pools)
def test_a_scene_s_labels_lie_in_its_picture(seed, pool):
    made = world.scene(drawn(seed), pool, 320)
    assert made.picture.dtype == np.uint8
    assert max(made.picture.shape) == 320
    if made.kind == "none":
        assert made.quad is None
        assert made.reading == ""
        assert made.boxes.shape == (0, 4, 2)
        return
    assert within(made.quad, made.picture)
    assert upright_area(made.quad) > 0
    assert len(made.boxes) == len(digits(made.reading))
    assert made.distractors.shape[1:] == (4, 2)


@few
@given(seeds, pools)
def test_no_distractor_lies_on_the_reading(seed, pool):
    made = world.scene(drawn(seed), pool, 320)
    if made.quad is None:
        return
    for other in made.distractors:
        shared, _ = cv2.intersectConvexConvex(np.float32(made.quad), np.float32(other))
        assert shared <= 0.25 * cv2.contourArea(np.float32(made.quad))


@settings(max_examples=200)
@given(seeds, st.integers(160, 512))
def test_a_placed_scene_keeps_its_counter_in_the_picture_and_its_corners_in_order(seed, side):
    rng = drawn(seed)
    flat = world.scene(rng, "train", 320)
    made = world.place(rng, flat, side)
    assert made.picture.shape == (side, side, 3)
    assert (made.kind, made.reading) == (flat.kind, flat.reading)
    if made.quad is None:
        return
    assert within(made.quad, made.picture)
    assert upright_area(made.quad) > 0, "turned, never mirrored"
    assert len(made.boxes) == len(flat.boxes)


def test_what_a_placed_scene_shows_in_its_quad_is_the_counter_of_the_flat_one():
    """Straightened by its labels, the placed counter looks like the flat one: corners belong to the right pixels."""
    alike = []
    for seed in range(40):
        rng = drawn(seed)
        flat = world.scene(rng, "train", 512)
        if flat.quad is None:
            continue
        placed = world.place(rng, flat, 512)
        a, b = straightened(flat), straightened(placed)
        alike.append(float(np.corrcoef(a.ravel(), b.ravel())[0, 1]))
    assert np.median(alike) > 0.9


def straightened(seen: Scene) -> np.ndarray:
    target = np.float32([(0, 0), (160, 0), (160, 32), (0, 32)])
    change = cv2.getPerspectiveTransform(np.float32(seen.quad), target)
    return cv2.GaussianBlur(
        cv2.cvtColor(cv2.warpPerspective(seen.picture, change, (160, 32)), cv2.COLOR_RGB2GRAY), (0, 0), 2
    )


@pytest.mark.parametrize("pool", styles.POOLS)
def test_the_same_seed_gives_the_same_picture(pool):
    def everything() -> tuple[Counter, Scene, np.ndarray]:
        rng = drawn(7)
        flat = world.scene(rng, pool, 256)
        return world.counter(rng, pool), world.place(rng, flat, 256), world.camera(rng, flat.picture, 1.5)

    one, two = everything(), everything()
    assert np.array_equal(one[0].picture, two[0].picture)
    assert one[0].reading == two[0].reading
    assert np.array_equal(one[1].picture, two[1].picture)
    assert np.array_equal(one[2], two[2])


def test_the_pools_share_no_font_no_colour_no_layout_and_no_shape_of_segments():
    assert not set(fonts.wheels("train")) & set(fonts.wheels("unseen"))
    assert not set(fonts.segments("train")) & set(fonts.segments("unseen"))
    for table in (styles.WHEEL_COLOURS, styles.DECIMAL_MARKS, styles.LAYOUTS, styles.GLASS):
        names = {
            pool: {row[:2] if isinstance(row, tuple) else row for row in table[pool]} for pool in styles.POOLS
        }
        assert not names["train"] & names["unseen"]
    ends = {pool: set(styles.SEGMENT_SHAPES[pool][3]) for pool in styles.POOLS}
    assert not ends["train"] & ends["unseen"]


def test_a_family_of_fonts_lies_in_one_pool_whole():
    names = {
        pool: {path.rsplit("/", 1)[-1].split("-")[0].split(".")[0] for path in fonts.wheels(pool)}
        for pool in styles.POOLS
    }
    shared = {name for name in names["train"] & names["unseen"] if not name.startswith("stroke:")}
    assert not shared, f"in both pools: {shared}"


def test_an_unknown_pool_is_named_with_those_there_are():
    with pytest.raises(ValueError, match="pool: 'held-out' is none of train, unseen"):
        world.counter(drawn(0), "held-out")


@few
@given(seeds, st.floats(0, 2), st.tuples(st.integers(40, 200), st.integers(40, 400)))
def test_the_camera_keeps_the_size_of_any_picture(seed, strength, size):
    rng = drawn(seed)
    picture = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    seen = world.camera(rng, picture, strength)
    assert seen.shape == picture.shape
    assert seen.dtype == np.uint8


def test_the_camera_leaves_the_given_picture_alone_and_gets_worse_with_strength():
    away = {}
    for strength in (0.0, 1.0, 2.0):
        errors = []
        for seed in range(60):
            picture = world.counter(drawn(seed)).picture
            before = picture.copy()
            seen = world.camera(drawn(seed), picture, strength)
            assert np.array_equal(picture, before)
            errors.append(float(np.abs(seen.astype(int) - picture).mean()))
        away[strength] = float(np.mean(errors))
    assert away[0.0] < 4
    assert away[0.0] < away[1.0] < away[2.0]


def test_variety_is_as_wide_as_promised():
    made = [world.counter(drawn(seed)) for seed in range(300)]
    rolled = [m for m in made if m.kind == "roller"]
    assert {len(m.positions) for m in rolled} == {4, 5, 6, 7, 8}
    assert 0.3 < len(rolled) / len(made) < 0.8
    assert any("." in m.reading for m in rolled)
    assert any("." not in m.reading for m in rolled)
    turning = [m for m in rolled if any(0.15 < p % 1 < 0.85 for p in m.positions)]
    assert len(turning) / len(rolled) > 0.3
    several = [m for m in rolled if sum(0.15 < p % 1 < 0.85 for p in m.positions) > 1]
    assert several, "some carries are caught half way"
    kinds = [world.scene(drawn(seed), "train", 128).kind for seed in range(300)]
    assert set(kinds) == {"roller", "lcd", "dial", "none"}
    assert 0.04 < kinds.count("none") / len(kinds) < 0.2


@few
@given(seeds)
def test_what_is_ruined_keeps_its_size_and_is_ruined_where_the_digits_stand(seed):
    rng = drawn(seed)
    made = world.counter(rng)
    picture, quad = world.ruined(rng, made.picture, made.quad, len(made.boxes))
    assert picture.shape == made.picture.shape
    assert picture.dtype == np.uint8
    moved = np.abs(quad - made.quad).max() > 0
    row = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(row, [made.quad.round().astype(np.int32)], 1)
    changed = np.abs(picture.astype(int) - made.picture).max(axis=2)[row > 0]
    assert moved or (changed > 20).any() or made.picture[row > 0].std() < 25


@few
@given(seeds)
def test_a_row_of_pointers_lies_in_its_picture(seed):
    picture, quad = world.row_of_dials(drawn(seed))
    assert picture.dtype == np.uint8
    assert within(quad, picture)
    assert upright_area(quad) > 0
