"""Files kept as evidence, each under its SHA-256: the same bytes are stored once, and a name proves its content."""

import hashlib
import tempfile
from collections.abc import Iterable, Iterator

from django.core.files import File
from django.core.files.storage import default_storage


class TooLarge(Exception):
    """More bytes came than may be stored."""


def path_of(sha256: str) -> str:
    """Where in the default storage it lies: two levels of folders, so that none grows beyond what a file system likes."""
    return f"evidence/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def keep(chunks: Iterable[bytes], *, limit: int) -> tuple[str, int]:
    """Stream ``chunks`` into storage.

    Returns:
        The SHA-256 in hexadecimal, and the size in bytes.

    Raises:
        TooLarge: after ``limit`` bytes; nothing is kept then.
    """
    digest, size = hashlib.sha256(), 0
    with tempfile.SpooledTemporaryFile(max_size=4 * 1024 * 1024) as draft:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"more than {limit} bytes")
            digest.update(chunk)
            draft.write(chunk)
        sha256 = digest.hexdigest()
        if not default_storage.exists(path_of(sha256)):
            draft.seek(0)
            default_storage.save(path_of(sha256), File(draft))
    return sha256, size


def fetch(sha256: str) -> bytes:
    """The bytes kept under ``sha256``.

    Raises:
        FileNotFoundError: nothing is kept under it.
    """
    with default_storage.open(path_of(sha256)) as stored:
        return stored.read()


CHUNK = 1 << 20


def chunks(sha256: str) -> Iterator[bytes]:
    """The same bytes, piece by piece: for what does not fit into memory. Raises FileNotFoundError as :func:`fetch` does."""
    with default_storage.open(path_of(sha256)) as stored:
        while chunk := stored.read(CHUNK):
            yield chunk


def is_whole(sha256: str) -> bool:
    """Whether what is kept under ``sha256`` is there, and has that hash still."""
    digest = hashlib.sha256()
    try:
        for chunk in chunks(sha256):
            digest.update(chunk)
    except FileNotFoundError:
        return False
    return digest.hexdigest() == sha256
