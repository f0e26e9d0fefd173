"""The source of all chance: HMAC-SHA256 in counter mode. Any language draws the same."""

import hashlib

import numpy as np
from numpy.typing import NDArray

INNER = bytes(byte ^ 0x36 for byte in range(256))
OUTER = bytes(byte ^ 0x5C for byte in range(256))
BLOCK = 64  # bytes, of SHA-256 as HMAC (RFC 2104) pads its key to
WORDS_IN_A_BLOCK = 8  # of 32 bits

Ints = NDArray[np.int64]


class Stream:
    """Block ``i`` of the stream ``label`` is HMAC-SHA256(key, "label/i"): eight words of 32 bits, the high byte first."""

    def __init__(self, key: bytes) -> None:
        """``key``: at most 64 bytes."""
        if len(key) > BLOCK:
            raise ValueError(f"the key has {len(key)} bytes and may have {BLOCK}")
        padded = key.ljust(BLOCK, b"\0")
        # The two states that every HMAC of this key begins with: a third of the time of hmac.digest.
        self._inner = hashlib.sha256(padded.translate(INNER))
        self._outer = hashlib.sha256(padded.translate(OUTER))

    def block(self, label: str, number: int) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(f"{label}/{number}".encode("ascii"))
        outer.update(inner.digest())
        return outer.digest()

    def words(self, label: str, count: int) -> Ints:
        """The first ``count`` words, each 0 to 2**32 - 1."""
        blocks = []
        for number in range(
            -(-count // WORDS_IN_A_BLOCK)
        ):  # as block(), of which the calls alone would cost a fifth
            inner, outer = self._inner.copy(), self._outer.copy()
            inner.update(b"%s/%d" % (label.encode("ascii"), number))
            outer.update(inner.digest())
            blocks.append(outer.digest())
        return np.frombuffer(b"".join(blocks), dtype=">u4", count=count).astype(np.int64)

    def word(self, label: str, index: int) -> int:
        """The word at ``index``, from 0."""
        start = 4 * (index % WORDS_IN_A_BLOCK)
        return int.from_bytes(self.block(label, index // WORDS_IN_A_BLOCK)[start : start + 4], "big")


def below(words: Ints, limit: Ints | int) -> Ints:
    """Words as numbers from 0 to ``limit`` - 1: word * limit / 2**32, rounded down.

    Each number has the same probability but for one part in 2**32 / limit: under two millionths for the seconds of two hours.
    """
    return (words * limit) >> 32
