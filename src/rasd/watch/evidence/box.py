"""Where the evidence of visits lies: a folder of files named by their SHA-256."""

import hashlib
import os
from pathlib import Path

from rasd.watch.players.finding import Exhibit, ExhibitKind


class Box:
    """``folder/ab/abcdef…``; the same bytes are kept once. Safe with several writers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, kind: ExhibitKind, data: bytes, media_type: str) -> Exhibit:
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if not path.exists():
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
