"""Where the evidence of visits lies: a folder of files named by their SHA-256."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from rasd.watch.players.finding import Exhibit, ExhibitKind


class Box:
    """``folder/ab/abcdef…``; the same bytes are kept once. Safe with several writers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, kind: ExhibitKind, data: bytes, media_type: str) -> Exhibit:
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        try:
            os.utime(path)  # it is needed again: who throws away sees that
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{digest}.{os.getpid()}")
            unfinished.write_bytes(data)
            unfinished.rename(path)
        return Exhibit(kind=kind, sha256=digest, media_type=media_type, size=len(data))

    def path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    def get(self, sha256: str) -> bytes:
        """Raises FileNotFoundError where it was thrown away by rule; ValueError where the bytes are not those of the hash."""
        data = self.path(sha256).read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"the evidence {sha256} was changed")
        return data

    def discard(self, sha256: str, untouched_since: datetime) -> bool:
        """Deletes the bytes, unless they were put, or put again, since then. Whether they are gone."""
        path = self.path(sha256)
        doomed = path.with_name(f".{sha256}.doomed")
        with suppress(FileNotFoundError):
            if _touched(path) >= untouched_since.timestamp():
                return False
            path.rename(doomed)
            # From here on whoever puts the same bytes writes them anew; who did so just before has touched these.
            if _touched(doomed) >= untouched_since.timestamp():
                doomed.rename(path)
                return False
            doomed.unlink()
        return True

    def lying(self, untouched_since: datetime) -> Iterator[list[str]]:
        """The hashes of what lies there unused since then, a folder at a time. What a writer left unfinished is deleted."""
        for folder in sorted(self.folder.glob("??")):
            names = []
            for path in folder.iterdir():
                with suppress(FileNotFoundError):
                    if _touched(path) >= untouched_since.timestamp():
                        continue
                    if path.name.startswith("."):
                        path.unlink()
                    else:
                        names.append(path.name)
            if names:
                yield names


def _touched(path: Path) -> float:
    return path.stat().st_mtime
