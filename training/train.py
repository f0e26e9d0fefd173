"""The whole recipe in one command: figures first, then the weights that are shipped.

    python training/train.py --data DATA --work DIR [--minutes 22] [--clear-licences-only] [--install]

DATA is the folder with `meters/`, `more/` and `digits/` (see sources.py); DIR keeps what is made on the way. Steps:
networks trained without the held-back sources → measured on these → trained on from there with everything that is
marked → calibrated and measured on the sources that nobody marked, which no network has seen → with `--install` into
src/rasd/vision/weights with checksums. (mark.py can mark those too, for weights that need no figures.)
Needs training/requirements.txt (PyTorch) and this package; about three times `--minutes` and a half on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WEIGHTS = HERE.parent / "src/rasd/vision/weights"
NETWORKS = ("counter_finder.onnx", "strip_reader.onnx")


def run(script: str, *arguments: str) -> None:
    command = [sys.executable, str(HERE / script), *arguments]
    print("$", *command, flush=True)
    subprocess.run(command, check=True)


def write_manifest(folder: Path) -> None:
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NETWORKS}
    (folder / "manifest.json").write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=22)
    parser.add_argument("--clear-licences-only", action="store_true")
    parser.add_argument("--install", action="store_true")
    options = parser.parse_args()
    licences = ["--clear-licences-only"] if options.clear_licences_only else []
    held, final = options.work / "held_back", options.work / "final"
    data = ["--data", str(options.data), *licences]
    time = ["--minutes", str(options.minutes)]
    run("strips.py", *data, "--out", str(held), *time, "--held-back")
    run("finder.py", *data, "--out", str(held), *time, "--held-back")
    write_manifest(held)
    shutil.copy(WEIGHTS / "calibration.json", held)  # any: it only ranks what calibrate.py then fits
    measure = ["calibrate.py", "--data", str(options.data)]
    run(*measure, "--weights", str(held), "--out", str(held / "measured.json"), "--held-back")
    more = ["--minutes", str(options.minutes / 2)]
    run("strips.py", *data, "--out", str(final), *more, "--from", str(held / "strips.pt"))
    run("finder.py", *data, "--out", str(final), *more, "--from", str(held / "finder.pt"))
    shutil.copy(held / "calibration.json", final)
    write_manifest(final)
    run(*measure, "--weights", str(final), "--out", str(final / "calibration.json"))
    if options.install:
        for name in (*NETWORKS, "calibration.json", "manifest.json"):
            shutil.copy(final / name, WEIGHTS / name)


if __name__ == "__main__":
    main()
