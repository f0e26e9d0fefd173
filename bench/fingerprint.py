"""Whether a photograph sent twice is known again, and two photographs of one meter are not taken for one.

    rasd bench fingerprint FOLDER... [--rows 1000000] [--sheet FILE.jpg]

A FOLDER holds whole photographs. Each is "sent again" as messengers and people do it (recompressed at 60 to 85, made
smaller, up to 2 % cut off each side, brighter, darker: simulated, with a fixed seed); and every pair of different
photographs in all folders is compared. Within one folder are the hard ones: the same meter, the same wall, the
same model. Pairs whose pixels are identical are one photograph under two names, and left out. Those called the same are
shown on the sheet, for people to look at. With --rows, so many random fingerprints are put into a PostgreSQL of its own, and the
search is timed as it grows.
"""

from __future__ import annotations

import argparse
import io
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from rasd.vision import NotAPhotograph, open_photograph
from rasd.vision.fingerprint import BANDS, BITS, NEAR, SAME, distance, fingerprint, keys, likeness
from rasd.vision.photograph import Picture

SUFFIXES = {".jpg", ".jpeg", ".png"}
LEAST_SIDE = 200  # pixels: less is a cut-out, not a photograph
SEED = 1


def recompressed(picture: Picture, quality: int) -> Picture:
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "JPEG", quality=quality)
    return np.asarray(Image.open(held).convert("RGB"))


def resized(picture: Picture, longest: int) -> Picture:
    scale = longest / max(picture.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how), np.uint8)


def cropped(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    height, width = picture.shape[:2]
    top, bottom, left, right = rng.uniform(0, share, 4)
    return picture[
        round(top * height) : height - round(bottom * height),
        round(left * width) : width - round(right * width),
    ]


def brightened(picture: Picture, factor: float) -> Picture:
    return np.clip(picture * factor, 0, 255).astype(np.uint8)


RESENDS: dict[str, Callable[[Picture, np.random.Generator], Picture]] = {
    "JPEG 85": lambda picture, rng: recompressed(picture, 85),
    "JPEG 60": lambda picture, rng: recompressed(picture, 60),
    "1600 px, JPEG 70": lambda picture, rng: recompressed(resized(picture, 1600), 70),
    "1280 px, JPEG 70": lambda picture, rng: recompressed(resized(picture, 1280), 70),
    "640 px, JPEG 70": lambda picture, rng: recompressed(resized(picture, 640), 70),
    "cut up to 2 %, JPEG 75": lambda picture, rng: recompressed(cropped(picture, 0.02, rng), 75),
    "cut up to 5 %, JPEG 75": lambda picture, rng: recompressed(cropped(picture, 0.05, rng), 75),
    "brighter by 20 %, JPEG 75": lambda picture, rng: recompressed(brightened(picture, 1.2), 75),
    "darker by 25 %, JPEG 75": lambda picture, rng: recompressed(brightened(picture, 0.75), 75),
}


@dataclass(frozen=True)
class Held:
    path: Path
    fingerprint: tuple[int, ...]

    @property
    def picture(self) -> Picture:
        return open_photograph(self.path.read_bytes())


def photographs(folder: Path) -> list[Held]:
    """Those of ``folder`` that can be opened, are whole, and show something."""
    return [
        Held(path, made)
        for path, picture in pictures(folder)
        if min(picture.shape[:2]) >= LEAST_SIDE and (made := fingerprint(picture))
    ]


def pictures(folder: Path) -> Iterator[tuple[Path, Picture]]:
    """Each picture below ``folder`` that can be opened; what cannot is named on standard error."""
    for path in sorted(found for found in folder.rglob("*") if found.suffix.lower() in SUFFIXES):
        try:
            yield path, open_photograph(path.read_bytes())
        except NotAPhotograph as error:
            print(f"{path}: {error}", file=sys.stderr)


def resends(everything: list[Held], limit: int) -> None:
    rng = np.random.default_rng(SEED)
    chosen = [
        everything[index]
        for index in sorted(rng.choice(len(everything), min(limit, len(everything)), replace=False))
    ]
    print(
        f"\nsent again ({len(chosen)} photographs)      median   99 %   most   looked up  near  called the same"
    )
    for name, change in RESENDS.items():
        distances, found, near, same = [], 0, 0, 0
        for one in chosen:
            picture = one.picture
            again = change(picture, rng)
            made = fingerprint(again)
            if made is None:
                continue
            distances.append(distance(one.fingerprint, made))
            looked_up = bool(set(keys(made)) & set(one.fingerprint))
            is_near = looked_up and distances[-1] <= NEAR
            found, near = found + looked_up, near + is_near
            same += is_near and likeness(again, picture) >= SAME
        row = np.quantile(distances, [0.5, 0.99, 1])
        shares = [part / len(chosen) for part in (found, near, same)]
        print(
            f"{name:34} {row[0]:7.0f} {row[1]:6.0f} {row[2]:6.0f} {shares[0]:11.3f} {shares[1]:5.3f} {shares[2]:8.3f}",
            flush=True,
        )


def apart(bits: np.ndarray) -> np.ndarray:
    """Every pair's distance."""
    values = bits.astype(np.float32)
    one_way = values @ (1 - values).T
    return one_way + one_way.T


def pairs(folders: dict[str, list[Held]], sheet: Path | None) -> None:
    everything = [one for held in folders.values() for one in held]
    source = [name for name, held in folders.items() for _ in held]
    masks = np.array([one.fingerprint for one in everything])
    bits = ((masks[:, :, None] >> np.arange(BITS)) & 1).reshape(len(everything), BANDS * BITS)
    far = apart(bits)
    print(
        "\ndifferent photographs                pairs   least  1 in 10,000   near  most alike  called the same  at most (95 %)"
    )
    rows = [(name, [i for i, held in enumerate(source) if held == name]) for name in folders]
    wrong: list[tuple[float, int, int]] = []
    total = total_wrong = 0
    for name, members in [*rows, ("across folders", [])]:
        if members:
            some = [(i, j) for n, i in enumerate(members) for j in members[n + 1 :]]
        else:
            some = [
                (i, j)
                for i in range(len(source))
                for j in range(i + 1, len(source))
                if source[i] != source[j]
            ]
        if not some:
            continue
        distances = np.array([far[i, j] for i, j in some])
        doubles, near, most, called = 0, 0, -1.0, 0
        for index in np.flatnonzero(distances <= NEAR):
            i, j = some[index]
            one, other = everything[i].picture, everything[j].picture
            if one.shape == other.shape and not cv2.absdiff(one, other).any():
                doubles += 1
                continue
            near += 1
            alike = likeness(one, other)
            most = max(most, alike)
            if alike >= SAME:
                called += 1
                wrong.append((alike, i, j))
        count = len(some) - doubles
        total, total_wrong = total + count, total_wrong + called
        row = np.quantile(distances[distances > 0], [0, 1e-4]) if (distances > 0).any() else [0, 0]
        print(
            f"{name:32} {count:9,} {row[0]:7.0f} {row[1]:12.0f} {near:6} {most:11.3f} {called:16} {bound(called, count):15.1e}"
            + (f"   ({doubles} left out: the same pixels)" if doubles else ""),
            flush=True,
        )
    print(
        f"{'all':32} {total:9,} {'':7} {'':12} {'':6} {'':11} {total_wrong:16} {bound(total_wrong, total):15.1e}"
    )
    if sheet and wrong:
        draw(
            sheet,
            [(f"{alike:.3f} {far[i, j]:.0f}", everything[i], everything[j]) for alike, i, j in sorted(wrong)],
        )
        print(f"called the same: {sheet}", file=sys.stderr)


def bound(events: int, of: int) -> float:
    """Upper 95 % bound of a rate: with none seen the rule of three (Hanley, Lippman-Hand, JAMA 1983), else Wilson's."""
    if events == 0:
        return 3 / of
    z, share = 1.645, events / of
    middle = share + z * z / (2 * of)
    return (middle + z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))) / (1 + z * z / of)


def draw(path: Path, found: list[tuple[str, Held, Held]]) -> None:
    tiles = []
    for words, *both in found:
        tile = np.zeros((200, 400, 3), np.uint8)
        for place, one in enumerate(both):
            small = resized(one.picture, 198)
            tile[: small.shape[0], 200 * place : 200 * place + small.shape[1]] = small[:, :, ::-1]
        names = " / ".join(f"{one.path.parent.name}/{one.path.stem}"[-24:] for one in both)
        cv2.putText(tile, f"{words} {names}", (3, 194), cv2.FONT_HERSHEY_SIMPLEX, 0.33, (0, 255, 255), 1)
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 3)
    cv2.imwrite(str(path), np.vstack([np.hstack(tiles[n : n + 3]) for n in range(0, len(tiles), 3)]))


def growth(rows: int) -> None:
    """How long the search takes in a PostgreSQL of its own, with random fingerprints, through the very query of the product."""
    from bench.ingest import set_up
    from rasd.config.embedded import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="rasd-bench-") as folder:
        Path(folder).chmod(0o755)
        import os

        os.environ |= {"RASD_DATA_DIR": folder, "RASD_LOG_LEVEL": "WARNING"}
        os.environ.pop("RASD_DATABASE_URL", None)
        with EmbeddedPostgres(Path(folder) / "postgres").held():
            set_up(migrate=True)
            _grow(rows)
            from django.db import connection

            connection.close()
            connection.close_pool()


def _grow(rows: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from rasd.metering.models import Photograph, Submission

    now = timezone.now()
    submission = Submission.objects.create(identifier="tel:+96890000000", origin="bench", sent_at=now)
    rng = np.random.default_rng(SEED)
    there = 0
    print("\nphotographs stored   search median   99 %   candidates (mean)   index")
    for size in (rows // 100, rows // 10, rows):
        with connection.cursor() as cursor:
            cursor.execute(
                "DROP INDEX photograph_fingerprint"
            )  # made anew at once it is quicker than row by row
            columns = "submission_id, origin, sha256, sent_at, model, fingerprint"
            with cursor.copy(f"COPY metering_photograph ({columns}) FROM STDIN") as copy:  # type: ignore[attr-defined]
                made = rng.integers(0, 1 << BITS, (size - there, BANDS)) | np.arange(BANDS) << BITS
                for number, bands in enumerate(made.tolist(), there):
                    listed = "{" + ",".join(map(str, bands)) + "}"
                    copy.write_row((submission.pk, f"bench:{number}", f"{number:064}", now, "", listed))
            there = size
            cursor.execute(
                "CREATE INDEX photograph_fingerprint ON metering_photograph"
                " USING gin (fingerprint) WITH (fastupdate = off)"
            )
            cursor.execute("VACUUM ANALYZE metering_photograph")
            cursor.execute("SELECT pg_size_pretty(pg_relation_size('photograph_fingerprint'))")
            index = cursor.fetchone()[0]
        times, candidates = [], []
        for _ in range(200):
            made = tuple(int(key) for key in rng.integers(0, 1 << BITS, BANDS) | np.arange(BANDS) << BITS)
            began = time.perf_counter()
            candidates.append(len(list(Photograph.with_a_band_of(made))))
            times.append((time.perf_counter() - began) * 1000)
        row = np.quantile(times, [0.5, 0.99])
        print(
            f"{size:18,} {row[0]:12.1f} ms {row[1]:6.1f} {np.mean(candidates):14.0f} {index:>14}", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--resends", type=int, default=150, help="photographs that are sent again")
    parser.add_argument("--rows", type=int, default=0, help="random fingerprints to search among")
    parser.add_argument("--sheet", type=Path, help="where to draw the pairs that are called the same")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    folders = {
        folder.name if folder.name != "images" else folder.parent.name: photographs(folder)
        for folder in options.folders
    }
    if folders:
        everything = [one for held in folders.values() for one in held]
        print(
            f"{len(everything)} photographs; near: at most {NEAR} of {BANDS * BITS} bits; the same: {SAME} where least alike"
        )
        pairs(folders, options.sheet)
        resends(everything, options.resends)
    if options.rows:
        growth(options.rows)


if __name__ == "__main__":
    main()
