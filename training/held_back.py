"""The held-back pictures as folders that `rasd bench vision` measures: real ones, and rendered ones of unseen styles.

    python training/held_back.py real DATA OUT       links to the whole photographs of the sources held back
    python training/held_back.py rendered OUT [--count 300] [--seed 1]

What is held back stands in sources.py (`HELD_BACK`): whole sources, so that the makes are unseen, and every picture
elsewhere that shows a meter of theirs. `DATA` is the folder that holds `meters/` and `more/`; OUT gets links to its
pictures, no copies. Rendered ones are of the world's "unseen" pool, whose fonts, colours and layouts training never
draws from. Measure both in one run, the real ones first, and the gap between them is told as well:

    rasd bench vision OUT/real OUT/rendered
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
from sources import labelled

COLUMNS = ("path", "reading", "kind", "source", "meter", "untold")
SIDE = 1280
"""Pixels, longest side: what messengers deliver of a photograph (1,280 to 1,600)."""


def real(data: Path, out: Path) -> list[dict[str, str]]:
    """A row and a link for each. A counter that the second look found unreadable has an empty reading: there is
    nothing to read. One that nobody read is left out, and so are cut-out counters, which no customer sends."""
    rows = []
    for item in labelled(data):
        if not (item.held_back and item.whole and item.can_be_judged) or (not item.reading and item.trusted):
            continue
        name = "/".join((item.source, "-".join(item.path.relative_to(data).parts)))
        link = out / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(item.path.resolve())
        rows.append(
            dict(
                zip(
                    COLUMNS,
                    (
                        name,
                        item.reading if item.trusted else "",
                        item.kind,
                        item.source,
                        item.meter,
                        item.untold,
                    ),
                    strict=True,
                )
            )
        )
    return rows


def rendered(out: Path, count: int, seed: int) -> list[dict[str, str]]:
    """A row and a JPEG for each; the same for the same seed on a machine with the same fonts."""
    from world import camera, place, scene

    rows = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        made = place(rng, scene(rng, "unseen", SIDE), SIDE)
        name = f"{number:04}.jpg"
        picture = camera(rng, made.picture)
        cv2.imwrite(str(out / name), picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
        # Pointers are not for the eye (docs/model-card.md): it is right to leave them to a person.
        reading = "" if made.kind == "dial" else made.reading
        rows.append(dict(zip(COLUMNS, (name, reading, made.kind, "rendered", "", 0), strict=True)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_subparsers(dest="which", required=True)
    of_real = which.add_parser("real")
    of_real.add_argument("data", type=Path)
    of_real.add_argument("out", type=Path)
    of_rendered = which.add_parser("rendered")
    of_rendered.add_argument("out", type=Path)
    of_rendered.add_argument("--count", type=int, default=300)
    of_rendered.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.out.exists():
        parser.error(f"{options.out} exists: name a folder that does not, or remove it")
    options.out.mkdir(parents=True)
    rows = (
        real(options.data, options.out)
        if options.which == "real"
        else rendered(options.out, options.count, options.seed)
    )
    with (options.out / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    by_source: dict[str, list[int]] = {}
    for row in rows:
        held = by_source.setdefault(row["source"], [0, 0])
        held[not row["reading"]] += 1
    for source, (readable, unreadable) in sorted(by_source.items()):
        print(f"{source}: {readable} with a reading, {unreadable} with nothing to read")


if __name__ == "__main__":
    main()
