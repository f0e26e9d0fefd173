"""Make the eye's confidence mean something: fit and measure it on photographs that the networks never saw.

    python training/calibrate.py --data DATA --weights DIR --name rasd-eye-2.3 --version 2.3

DIR holds the three networks, trained without the sources of `sources.HELD_BACK`; it gets
`calibration.json` and `manifest.json`. Each photograph of the held-back sources is read by the product's own code; a
logistic model of the reading's features says how probable it is right. Figures are of leave-one-source-out: each source
is judged by a model fitted without it. Pictures without a meter are among those that the networks were taught as such.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sources import Labelled, labelled

from rasd.vision import RegisterHint, confidence, eye, photograph, reader

SUREST = (
    0.95  # confidence (of a model fitted without the source) from which a reading counts as one of the surest
)
REGULAR = 0.3  # inverse strength of the L2 penalty: few sources, so weights are kept small
UNFITTED = {"intercept": 0.0, "features": {"log_probability": [1.0, 0.0, 1.0]}, "highest": 0.99,
            "errors": {"beam": 0.5, "one_digit": 0.3, "elsewhere": 0.2}}  # fmt: skip
"""Only ranks the places of one photograph, until the fit replaces it."""


def register_of(item: Labelled) -> RegisterHint:
    """What the utility's books say of such a register: only with them may a machine accept."""
    whole, _, rest = item.reading.partition(".")
    return RegisterHint(len(whole), len(rest) or item.untold) if whole else RegisterHint(5, 1)


def look(sight: eye.Eye, data: Path, cache: Path) -> list[dict]:
    """A row for each place in each held-back photograph that may be the counter, and one where there is none.

    Each is read twice, with its register told and without. Those that nobody could read are among them.
    """
    if cache.exists():
        return pickle.loads(cache.read_bytes())
    rows: list[dict] = []
    items = [i for i in labelled(data) if i.whole and (i.held_back or i.source == "nonmeter")]
    items = [i for i in items if i.can_be_judged and (i.reading or not i.trusted or i.source == "nonmeter")]
    for number, item in enumerate(items):
        if not item.trusted:
            item = replace(item, reading="")  # unreadable: whatever is read in it is wrong
        picture = reader._reduced(photograph.open_photograph(item.path.read_bytes()))
        for register in (register_of(item), None):
            rows += _rows_of(sight, data, item, picture, register)
        if number % 50 == 49:
            print(f"{number + 1} of {len(items)} photographs", flush=True)
    cache.write_bytes(pickle.dumps(rows))
    return rows


def _rows_of(
    sight: eye.Eye, data: Path, item: Labelled, picture: np.ndarray, register: RegisterHint | None
) -> list[dict]:
    height, width = picture.shape[:2]
    path = f"{item.path.relative_to(data)}{'' if register else ' (register not told)'}"
    base = {"path": path, "source": item.source, "label": item.digits, "told": register is not None}
    base["meter"] = item.meter or path
    found = reader._looked_at(sight, picture, register)
    if not found:
        return [{**base, "features": None}]
    rows = []
    for seen in found:
        read = seen.strip.read
        strings = [text for text, _ in read.strings]
        rows.append(
            {
                **base, "quad": (seen.spot.quad / [width, height]).round(5).tolist(), "digits": read.digits,
                "right": item.is_read_by(read.digits)
                if register
                else item.is_told_by(read.digits, read.decimals or 0),
                "in_beam": any(item.is_read_by(text) for text in strings[:24]), "features": seen.features,
            }
        )  # fmt: skip
    return rows


def one_digit_off(a: str, b: str) -> bool:
    return len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1


class Fit:
    """The rows as arrays, and the two steps of the fit.

    First which place of a photograph to believe: a logistic model of all places. Then how much to believe it: Platt's
    scaling (1999) of its score, over the places chosen, because the best of several looks better than it is.
    """

    def __init__(self, rows: list[dict]) -> None:
        self.rows, self.names = rows, list(rows[0]["features"])
        x = np.array([[row["features"][name] for name in self.names] for row in rows])
        self.right = np.array([row["right"] for row in rows])
        self.groups = np.array([row["source"] for row in rows])
        self.weigh = np.array([1.0 / np.sqrt((self.groups == g).sum()) for g in self.groups])
        self.mean, self.scale = x.mean(0), x.std(0) + 1e-6
        self.z = (x - self.mean) / self.scale

    def chosen_by(self, score: np.ndarray, mask: np.ndarray) -> np.ndarray:
        best: dict[str, int] = {}
        for index in np.flatnonzero(mask):
            path = self.rows[index]["path"]
            if path not in best or score[index] > score[best[path]]:
                best[path] = int(index)
        return np.array(sorted(best.values()))

    def of(self, mask: np.ndarray) -> tuple[np.ndarray, float]:
        """Coefficients and intercept, fitted on the rows of `mask`."""
        weigh = self.weigh[mask] / self.weigh[mask].mean()
        ranker = LogisticRegression(C=REGULAR, max_iter=1000).fit(
            self.z[mask], self.right[mask], sample_weight=weigh
        )
        score = self.z @ ranker.coef_[0] + ranker.intercept_[0]
        at = self.chosen_by(score, mask)
        platt = LogisticRegression(C=10.0)
        platt.fit(score[at, None], self.right[at], sample_weight=self.weigh[at] / self.weigh[at].mean())
        slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
        return ranker.coef_[0] * slope, float(ranker.intercept_[0] * slope + shift)

    def judged(self) -> np.ndarray:
        """A probability for each row, from a model fitted without the row's source."""
        judged = np.zeros(len(self.right))
        for group in sorted(set(self.groups)):
            out = self.groups == group
            coefficients, intercept = self.of(~out)
            judged[out] = 1 / (1 + np.exp(-(self.z[out] @ coefficients + intercept)))
        return judged


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--looked", action="store_true", help="use what was seen before, for another fit")
    options = parser.parse_args()
    if not options.looked:
        (options.weights / "looked.cache").unlink(missing_ok=True)
    calibration = options.weights / confidence.CALIBRATION
    if not calibration.exists():
        calibration.write_text(json.dumps(UNFITTED), encoding="utf-8")
    eye.write_manifest(options.weights, name=options.name, version=options.version)
    looked = look(eye.Eye.at(options.weights), options.data, options.weights / "looked.cache")
    fit = Fit([row for row in looked if row["features"]])
    everything = np.ones(len(fit.right), bool)
    judged = fit.judged()
    chosen = fit.chosen_by(judged, everything)
    tell(fit, judged, chosen, [row for row in looked if not row["features"]])
    wrong = [fit.rows[i] for i in chosen if not fit.right[i] and fit.rows[i]["label"]]
    in_beam = sum(row["in_beam"] for row in wrong) / max(1, len(wrong))
    one = sum(one_digit_off(r["label"], r["digits"]) and not r["in_beam"] for r in wrong) / max(1, len(wrong))
    print("wrong", len(wrong), "in beam", round(in_beam, 3), "one digit off and not in beam", round(one, 3))
    print("lengths", Counter(len(r["digits"]) - len(r["label"]) for r in wrong).most_common(6))
    # No probability above what the surest readings were seen to keep (mean under Jeffreys' prior; Brown, Cai, DasGupta,
    # Statist. Sci. 16, 2001), of those with as many digits as the register shows: only such may a machine accept.
    # What a person could not read is held against the fit, but shows nothing of how often the surest are right.
    fitting = np.array(
        [
            fit.rows[i]["told"] and fit.rows[i]["label"] and fit.rows[i]["features"]["fits"] > 0
            for i in chosen
        ],
        bool,
    )
    top = chosen[fitting & (judged[chosen] >= SUREST)]
    # Thirty photographs of one meter are one; it counts as right if all of them are.
    meters: dict[str, bool] = {}
    for index in top:
        name = fit.rows[index]["meter"]
        meters[name] = meters.get(name, True) and bool(fit.right[index])
    print(
        f"surest whose length fits: {len(top)}, right {fit.right[top].sum()}; meters {len(meters)}, {sum(meters.values())}"
    )
    highest = (sum(meters.values()) + 0.5) / (len(meters) + 1)
    coefficients, intercept = fit.of(everything)
    rows = zip(fit.names, coefficients, fit.mean, fit.scale, strict=True)
    held = {
        "intercept": intercept,
        "features": {n: [float(w), float(m), float(s)] for n, w, m, s in rows},
        "highest": highest,
        "errors": {"beam": in_beam, "one_digit": one, "elsewhere": max(0.05, 1 - in_beam - one)},
        "fitted_on": {g: int((fit.groups == g).sum()) for g in sorted(set(fit.groups))},
    }
    calibration.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")
    eye.write_manifest(options.weights, name=options.name, version=options.version)
    print("highest", round(highest, 4), "->", calibration)


def tell(fit: Fit, judged: np.ndarray, chosen: np.ndarray, unseen: list[dict]) -> None:
    for source in sorted(set(fit.groups)):
        at = np.array([i for i in chosen if fit.groups[i] == source])
        none = sum(row["source"] == source for row in unseen)
        print(
            f"{source:12} n {len(at) + none:4d} right {fit.right[at].sum() / (len(at) + none):.3f}; something read in "
            f"{len(at)}, of these right {fit.right[at].mean():.3f}, mean confidence {judged[at].mean():.3f}"
        )
    ranked = chosen[np.argsort(-judged[chosen])]
    bins = np.array_split(ranked, 10)
    ece = sum(abs(judged[b].mean() - fit.right[b].mean()) * len(b) for b in bins) / len(ranked)
    print(f"expected calibration error {ece:.3f} over {len(ranked)} readings")
    for limit in (0.99, 0.98, 0.95, 0.9, 0.8, 0.5):
        part = chosen[judged[chosen] >= limit]
        if len(part):
            print(f"confidence >= {limit}: {len(part)} of {len(chosen)}, right {fit.right[part].mean():.3f}")


if __name__ == "__main__":
    main()
