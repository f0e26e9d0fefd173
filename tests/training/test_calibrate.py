"""How sure the eye says it is comes from photographs judged by a model that has not seen their source.

Needs training/requirements.txt (scikit-learn).
"""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="training/requirements.txt is not installed")
from calibrate import Fit, one_digit_off


def rows_of(source: str, count: int, rng: np.random.Generator, *, honest: bool = True) -> list[dict]:
    """Photographs with two places each; the clearer, the more probably right, or the other way round."""
    rows = []
    for number in range(count):
        for _ in range(2):
            clear = rng.normal()
            right = rng.random() < 1 / (1 + np.exp(-3 * (clear if honest else -clear)))
            features = {"clear": clear, "noise": rng.normal()}
            rows.append(
                {"path": f"{source}/{number}", "source": source, "right": right, "features": features}
            )
    return rows


@pytest.fixture
def fit() -> Fit:
    rng = np.random.default_rng(0)
    return Fit([row for source in ("a", "b", "c") for row in rows_of(source, 150, rng)])


def test_of_each_photograph_the_place_most_probably_right_is_chosen(fit: Fit) -> None:
    score = np.arange(len(fit.rows))[::-1].astype(float)
    chosen = fit.chosen_by(score, np.ones(len(fit.rows), bool))
    assert chosen.tolist() == list(range(0, len(fit.rows), 2)), "the first of two, which has the higher score"


def test_what_it_says_is_about_how_often_it_is_right(fit: Fit) -> None:
    judged = fit.judged()
    chosen = fit.chosen_by(judged, np.ones(len(fit.rows), bool))
    bins = np.array_split(chosen[np.argsort(judged[chosen])], 5)
    off = [abs(judged[part].mean() - fit.right[part].mean()) for part in bins]
    assert np.mean(off) < 0.08


def test_a_source_is_judged_by_a_model_that_has_not_seen_it() -> None:
    rng = np.random.default_rng(1)
    others = [row for source in ("a", "b") for row in rows_of(source, 150, rng)]
    contrary = Fit([*others, *rows_of("contrary", 150, rng, honest=False)])
    judged, of_it = contrary.judged(), contrary.groups == "contrary"
    clear = contrary.z[of_it, 0]
    assert np.corrcoef(clear, judged[of_it])[0, 1] > 0.8, "judged as the others are, which is wrong for it"


def test_a_big_source_does_not_outweigh_the_small_ones_by_its_number() -> None:
    rng = np.random.default_rng(2)
    fit = Fit([*rows_of("small", 10, rng), *rows_of("big", 1000, rng)])
    weights = {group: fit.weigh[fit.groups == group].sum() for group in ("small", "big")}
    assert weights["big"] / weights["small"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("label", "read", "off"),
    [("123", "124", True), ("123", "123", False), ("123", "1234", False), ("123", "214", False)],
)
def test_one_digit_off(label: str, read: str, off: bool) -> None:
    assert one_digit_off(label, read) is off
