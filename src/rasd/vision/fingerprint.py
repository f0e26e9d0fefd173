"""Is it the same photograph? A fingerprint that finds the few that may be, and a comparison of the pictures that decides.

The fingerprint is a perceptual hash: the signs of a picture's lowest cosine frequencies (Zauner 2010, "pHash"). Sent again,
recompressed, made smaller or cut a little, a photograph keeps most of them. It is cut into bands so that a database finds
neighbours by equal keys (multi-index hashing: Norouzi, Punjani, Fleet, CVPR 2012): two fingerprints that differ in at
most `SURE_WITHIN` bits agree in at least one band but for one bit, and are always found.

A hash alone cannot tell: a camera on a tripod takes fingerprints of different months that lie nearer to each other
than those of a photograph and its cut copy. So the pictures themselves are laid over each other, and the place where they
agree least decides: there, two photographs of one meter have other digits, other shadows, another angle. The figures are
measured by `bench/fingerprint.py` and told in docs/decisions/0009-identity.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from rasd.vision.photograph import Picture

BANDS, BITS = 12, 20
"""240 bits, lowest frequencies first. 20 bits a band: among a million photographs one key has one neighbour by chance."""

SURE_WITHIN = 2 * BANDS - 1
"""Bits: so near, a pair is always found (one of twelve bands has at most one of 23 differences)."""

NEAR = 52
"""Bits of 240 that may differ for the pictures to be looked at. Two unlike photographs differ in 120, give or take 9."""

THUMBNAIL = 64  # pixels a side, from which the frequencies are taken
FLAT = 4.0  # grey levels: below this standard deviation a picture shows nothing, and has no fingerprint

SAME = 0.93
"""Least agreement of two pictures where they agree least. Of 435 pairs by a camera on a tripod the most alike has 0.90."""

LONGEST = 480  # pixels of the pictures when laid over each other
BLOCK = 24  # pixels: a digit of a counter that fills a quarter of the picture's width
LEAST_AGREEING = 0.005  # quantile taken as "where they agree least": one digit's share of a picture's detail
TEXTURE = 100.0  # grey levels squared: what is flatter agrees with anything
SATURATED = (6, 249)  # grey levels outside of which a brightened or darkened copy holds nothing to compare
BORDER = 0.05  # of the longest side: what was cut away has nothing to be laid over
LEAST_TEXTURE = 0.02  # of the picture

Fingerprint = tuple[int, ...]
"""`BANDS` keys; each holds its band's number above its `BITS` bits, so that keys of different bands never meet."""


def fingerprint(picture: Picture) -> Fingerprint | None:
    """The fingerprint of an upright RGB picture; None where it shows nothing (a lens cap, a white wall)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.std() < FLAT:
        return None
    positive = cv2.dct(small)[_lowest()] > 0
    weights = 1 << np.arange(BITS)
    bands = positive.reshape(BANDS, BITS) @ weights
    return tuple(int(value) | band << BITS for band, value in enumerate(bands))


def _lowest() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the 240 lowest frequencies, the lowest first, without the mean."""
    down, across = np.mgrid[:THUMBNAIL, :THUMBNAIL]
    order = np.argsort((down**2 + across**2).ravel(), kind="stable")[1 : BANDS * BITS + 1]
    return np.unravel_index(order, (THUMBNAIL, THUMBNAIL))  # type: ignore[return-value]


def keys(of: Sequence[int]) -> Iterator[int]:
    """What to look up to find every fingerprint that has a band in common with `of`, but for one bit: 252 keys."""
    for key in of:
        yield key
        for bit in range(BITS):
            yield key ^ 1 << bit


def distance(one: Sequence[int], other: Sequence[int]) -> int:
    """Bits that differ, 0 to 240. Raises ValueError where one is not of `BANDS` keys."""
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))


def is_same(one: Picture, other: Picture) -> bool:
    """Whether both are the same photograph, whatever it went through on the way. About 0.05 s on one core."""
    return likeness(one, other) >= SAME


def likeness(one: Picture, other: Picture) -> float:
    """How well two pictures agree where they agree least, -1 to 1; 0 where they cannot be laid over each other.

    `other` is laid over `one` by an affine map (ECC: Evangelidis, Psarakis, PAMI 2008, which does not mind brightness),
    then compared block by block by normalised correlation.
    """
    first, second = _reduced(one), _reduced(other)
    height, width = first.shape
    warp = np.array([[second.shape[1] / width, 0, 0], [0, second.shape[0] / height, 0]], np.float32)
    try:
        for blur, steps in ((15, 40), (5, 60)):
            criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, steps, 1e-5)
            _, found = cv2.findTransformECC(first, second, warp, cv2.MOTION_AFFINE, criteria, None, blur)  # type: ignore[call-overload]
            warp = np.asarray(found, np.float32)
    except cv2.error:  # the correlation does not rise: they have nothing in common
        return 0.0
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = np.asarray(cv2.warpAffine(second, warp, (width, height), flags=how), np.float32)
    agreement, textured = _agreement(first, laid)
    edge = round(BORDER * max(height, width)) + BLOCK // 2
    inside = np.s_[edge : height - edge, edge : width - edge]
    compared = agreement[inside][textured[inside]]
    if compared.size < LEAST_TEXTURE * height * width:
        return 0.0
    return float(np.quantile(compared, LEAST_AGREEING))


def _reduced(picture: Picture) -> npt.NDArray[np.float32]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    scale = LONGEST / max(grey.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how), np.float32)


def _agreement(
    one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Normalised correlation of the block round each pixel, and where there is enough detail for it to mean something."""

    def mean(values: npt.NDArray) -> npt.NDArray:
        return np.asarray(cv2.boxFilter(values.astype(np.float32), -1, (BLOCK, BLOCK)))

    low, high = SATURATED
    lost = mean((one < low) | (one > high) | (other < low) | (other > high)) > 0.02
    one, other = (np.asarray(cv2.GaussianBlur(each, (0, 0), 1.0), np.float32) for each in (one, other))
    mean_one, mean_other = mean(one), mean(other)
    spread_one, spread_other = mean(one * one) - mean_one**2, mean(other * other) - mean_other**2
    shared = mean(one * other) - mean_one * mean_other
    agreement = shared / np.sqrt(np.maximum(spread_one, 1) * np.maximum(spread_other, 1))
    return agreement, (np.maximum(spread_one, spread_other) > TEXTURE) & ~lost
