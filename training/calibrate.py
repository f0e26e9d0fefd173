"""Make the eye's confidence mean something: fit and measure it on photographs of sources the networks never saw.

    python training/calibrate.py --data DATA --weights DIR --out calibration.json

DIR holds `strip_reader.onnx`, `counter_finder.onnx` and `manifest.json` trained with `--held-back`. Each held-back
photograph is read by the product's own code; a logistic model of the reading's features says how probable it is
right. Figures are of leave-one-source-out: each source is judged by a model fitted without it.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sources import HELD_BACK, Labelled, labelled

from rasd.vision import models, ocr, photograph, reader

REGULAR = 0.3  # inverse strength of the L2 penalty: few sources, so weights are kept small
LEFT_OUT = ("fits",)  # set by hand below: these pictures tell no register


def group_of(item: Labelled) -> str:
    """Sources that share displays are one."""
    return "displays" if item.source in {"lcd_close", "bilal"} else item.source


def look(data: Path, cache: Path) -> list[dict]:
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    rows = []
    for item in labelled(data):
        if item.source not in HELD_BACK and item.source != "nonmeter":
            continue
        if item.source != "nonmeter" and not item.reading:
            continue
        picture = reader._reduced(photograph.open_photograph(item.path.read_bytes()))
        lines = ocr.recognise(picture, ocr.find_lines(picture))
        for seen in reader._looked_at(picture, lines, None):
            read = seen.strip.read
            strings = [text for text, _ in read.strings]
            rows.append(
                {
                    "path": str(item.path), "group": group_of(item), "source": item.source, "label": item.digits,
                    "digits": read.digits, "right": read.digits == item.digits and bool(item.digits),
                    "in_beam": item.digits in strings[:24], "features": seen.features, "trusted": item.trusted,
                    "decimals": read.decimals, "reading": item.reading, "point_known": item.point_known,
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
    options = parser.parse_args()
    models.WEIGHTS = options.weights
    rows = look(options.data, options.weights / "looked.cache")
    names = [name for name in rows[0]["features"] if name not in LEFT_OUT]
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

    judged = np.zeros(len(y))
    for group in sorted(set(groups)):
        out = groups == group
        judged[out] = fit(~out).predict_proba(z[out])[:, 1]
    everything = fit(np.ones(len(y), bool))
    best: dict[str, int] = {}
    for index, row in enumerate(rows):
        if row["path"] not in best or judged[index] > judged[best[row["path"]]]:
            best[row["path"]] = index
    chosen = np.array(sorted(best.values()))
    print("weights", dict(zip(names, everything.coef_[0].round(2), strict=True)))
    for source in sorted({rows[i]["source"] for i in chosen}):
        at = np.array([i for i in chosen if rows[i]["source"] == source])
        print(f"{source:12} n {len(at):4d} right {y[at].mean():.3f} mean confidence {judged[at].mean():.3f}")
    ranked = chosen[np.argsort(-judged[chosen])]
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
    # No probability above what the surest readings were seen to keep (rule of succession on the surest fifth).
    top = ranked[: len(ranked) // 5]
    highest = (y[top].sum() + 1) / (len(top) + 2)
    weights = {
        n: [float(w), float(m), float(s)]
        for n, w, m, s in zip(names, everything.coef_[0], mean, scale, strict=True)
    }
    weights["fits"] = [1.0, 0.0, 1.0]  # by hand: see the model card
    options.out.write_text(
        json.dumps(
            {
                "intercept": float(everything.intercept_[0]),
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
