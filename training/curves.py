"""The curves of a training run, from the `log.csv` and `figures.csv` that loop.py keeps.

python training/curves.py RUN...      writes curves.svg into each folder
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import altair


def curves(run: Path) -> Path:
    """Loss on a log scale above, share right of each held-back source below, over the steps."""
    with (run / "log.csv").open(encoding="utf-8") as file:
        loss = [{"step": int(row["step"]), "loss": float(row["loss"])} for row in csv.DictReader(file)]
    with (run / "figures.csv").open(encoding="utf-8") as file:
        right = [
            {"step": int(row["step"]), "source": source, "right": float(share)}
            for row in csv.DictReader(file)
            for source, share in row.items()
            if source != "step"
        ]
    step = {"field": "step", "type": "quantitative"}
    above = {
        "data": {"values": loss}, "mark": "line", "width": 480, "height": 160,
        "encoding": {"x": step, "y": {"field": "loss", "type": "quantitative", "scale": {"type": "log"}}},
    }  # fmt: skip
    below = {
        "data": {"values": right}, "mark": {"type": "line", "point": True}, "width": 480, "height": 200,
        "encoding": {
            "x": step, "color": {"field": "source", "type": "nominal"},
            "y": {"field": "right", "type": "quantitative", "scale": {"domain": [0, 1]}},
        },
    }  # fmt: skip
    path = run / "curves.svg"
    altair.Chart.from_dict({"title": run.name, "vconcat": [above, below]}).save(str(path))
    return path


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(curves(Path(folder)))
