"""An eye is a folder of weights with a manifest: what differs from it is refused, and two can be open at once."""

import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rasd.vision import Eye, RegisterHint, UnusableEye, read_photograph
from rasd.vision.eye import FORMAT, SHIPPED, DamagedModel, UnknownFormat, write_manifest
from rasd.vision.rendered import render_meter


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A second eye: the shipped one's files under another name."""
    shutil.copytree(SHIPPED, tmp_path / "eye")
    write_manifest(tmp_path / "eye", name="other-eye", version="2")
    return tmp_path / "eye"


def test_the_shipped_eye_has_a_name_and_a_checksum() -> None:
    eye = Eye.shipped()
    assert eye.name.startswith("rasd-eye-")
    assert len(eye.checksum) == 64
    assert eye is Eye.shipped()


def test_two_eyes_read_side_by_side_each_under_its_own_name(folder: Path) -> None:
    other = Eye.at(folder)
    data, register = render_meter(45217, 5, 1, seed=1), RegisterHint(5, 1)
    ours, theirs = read_photograph(data, register=register), other.read(data, register=register)
    assert (ours.model, theirs.model) == (Eye.shipped().name, "other-eye")
    assert ours.digits == theirs.digits == "045217"
    assert other.checksum == Eye.shipped().checksum  # the same files


def test_an_eye_judges_by_its_own_calibration(folder: Path) -> None:
    path = folder / "calibration.json"
    held = json.loads(path.read_text())
    path.write_text(json.dumps({**held, "highest": 0.5}))
    write_manifest(folder, name="modest-eye", version="1")
    data, register = render_meter(45217, 5, 1, seed=1), RegisterHint(5, 1)
    assert Eye.at(folder).read(data, register=register).confidence == pytest.approx(0.5)
    assert read_photograph(data, register=register).confidence > 0.8


def change(**entries: Any) -> Callable[[Path], None]:
    """Write other entries into the manifest; None takes one out."""

    def do(folder: Path) -> None:
        path = folder / "manifest.json"
        held = {**json.loads(path.read_text()), **entries}
        path.write_text(json.dumps({key: what for key, what in held.items() if what is not None}))

    return do


WRONG: dict[str, tuple[Callable[[Path], Any], type[UnusableEye], str]] = {
    "no such folder": (shutil.rmtree, DamagedModel, "manifest.json: No such file"),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), DamagedModel, "manifest.json: No such file"),
    "a manifest that is no JSON": (lambda f: (f / "manifest.json").write_text("{"), DamagedModel, "not JSON"),
    "a file changed": (
        lambda f: (f / "calibration.json").write_text("{}"),
        DamagedModel,
        "calibration.json has SHA-256 44136fa355",
    ),
    "a file missing": (
        lambda f: (f / "calibration.json").unlink(),
        DamagedModel,
        "calibration.json: No such",
    ),
    "weights of a later release": (change(format=FORMAT + 1), UnknownFormat, f"format {FORMAT + 1}"),
    "weights of before there were formats": (change(format=None), UnknownFormat, "older release"),
    "no name": (change(name=None), DamagedModel, '"name" is missing'),
    "a name that is a number": (change(name=3), DamagedModel, '"name" is missing or not'),
    "a needed file not listed": (change(files={"x.onnx": "0"}), DamagedModel, "does not list counter_finder"),
    "a file elsewhere": (change(files={"../x.onnx": "0"}), DamagedModel, "no plain file name"),
}


@pytest.mark.parametrize(("spoil", "error", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_folder_is_told(
    spoil: Callable[[Path], Any], error: type[UnusableEye], words: str, folder: Path
) -> None:
    spoil(folder)
    with pytest.raises(error, match=re.escape(words)):
        Eye.at(folder)


def test_a_file_that_is_exchanged_while_rasd_runs_is_not_opened(folder: Path) -> None:
    eye = Eye.at(folder)
    (folder / "strip_reader.onnx").write_bytes(b"something else")
    with pytest.raises(DamagedModel, match=r"strip_reader\.onnx has SHA-256"):
        eye.network("strip_reader.onnx")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_reading_takes_less_than_300_mb_whatever_sizes_pictures_have(tmp_path: Path) -> None:
    """A process of its own reads noise of many sizes, in which it looks everywhere, and a photograph of 12 million pixels."""
    photograph = Image.open(io.BytesIO(render_meter(45217, 5, 1, seed=1))).resize((4000, 3000))
    photograph.save(tmp_path / "large.jpg")
    code = (
        "import re, sys, numpy; from pathlib import Path; from rasd.vision import Eye, reader\n"
        "eye, rng = Eye.shipped(), numpy.random.default_rng(0)\n"
        "eye.read(Path(sys.argv[1]).read_bytes())\n"
        "for h, w in ((900, 675), (1280, 606), (675, 900), (350, 700), (1600, 1200)):\n"
        "    reader.read_picture(eye, rng.integers(0, 256, (h, w, 3), numpy.uint8))\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "large.jpg"], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) * 1024 < 300e6
