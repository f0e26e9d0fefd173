"""The whole recipe in one command: figures first, then the weights that are shipped.

    python training/train.py --data DATA --work DIR [--strip-steps 4000] [--close-steps 840] [--finder-steps 5000]
                             [--clear-licences-only] [--start DIR] [--install]

DATA is the folder with `meters/`, `more/` and `digits/` (see sources.py); DIR keeps what is made on the way, checkpoints,
logs and figures among it; the same command goes on where it was stopped. Steps: networks trained without the held-back
sources → calibrated and measured on these → trained on for a tenth of the steps with every source → with `--install` into
src/rasd/vision/weights, with the calibration of the former (the latter has no photograph left to be measured on).
`--start` names the DIR of an earlier round, whose networks are trained on from. The curves of each run are drawn beside
its log. Needs training/requirements.txt (PyTorch) and this package; one core each, some hours.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from halved import halve

from rasd.vision import confidence, eye, finder, strip

HERE = Path(__file__).parent
AGAIN, LAST = 3e-4, 2e-4  # rates of a later round, and of the last steps with every source
NAME, VERSION = "rasd-eye-2.3", "2.3"
NETWORKS = {"strips": strip.NETWORK, "close": strip.CLOSE, "finder": finder.NETWORK}
SEEDS = {"close": 4}  # the second reader sees other pictures than the first, so that it errs elsewhere


def run(script: str, *arguments: object) -> None:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    print("$", *command, flush=True)
    subprocess.run(command, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--strip-steps", type=int, default=4000)
    parser.add_argument("--close-steps", type=int, default=840)
    parser.add_argument("--finder-steps", type=int, default=5000)
    parser.add_argument("--clear-licences-only", action="store_true")
    parser.add_argument("--start", type=Path, help="the DIR of an earlier round, to train on from")
    parser.add_argument("--install", action="store_true")
    options = parser.parse_args()
    data = ["--data", options.data, *(["--clear-licences-only"] if options.clear_licences_only else [])]
    measured, final = options.work / "measured", options.work / "final"
    for script, name, steps in (
        ("strips.py", "strips", options.strip_steps), ("strips.py", "close", options.close_steps),
        ("finder.py", "finder", options.finder_steps),
    ):  # fmt: skip
        began = options.work / name
        seeded = ["--seed", SEEDS[name]] if name in SEEDS else []
        earlier = options.start and ["--start", options.start / name / "checkpoint.pt", "--rate", AGAIN]
        run(script, *data, "--out", began, "--steps", steps, *(earlier or []), *seeded)
        on = options.work / f"{name}_everything"
        last = ["--everything", "--start", began / "checkpoint.pt", "--rate", LAST]
        run(script, *data, "--out", on, "--steps", steps // 10, *last, *seeded)
        run("curves.py", began, on)
        for folder, made in ((measured, began), (final, on)):
            folder.mkdir(parents=True, exist_ok=True)
            (network,) = made.glob("*.onnx")
            halve(network, folder / NETWORKS[name])
    sealed = ["--name", f"{NAME}-measured", "--version", VERSION]
    run("calibrate.py", "--data", options.data, "--weights", measured, *sealed)
    shutil.copy(measured / confidence.CALIBRATION, final)
    eye.write_manifest(final, name=NAME, version=VERSION)
    if options.install:
        for name in (*eye.FILES, "manifest.json"):
            shutil.copy(final / name, eye.SHIPPED / name)


if __name__ == "__main__":
    main()
