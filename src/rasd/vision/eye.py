"""An eye: one set of weights with its manifest. A process may have several open, each with a name of its own.

The folder of an eye holds its files and `manifest.json`:

    {"name": "rasd-eye-2.3", "version": "2.3", "format": 3, "files": {"counter_finder.onnx": SHA-256 in hex, …}}

`name` is kept with every reading (G4) and tells two eyes apart; `version` is for people; `format` says which networks,
inputs and features there are, so that weights from another release are refused instead of misread.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime

from rasd.vision import confidence, finder, models, reader, strip
from rasd.vision.photograph import Opened, open_file
from rasd.vision.types import DEFAULT, History, PhotoReading, RegisterHint, Thresholds

SHIPPED = Path(__file__).parent / "weights"

FORMAT = 3
"""What this code reads. Raised whenever weights of before would be misread: other networks, inputs or features."""

FILES = (finder.NETWORK, strip.NETWORK, strip.CLOSE, confidence.CALIBRATION)
"""What the manifest of an eye of this format must list."""


class UnusableEye(RuntimeError):
    """A folder does not hold an eye that this release can use; the text says why and how to mend it."""


class DamagedModel(UnusableEye):
    """A file of the eye is missing, or not the one that the manifest names."""


class UnknownFormat(UnusableEye):
    """The weights are for another release of Rasd."""


@dataclass(frozen=True)
class Eye:
    """A set of weights, checked against its manifest. Make one with `shipped` or `at`; thread-safe."""

    folder: Path
    name: str
    version: str
    files: dict[str, str]  # file name → SHA-256 in hex
    _networks: dict[str, onnxruntime.InferenceSession] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    @cache
    def shipped(cls) -> Self:
        """The eye inside this package, opened once a process. Raises DamagedModel where the installation is damaged."""
        return cls.at(SHIPPED)

    @classmethod
    def at(cls, folder: Path) -> Self:
        """The eye in a folder; every file is checked. Raises DamagedModel or UnknownFormat, both UnusableEye."""
        held = _manifest(folder)
        eye = cls(folder, str(held["name"]), str(held["version"]), dict(held["files"]))
        missing = [name for name in FILES if name not in eye.files]
        if missing:
            raise DamagedModel(
                f"{folder}: manifest.json does not list {', '.join(missing)}: copy the eye again"
            )
        for name in eye.files:
            eye.file(name)
        return eye

    @property
    def checksum(self) -> str:
        """SHA-256 in hex over the sorted lines "SHA-256  file name", as `sha256sum` prints them: one for the whole."""
        lines = "".join(f"{sum_}  {name}\n" for name, sum_ in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def file(self, name: str) -> bytes:
        """A file of this eye. Raises DamagedModel where it is missing or its SHA-256 is not the manifest's."""
        try:
            data = (self.folder / name).read_bytes()
        except OSError as error:
            raise DamagedModel(f"{self.folder / name}: {error.strerror}: {self._mend}") from error
        found = hashlib.sha256(data).hexdigest()
        if found != self.files[name]:
            raise DamagedModel(
                f"{self.folder / name} has SHA-256 {found}, not {self.files[name]}: {self._mend}"
            )
        return data

    @property
    def _mend(self) -> str:
        return "install rasd again" if self.folder == SHIPPED else "copy the eye again, whole"

    def network(self, name: str) -> onnxruntime.InferenceSession:
        """One of its networks by file name, opened at first use."""
        # Two threads may open it twice; the second then replaces the first, which is as good.
        if name not in self._networks:
            self._networks[name] = models.session(self.file(name))
        return self._networks[name]

    @cached_property
    def calibration(self) -> confidence.Calibration:
        """From what was seen to a probability, as fitted for these weights."""
        return confidence.Calibration.from_json(self.file(confidence.CALIBRATION))

    def read(
        self,
        data: bytes,
        *,
        opened: Opened | None = None,
        register: RegisterHint | None = None,
        history: History | None = None,
        thresholds: Thresholds = DEFAULT,
    ) -> PhotoReading:
        """Read the meter in a photograph (JPEG, PNG, WebP, … as bytes; `opened`: where somebody opened it before).

        `register` says how many digits to expect; where it is missing, `history` says it. Some hundredths of a second
        on one core, some tenths where no counter is found at first. Raises NotAPhotograph where the bytes cannot be
        opened as a picture.
        """
        opened = opened or open_file(data)
        reading = reader.read_picture(
            self, opened.picture, register=register, history=history, thresholds=thresholds
        )
        return replace(reading, findings=opened.findings + reading.findings) if opened.findings else reading

    def warm_up(self) -> None:
        """Open every network; a first photograph is then as fast as the next."""
        picture = np.full((64, 256, 3), 128, np.uint8)
        whole = np.array([[0, 0], [256, 0], [256, 64], [0, 64]], np.float32)
        strip.read(self, picture, whole)
        reader.read_picture(self, picture)


def read_photograph(
    data: bytes,
    *,
    register: RegisterHint | None = None,
    history: History | None = None,
    thresholds: Thresholds = DEFAULT,
) -> PhotoReading:
    """As `Eye.read`, with the shipped eye."""
    return Eye.shipped().read(data, register=register, history=history, thresholds=thresholds)


def write_manifest(folder: Path, *, name: str, version: str) -> None:
    """Seal the `FILES` that lie in a folder as an eye of this format. Raises FileNotFoundError where one is missing."""
    files = {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in FILES}
    held = {"name": name, "version": version, "format": FORMAT, "files": files}
    (folder / "manifest.json").write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


def _manifest(folder: Path) -> dict[str, Any]:
    """`manifest.json` with its four entries, each of the right kind."""
    path = folder / "manifest.json"
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DamagedModel(f"{path}: {error.strerror}: it must be the folder of an eye") from error
    except ValueError as error:
        raise DamagedModel(f"{path} is not JSON: copy the eye again") from error
    if not isinstance(held, dict) or "format" not in held:
        raise UnknownFormat(f"{path} names no format: these weights are for an older release of Rasd")
    if held["format"] != FORMAT:
        raise UnknownFormat(
            f"{path}: format {held['format']}, and this release of Rasd reads {FORMAT}: take weights made for it"
        )
    for entry, kind in {"name": str, "version": str, "files": dict}.items():
        if not held.get(entry) or not isinstance(held[entry], kind):
            raise DamagedModel(f'{path}: "{entry}" is missing or not what it should be: copy the eye again')
    wrong = [name for name in held["files"] if Path(name).name != name]
    if wrong:
        raise DamagedModel(f"{path}: {wrong[0]!r} is no plain file name: every file lies beside the manifest")
    return held
