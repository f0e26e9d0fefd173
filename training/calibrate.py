"""Make the eye's confidence mean something: fit and measure it on photographs that the networks never saw.

    python training/calibrate.py --data DATA --weights DIR --out calibration.json [--held-back]

DIR holds `strip_reader.onnx`, `counter_finder.onnx` and `manifest.json`. Each photograph of the unseen sources (with
`--held-back`, of the held-back ones too) is read by the product's own code; a logistic model of the reading's features
says how probable it is right. Figures are of leave-one-source-out: each source is judged by a model fitted without it.
`lcd_close` shows some displays that `bilal` shows as well, so it counts as half seen; see the model card.
"""

from __future__ import annotations

import argparse
import json
import pickle
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sources import HELD_BACK, UNSEEN, Labelled, labelled

from rasd.vision import RegisterHint, models, ocr, photograph, reader

SUREST = (
    0.98  # confidence (of a model fitted without the source) from which a reading counts as one of the surest
)
REGULAR = 0.3  # inverse strength of the L2 penalty: few sources, so weights are kept small


def group_of(item: Labelled) -> str:
    """Sources that share displays are one."""
    return "displays" if item.source in {"lcd_close", "bilal"} else item.source


def register_of(item: Labelled) -> RegisterHint:
    """What the utility's books say of such a register: only with them may a machine accept."""
    whole, _, rest = item.reading.partition(".")
    if not whole:
        return RegisterHint(5, 1)
    return RegisterHint(len(whole), len(rest) or item.unlabelled_places)


def look(data: Path, cache: Path, every: int, sources: tuple[str, ...]) -> list[dict]:
    """A row for each place in each held-back photograph that may be the counter, and one where there is none."""
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    rows = []
    for item in labelled(data):
        if item.source not in sources or not item.whole:
            continue
        if item.source != "nonmeter" and not item.reading:
            continue
        if zlib.crc32(item.path.name.encode()) % every:
            continue
        picture = reader._reduced(photograph.open_photograph(item.path.read_bytes()))
        lines = ocr.recognise(picture, ocr.find_lines(picture))
        height, width = picture.shape[:2]
        base = {"path": str(item.path.relative_to(data)), "group": group_of(item), "source": item.source}
        found = reader._looked_at(picture, lines, register_of(item))
        if not found:
            rows.append({**base, "label": item.digits, "features": None})
        for seen in found:
            read = seen.strip.read
            strings = [text for text, _ in read.strings]
            rows.append(
                {
                    **base, "label": item.digits, "quad": (seen.spot.quad / [width, height]).round(5).tolist(),
                    "digits": read.digits, "right": item.is_read_by(read.digits),
                    "in_beam": any(item.is_read_by(text) for text in strings[:24]), "features": seen.features,
                    "heat": seen.spot.heat,
                }
            )  # fmt: skip
    cache.write_bytes(pickle.dumps(rows))
    return rows


def one_digit_off(a: str, b: str) -> bool:
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--held-back", action="store_true", help="the weights were trained with --held-back")
    parser.add_argument("--every", type=int, default=1, help="read one photograph in so many")
    options = parser.parse_args()
    models.WEIGHTS = options.weights
    chosen_sources = (*(HELD_BACK if options.held_back else ()), *UNSEEN, "lcd_close", "nonmeter")
    looked = look(options.data, options.weights / "looked.cache", options.every, chosen_sources)
    rows = [row for row in looked if row["features"]]
    unseen = [row for row in looked if not row["features"]]
    names = list(rows[0]["features"])
    x = np.array([[row["features"][name] for name in names] for row in rows])
    y = np.array([row["right"] for row in rows])
    groups = np.array([row["group"] for row in rows])
    weigh = np.array([1.0 / np.sqrt((groups == g).sum()) for g in groups])
    mean, scale = x.mean(0), x.std(0) + 1e-6
    z = (x - mean) / scale

    def fit(mask: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=REGULAR, max_iter=1000).fit(
            z[mask], y[mask], sample_weight=weigh[mask] / weigh[mask].mean()
        )

    # First which place to believe: a model of all places. Then how much to believe it: Platt's scaling (1999) of its
    # score, over the places chosen, because choosing the best of several makes the chosen look better than they are.
    def chosen_by(score: np.ndarray, mask: np.ndarray) -> np.ndarray:
        best: dict[str, int] = {}
        for index in np.flatnonzero(mask):
            path = rows[index]["path"]
            if path not in best or score[index] > score[best[path]]:
                best[path] = int(index)
        return np.array(sorted(best.values()))

    def fit_both(mask: np.ndarray) -> tuple[np.ndarray, float]:
        ranker = fit(mask)
        score = z @ ranker.coef_[0] + ranker.intercept_[0]
        at = chosen_by(score, mask)
        platt = LogisticRegression(C=10.0).fit(
            score[at, None], y[at], sample_weight=weigh[at] / weigh[at].mean()
        )
        slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
        return ranker.coef_[0] * slope, float(ranker.intercept_[0] * slope + shift)

    judged = np.zeros(len(y))
    for group in sorted(set(groups)):
        out = groups == group
        coefficients, intercept = fit_both(~out)
        judged[out] = 1 / (1 + np.exp(-(z[out] @ coefficients + intercept)))
    coefficients, intercept = fit_both(np.ones(len(y), bool))
    chosen = chosen_by(judged, np.ones(len(y), bool))
    print("weights", dict(zip(names, coefficients.round(2), strict=True)))
    for source in sorted({rows[i]["source"] for i in chosen}):
        at = np.array([i for i in chosen if rows[i]["source"] == source])
        none = sum(row["source"] == source for row in unseen)
        right = y[at].sum() / (len(at) + none)
        print(
            f"{source:12} n {len(at) + none:4d} right {right:.3f}; something read in {len(at)}, of these right "
            f"{y[at].mean():.3f}, mean confidence {judged[at].mean():.3f}"
        )
    ranked = chosen[np.argsort(-judged[chosen])]
    bins = np.array_split(ranked, 10)
    ece = sum(abs(judged[b].mean() - y[b].mean()) * len(b) for b in bins) / len(ranked)
    print(f"expected calibration error {ece:.3f} over {len(ranked)} readings")
    for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0):
        part = ranked[: int(len(ranked) * share)]
        print(
            f"surest {share:.0%}: {len(part)} right {y[part].mean():.3f} confidence from {judged[part].min():.3f}"
        )
    for limit in (0.99, 0.98, 0.95, 0.9, 0.8):
        part = chosen[judged[chosen] >= limit]
        if len(part):
            print(f"confidence >= {limit}: {len(part)} of {len(chosen)}, right {y[part].mean():.3f}")
    wrong = [rows[i] for i in chosen if not y[i] and rows[i]["label"]]
    in_beam = sum(row["in_beam"] for row in wrong) / max(1, len(wrong))
    one = sum(one_digit_off(r["label"], r["digits"]) and not r["in_beam"] for r in wrong) / max(1, len(wrong))
    print("wrong", len(wrong), "in beam", round(in_beam, 3), "one digit off and not in beam", round(one, 3))
    print("lengths", Counter(len(r["digits"]) - len(r["label"]) for r in wrong).most_common(6))
    # No probability above what the surest readings were seen to keep (Laplace's rule of succession).
    top = ranked[judged[ranked] >= SUREST]
    highest = (y[top].sum() + 1) / (len(top) + 2)
    weights = {
        n: [float(w), float(m), float(s)] for n, w, m, s in zip(names, coefficients, mean, scale, strict=True)
    }
    options.out.write_text(
        json.dumps(
            {
                "intercept": intercept,
                "features": weights,
                "highest": float(highest),
                "errors": {"beam": in_beam, "one_digit": one, "elsewhere": max(0.05, 1 - in_beam - one)},
                "fitted_on": {g: int((groups == g).sum()) for g in sorted(set(groups))},
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
    print("highest", round(float(highest), 4), "->", options.out)


if __name__ == "__main__":
    main()
