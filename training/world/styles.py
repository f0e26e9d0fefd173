"""The styles a counter may have, each in one of two pools: a reader is trained on one and measured on the other.

A pool is a table, so that the split is by style (font family, colours, layout, geometry) and never by chance.
"""

from __future__ import annotations

POOLS = ("train", "unseen")

# paper and ink of the whole wheels, weight.
WHEEL_COLOURS = {
    "train": (
        ((18, 18, 20), (235, 235, 230), 9),
        ((35, 34, 33), (205, 200, 185), 4),
        ((55, 57, 60), (230, 230, 230), 2),
        ((20, 20, 20), (170, 165, 150), 2),
        ((232, 232, 228), (25, 25, 28), 7),
        ((215, 208, 188), (35, 32, 30), 3),
        ((190, 192, 190), (30, 30, 32), 3),
        ((150, 150, 148), (25, 25, 25), 1),
        ((70, 55, 45), (225, 215, 190), 1),
    ),
    "unseen": (
        ((28, 42, 70), (230, 232, 235), 2),
        ((175, 195, 180), (30, 45, 40), 2),
        ((12, 12, 12), (240, 220, 120), 2),
        ((225, 215, 165), (75, 45, 30), 2),
        ((95, 98, 100), (245, 245, 245), 1),
    ),
}

# How the decimals are told from the rest.
DECIMAL_MARKS = {
    "train": (
        "red paper",
        "red paper",
        "red ink",
        "red ink",
        "frame",
        "red frame",
        "comma",
        "white last",
        "comma and red",
    ),
    "unseen": ("tinted window", "underline", "black box"),
}

# How the windows lie: share of the height between them (low, high), and whether each has its own rim.
LAYOUTS = {
    "train": (("long", 0.0, 0.06, False), ("long", 0.03, 0.14, False), ("small windows", 0.12, 0.45, True),
              ("small windows", 0.25, 0.9, True), ("touching windows", 0.05, 0.12, True)),
    "unseen": (("rounded windows", 0.15, 0.6, True), ("rounded long", 0.04, 0.2, False)),
}  # fmt: skip

# window width over height, digit height over window height, pitch of the digits on the wheel over digit height
WHEEL_SHAPES = {
    "train": ((0.5, 1.02), (0.5, 0.92), (1.12, 1.55)),
    "unseen": ((0.42, 0.62), (0.62, 0.98), (1.02, 1.2)),
}

# Displays: glass colour, ink, weight; ink None: the glass darkened. Light on dark where ink is brighter.
GLASS = {
    "train": (
        ((165, 178, 150), None, 6),
        ((190, 198, 185), None, 5),
        ((130, 145, 110), None, 3),
        ((60, 225, 60), None, 5),
        ((90, 240, 170), None, 3),
        ((70, 130, 245), None, 2),
        ((140, 165, 250), (30, 30, 110), 3),
        ((215, 222, 228), None, 3),
        ((240, 150, 40), None, 3),
        ((25, 70, 35), None, 2),
        ((60, 60, 50), (25, 25, 25), 1),
        ((20, 40, 190), (225, 235, 255), 2),
        ((15, 15, 18), (225, 230, 235), 1),
        ((25, 8, 8), (255, 60, 45), 3),
        ((8, 22, 12), (70, 255, 120), 1),
    ),
    "unseen": (
        ((205, 190, 130), None, 3),
        ((230, 120, 150), None, 1),
        ((120, 215, 235), None, 2),
        ((30, 28, 20), (255, 180, 40), 1),
        ((10, 20, 30), (90, 220, 255), 1),
        ((100, 110, 105), None, 2),
    ),
}

# Own segments: thickness over height, gap between segments over thickness, slant, how the ends are cut.
SEGMENT_SHAPES = {
    "train": ((0.06, 0.15), (0.0, 0.5), (0.0, 0.17), ("pointed", "mitred", "square")),
    "unseen": ((0.10, 0.19), (0.1, 0.9), (0.0, 0.26), ("round",)),
}


def drawn(rng, table):
    """One row of a table whose last column is its weight, without the weight."""
    weights = [row[-1] for row in table]
    return table[int(rng.choice(len(table), p=[w / sum(weights) for w in weights]))][:-1]


def checked(pool: str) -> str:
    if pool not in POOLS:
        raise ValueError(f"pool: {pool!r} is none of {', '.join(POOLS)}")
    return pool
