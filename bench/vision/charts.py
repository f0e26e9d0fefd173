"""The reliability picture and the rejection curve, drawn with Vega-Lite (docs/decisions/0011-drawing.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.vision.measures import Outcome, rejection_curve, reliability, wilson

SIZE = 360  # pixels


def write_charts(readers: Mapping[str, Sequence[Outcome]], folder: Path) -> list[Path]:
    """`reliability.svg` of the first reader and `rejection.svg` of all. `readers`: name → its outcomes."""
    import altair

    paths = [folder / "reliability.svg", folder / "rejection.svg"]
    name, first = next(iter(readers.items()))
    altair.Chart.from_dict(reliability_chart(first, name)).save(str(paths[0]))
    altair.Chart.from_dict(rejection_chart(readers)).save(str(paths[1]))
    return paths


def reliability_chart(outcomes: Sequence[Outcome], name: str) -> dict[str, Any]:
    """A Vega-Lite specification: for bins of equal numbers, the share exact (with its interval) over the confidence
    said. On the diagonal the eye means what it says."""
    bins = [
        {
            "said": part.said,
            "right": part.right / part.pictures,
            "low": wilson(part.right, part.pictures)[0],
            "high": wilson(part.right, part.pictures)[1],
            "pictures": part.pictures,
        }
        for part in reliability(outcomes)
    ]
    unit = {"scale": {"domain": [0, 1]}, "type": "quantitative"}
    said = {"field": "said", "title": "confidence said (mean of the bin)", **unit}
    return _chart(
        f"{name}: does it mean what it says?",
        [
            {
                "data": {"values": [{"a": 0, "b": 0}, {"a": 1, "b": 1}]},
                "mark": {"type": "line", "strokeDash": [4, 4], "color": "#888"},
                "encoding": {"x": {"field": "a", **unit}, "y": {"field": "b", **unit}},
            },
            {
                "data": {"values": bins},
                "mark": {"type": "rule", "color": "#9bb8d3", "strokeWidth": 2},
                "encoding": {"x": said, "y": {"field": "low", **unit}, "y2": {"field": "high"}},
            },
            {
                "data": {"values": bins},
                "mark": {"type": "line", "point": {"filled": True, "size": 60}, "color": "#1f4e79"},
                "encoding": {
                    "x": said,
                    "y": {"field": "right", "title": "share exact (95 % interval)", **unit},
                },
            },
        ],
    )


def rejection_chart(readers: Mapping[str, Sequence[Outcome]]) -> dict[str, Any]:
    """A Vega-Lite specification: for each reader the share of its answers that are exact over the share answered, the
    least sure left out first."""
    points = [
        {"reader": name, "answered": share, "exact": exact}
        for name, outcomes in readers.items()
        for share, exact, _ in rejection_curve(outcomes)
    ]
    unit = {"scale": {"domain": [0, 1]}, "type": "quantitative"}
    aims = [{"exact": 0.99}, {"exact": 0.95}]
    return _chart(
        "Leaving out the least sure",
        [
            {
                "data": {"values": aims},
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": "#888"},
                "encoding": {"y": {"field": "exact", **unit}},
            },
            {
                "data": {"values": points},
                "mark": "line",
                "encoding": {
                    "x": {"field": "answered", "title": "share of the pictures answered", **unit},
                    "y": {"field": "exact", "title": "share of the answers exact", **unit},
                    "color": {"field": "reader", "type": "nominal", "title": None, "sort": list(readers)},
                },
            },
        ],
    )


def _chart(title: str, layers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": title,
        "width": SIZE,
        "height": SIZE,
        "background": "white",
        "layer": layers,
    }
