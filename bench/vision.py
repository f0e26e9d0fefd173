"""How well the eye reads: over folders of labelled photographs, a table a source.

    python bench/vision.py FOLDER... [--limit N] [--json]

A FOLDER holds `labels.csv` with at least `path, reading` (digits as seen, leading zeros kept, a point where one is
shown). A reading is right where all its digits are the label's; where the point is labelled too, `value` says how
many have the point in its place. Pictures without a reading are "none": reading one is an error, asking for another
photograph or for a person is right. Neither history nor register is told: the figures are of the pixels alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from rasd.vision import Decision, Eye, NotAPhotograph, read_photograph


@dataclass(frozen=True)
class Outcome:
    path: str
    label: str
    digits: str
    right: bool
    value_right: bool | None  # None: the label has no point
    confidence: float
    decision: Decision
    milliseconds: float


def outcomes(folder: Path, limit: int | None = None) -> dict[str, list[Outcome]]:
    """Source (the first part of the path, or the folder's name) → an outcome for each labelled picture."""
    found: dict[str, list[Outcome]] = defaultdict(list)
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if set(row["reading"]) <= set("0123456789.") and row["reading"]
        ]
    for row in rows[:: max(1, len(rows) // limit)] if limit else rows:
        head = row["path"].split("/")[0]
        source = folder.name if head == "images" else head
        try:
            reading = read_photograph((folder / row["path"]).read_bytes())
        except NotAPhotograph as error:
            print(f"{row['path']}: {error}", file=sys.stderr)
            continue
        label = row["reading"]
        value_right = None
        if "." in label and reading.value is not None:
            value_right = float(reading.value) == float(label)
        right = reading.digits == label.replace(".", "")
        if source.startswith("toloka"):  # trailing and leading zeros of these labels were dropped
            right = right or reading.digits.strip("0") == label.replace(".", "").strip("0")
        found[source].append(
            Outcome(
                row["path"], label, reading.digits, right, value_right, reading.confidence, reading.decision,
                reading.milliseconds,
            )
        )  # fmt: skip
    return found


def expected_calibration_error(pairs: list[tuple[float, bool]], bins: int = 10) -> float:
    """Mean distance of confidence from the share that is right, over bins of equal size (Naeini et al., AAAI 2015)."""
    ranked = sorted(pairs)
    total = 0.0
    for index in range(bins):
        part = ranked[index * len(ranked) // bins : (index + 1) * len(ranked) // bins]
        if part:
            gap = sum(c for c, _ in part) / len(part) - sum(r for _, r in part) / len(part)
            total += abs(gap) * len(part) / len(ranked)
    return total


def summary(rows: list[Outcome], accept: float = 0.99) -> dict[str, float | int | None]:
    sure = [row for row in rows if row.decision is Decision.ACCEPT]
    surest = sorted(rows, key=lambda row: -row.confidence)[: max(1, len(rows) // 4)]
    return {
        "n": len(rows),
        "right": sum(row.right for row in rows) / len(rows),
        "accepted": len(sure) / len(rows),
        "right_at_accept": sum(row.right for row in sure) / len(sure) if sure else None,
        "right_in_surest_quarter": sum(row.right for row in surest) / len(surest),
        "ece": expected_calibration_error([(row.confidence, row.right) for row in rows]),
        "ms_median": statistics.median(row.milliseconds for row in rows),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument(
        "--json", action="store_true", help="one object a source, and one a picture with --each"
    )
    parser.add_argument("--each", action="store_true", help="print every picture that was read wrong")
    options = parser.parse_args()
    Eye.shipped().warm_up()
    everything: list[Outcome] = []
    if not options.json:
        print(
            f"{'source':34} {'n':>5} {'right':>7} {'accept':>7} {'at acc.':>8} {'top 25%':>8} {'ECE':>6} {'ms':>6}"
        )
    for folder in options.folders:
        for source, rows in outcomes(folder, options.limit).items():
            everything += rows
            _print(source, rows, as_json=options.json)
            if options.each:
                for row in rows:
                    if not row.right:
                        print(
                            f"    {row.path}: {row.label} read as {row.digits or '-'} ({row.confidence:.3f}, {row.decision})"
                        )
    if len(options.folders) > 1:
        _print("all", everything, as_json=options.json)


def _print(source: str, rows: list[Outcome], *, as_json: bool) -> None:
    held = summary(rows)
    if as_json:
        print(json.dumps({"source": source, **held}))
        return
    at_accept = "-" if held["right_at_accept"] is None else f"{held['right_at_accept']:.3f}"
    print(
        f"{source:34} {held['n']:5d} {held['right']:7.3f} {held['accepted']:7.3f} {at_accept:>8} "
        f"{held['right_in_surest_quarter']:8.3f} {held['ece']:6.3f} {held['ms_median']:6.0f}"
    )


if __name__ == "__main__":
    main()
