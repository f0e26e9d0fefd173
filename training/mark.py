"""Mark the counter in labelled photographs whose counter nobody marked, with an eye trained on the others.

    python training/mark.py --looked DIR/looked.cache --out marks.json

`looked.cache` is what calibrate.py read in the photographs of the held-back sources. A place is taken where what is
read there differs from the label in at most a third of its digits: then the place is right even if the reading is
not. `sources.labelled(data, marks)` uses the file.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections import Counter
from pathlib import Path


def distance(a: str, b: str) -> int:
    """Edits from `a` to `b` (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--looked", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    marks: dict[str, list[list[float]]] = {}
    best: dict[str, float] = {}
    rows = [row for row in pickle.loads(options.looked.read_bytes()) if row["features"] and row["label"]]
    for row in sorted(rows, key=lambda row: -row["heat"]):
        far = distance(row["digits"], row["label"]) / len(row["label"])
        if far <= 0.34 and far < best.get(row["path"], 1.0):
            best[row["path"]] = far
            marks[row["path"]] = row["quad"]
    options.out.write_text(json.dumps(marks), encoding="utf-8")
    paths = {row["path"]: row["source"] for row in rows}
    print(len(marks), "of", len(paths), "marked", Counter(paths[path] for path in marks))


if __name__ == "__main__":
    main()
