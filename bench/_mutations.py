"""Ways to damage a file: blind ones, and ones that know its format and leave the rest of it well-formed.

Each takes the bytes and a `random.Random` and gives bytes; none of them fails, whatever it is given.
"""

import re
import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from random import Random

Mutation = Callable[[bytes, Random], bytes]

NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    31,
    127,
    128,
    255,
    256,
    4096,
    32767,
    32768,
    65535,
    65536,
    10**6,
    2**31 - 1,
    2**31,
    2**32 - 1,
)
LARGEST = 4_000_000  # bytes: repeated doubling shall not fill the machine


# Blind


def flip_bits(data: bytes, rng: Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        out[_place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(out)


def set_bytes(data: bytes, rng: Random) -> bytes:
    out, at = bytearray(data), _place(data, rng)
    count = rng.choice((1, 2, 4, 16, 200))
    out[at : at + count] = rng.choice((b"\0" * count, b"\xff" * count, rng.randbytes(count)))
    return bytes(out)


def set_number(data: bytes, rng: Random) -> bytes:
    form = rng.choice((">H", "<H", ">I", "<I"))
    size, at = struct.calcsize(form), _place(data, rng)
    number = rng.choice(NUMBERS) % 256**size
    return data[:at] + struct.pack(form, number) + data[at + size :]


def delete(data: bytes, rng: Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 4, 50, 1000, len(data) // 4)) :]


def repeat(data: bytes, rng: Random) -> bytes:
    at = _place(data, rng)
    part = data[at : at + rng.choice((1, 4, 50, 1000, len(data) // 4))]
    return data[:at] + part * rng.choice((2, 2, 3, 50)) + data[at + len(part) :]


def truncate(data: bytes, rng: Random) -> bytes:
    return data[: rng.choice((_place(data, rng), int(len(data) * rng.uniform(0.5, 1)), len(data) - 1))]


def junk_around(data: bytes, rng: Random) -> bytes:
    junk = rng.randbytes(rng.choice((1, 16, 1000)))
    return rng.choice((junk + data, data + junk, b"\r\n\r\n" + data))


# By format


def jpeg(data: bytes, rng: Random) -> bytes:
    """Segments dropped, doubled, swapped, with another length or another content."""
    cuts, at = [2], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        cuts.append(min(at, len(data)))
    parts = [data[a:b] for a, b in pairwise(cuts)]
    if not parts:
        return set_number(data, rng)
    which = rng.randrange(len(parts))
    part = parts[which]
    deed = rng.randrange(5)
    if deed == 0:
        parts[which] = part[:2] + struct.pack(">H", rng.choice((0, 1, 2, 3, len(part), 65535))) + part[4:]
    elif deed == 1:
        parts[which] = part[:4] + _anywhere(part[4:], rng)
    else:
        parts = _shuffled(parts, which, rng)
    return data[:2] + b"".join(parts) + data[cuts[-1] :]


def exif(data: bytes, rng: Random) -> bytes:
    """A number of the first TIFF directory: tag, type, count or offset. Also what a TIFF file itself begins with."""
    at = max(data.find(b"II*\0"), data.find(b"MM\0*"))
    if at < 0 or at + 60 > len(data):
        return set_number(data, rng)
    form = "<" if data[at : at + 1] == b"I" else ">"
    begin = at + int(struct.unpack(form + "I", data[at + 4 : at + 8])[0])
    if begin + 2 > len(data):
        begin = at + 8
    count = int(struct.unpack(form + "H", data[begin : begin + 2].ljust(2, b"\0"))[0])
    entry = begin + 2 + 12 * rng.randrange(max(1, min(count, 40)))
    field, kind = rng.choice(((0, "H"), (2, "H"), (4, "I"), (8, "I")))
    packed = struct.pack(form + kind, rng.choice(NUMBERS) % 256 ** struct.calcsize(kind))
    return data[: entry + field] + packed + data[entry + field + len(packed) :]


def png(data: bytes, rng: Random) -> bytes:
    """Chunks dropped, doubled, swapped or changed, their checksums right again."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        chunks.append(data[at + 4 : at + 8 + size])
        at += 12 + size
    if not chunks:
        return set_number(data, rng)
    which = rng.randrange(len(chunks))
    if rng.random() < 0.5:
        part = chunks[which]
        body = zlib.compress(rng.randbytes(99)) if rng.random() < 0.1 else _anywhere(part[4:], rng)
        chunks[which] = part[:4] + body
    else:
        chunks = _shuffled(chunks, which, rng)
    sealed = (
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks if len(c) >= 4
    )
    return data[:8] + b"".join(sealed)


def riff(data: bytes, rng: Random) -> bytes:
    """WebP: a chunk's length, kind or content."""
    found = [match.start() for match in re.finditer(rb"VP8[ LX]|ANIM|ANMF|ALPH|EXIF|ICCP|RIFF", data)]
    if not found:
        return set_number(data, rng)
    at = rng.choice(found)
    if rng.random() < 0.4:
        size = struct.pack("<I", rng.choice(NUMBERS))
        return data[: at + 4] + size + data[at + 8 :]
    if rng.random() < 0.3:
        return data[:at] + rng.choice((b"VP8 ", b"VP8L", b"VP8X", b"ANMF", b"ALPH")) + data[at + 4 :]
    return data[: at + 8] + _anywhere(data[at + 8 : at + 40], rng) + data[at + 40 :]


BOXES = (
    b"ftyp meta hdlr pitm iloc iinf infe iprp ipco ipma ispe irot imir hvcC av1C pixi colr auxC iref dimg thmb idat mdat "
    b"grid moov trak mdia stbl stsz stco stsd"
).split()


def boxes(data: bytes, rng: Random) -> bytes:
    """HEIF and AVIF: a box's length, kind, first numbers, or the whole of it twice or not at all."""
    found = [m.start() for m in re.finditer(b"|".join(BOXES), data[:20_000]) if m.start() >= 4]
    if not found:
        return set_number(data, rng)
    at = rng.choice(found)
    size = struct.unpack(">I", data[at - 4 : at])[0]
    end = min(len(data), at - 4 + size)
    deed = rng.randrange(5)
    if deed == 0:
        return (
            data[: at - 4]
            + struct.pack(">I", rng.choice((*NUMBERS, size + 1, size - 1 if size else 0)))
            + data[at:]
        )
    if deed == 1:
        return data[:at] + rng.choice(BOXES) + data[at + 4 :]
    if deed == 2:
        return data[: at - 4] + data[end:]
    if deed == 3:
        return data[:end] + data[at - 4 : end] + data[end:]
    return data[: at + 4] + _anywhere(data[at + 4 : at + 24], rng) + data[at + 24 :]


NAMES = (
    b"/FlateDecode /DCTDecode /JPXDecode /JBIG2Decode /CCITTFaxDecode /LZWDecode /RunLengthDecode /ASCII85Decode /DeviceRGB "
    b"/DeviceCMYK /DeviceGray /Indexed /ICCBased /Pattern /Image /Form /Page /Pages /Catalog /SMask /Mask /Kids /Parent"
).split()


def pdf(data: bytes, rng: Random) -> bytes:
    """A number, a name or a reference changed; an object twice or not at all."""
    deed = rng.randrange(4)
    if deed == 0:
        return _one(rb"\d+", data, rng, lambda _: str(rng.choice((*NUMBERS, -1, 12000))).encode())
    if deed == 1:
        return _one(rb"/[A-Z][A-Za-z0-9]+", data, rng, lambda _: rng.choice(NAMES))
    if deed == 2:
        return _one(rb"\d+ 0 R", data, rng, lambda _: b"%d 0 R" % rng.randrange(12))
    twice = rng.random() < 0.5
    return _one(rb"(?s)\d+ 0 obj.*?endobj", data, rng, lambda whole: whole * 2 if twice else b"")


BLIND: tuple[Mutation, ...] = (flip_bits, set_bytes, set_number, delete, repeat, truncate, junk_around)
KNOWING: dict[str, tuple[Mutation, ...]] = {
    "jpg": (jpeg, exif), "mpo": (jpeg, exif), "png": (png, exif), "webp": (riff, exif), "tif": (exif, jpeg),
    "heic": (boxes, exif), "avif": (boxes, exif), "pdf": (pdf, jpeg),
}  # fmt: skip


def mutated(name: str, data: bytes, others: list[bytes], rng: Random) -> bytes:
    """`data` damaged in one to four ways, half of them by its format (`name`'s ending) where there are such; now and
    then the beginning of one file with the end of another."""
    knowing = KNOWING.get(name.rpartition(".")[2].lower().replace("jpeg", "jpg"), ())
    if rng.random() < 0.08:
        other = rng.choice(others)
        data = data[: _place(data, rng)] + other[_place(other, rng) :]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        if not data:
            break
        way = rng.choice(knowing) if knowing and rng.random() < 0.5 else rng.choice(BLIND)
        data = way(data, rng)[:LARGEST]
    return data


def _place(data: bytes, rng: Random) -> int:
    """Anywhere, half of the time near the beginning, where headers are."""
    last = len(data) if rng.random() < 0.5 else min(len(data), 600)
    return rng.randrange(max(1, last)) if data else 0


def _anywhere(part: bytes, rng: Random) -> bytes:
    return (
        rng.choice((flip_bits, set_bytes, set_number, delete, repeat))(part, rng)
        if part
        else rng.randbytes(4)
    )


def _shuffled(parts: list[bytes], which: int, rng: Random) -> list[bytes]:
    """One of them left out, repeated, or changed for another."""
    deed = rng.randrange(3)
    if deed == 0:
        return parts[:which] + parts[which + 1 :]
    if deed == 1:
        return parts[: which + 1] + [parts[which]] * rng.choice((1, 1, 30)) + parts[which + 1 :]
    other = rng.randrange(len(parts))
    swapped = list(parts)
    swapped[which], swapped[other] = parts[other], parts[which]
    return swapped


def _one(pattern: bytes, data: bytes, rng: Random, change: Callable[[bytes], bytes]) -> bytes:
    found = list(re.finditer(pattern, data))
    if not found:
        return set_number(data, rng)
    match = rng.choice(found)
    return data[: match.start()] + change(match.group()) + data[match.end() :]
