"""All lines of text in a picture, with PP-OCRv6 through ONNX Runtime.

RapidOCR's own pipeline returns strings; we also need the probabilities of the digits at each step, so its
networks and its box finder are used directly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from rapidocr.ch_ppocr_det.utils import DBPostProcess

from rasd.vision import models
from rasd.vision.photograph import Picture
from rasd.vision.quad import Quad, cut_out

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
DETECT_SIDE = 960
"""Pixels of the longer side given to the detector: 0.15 s on one core; counters of 20 px are still found."""

LINE_HEIGHT = 48
"""Pixels: the recogniser's input height."""

MAX_LINES = 24
"""The largest ones are read; a meter's face has 10 to 20, a page of text is no meter."""

FIRST_DIGIT = 33
"""Index of "0" in the recogniser's output: its alphabet holds it at 32, after the blank at 0."""


@dataclass(frozen=True)
class Line:
    """A line of text: where, what, and how sure (mean probability of its characters)."""

    quad: Quad
    text: str
    score: float
    detection: float

    @property
    def digits(self) -> str:
        return "".join(letter for letter in self.text if letter in "0123456789")


def find_lines(picture: Picture) -> list[tuple[Quad, float]]:
    """Quadrilaterals round text and how sure the detector is of each (0 to 1), largest first."""
    height, width = picture.shape[:2]
    scale = min(1.0, DETECT_SIDE / max(height, width))
    size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
    small = cv2.resize(picture[:, :, ::-1], size, interpolation=cv2.INTER_AREA)
    tensor = ((small.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
    session = models.ocr(DETECTOR)
    (heat,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(tensor)})
    boxes, scores = _boxes()(heat, (height, width))
    found = [(np.asarray(box, np.float32), float(score)) for box, score in zip(boxes, scores, strict=True)]
    return sorted(found, key=lambda pair: -cv2.contourArea(pair[0]))


@cache
def _boxes() -> DBPostProcess:
    return DBPostProcess(thresh=0.3, box_thresh=0.5, max_candidates=200, unclip_ratio=1.6, use_dilation=True)


def recognise(picture: Picture, found: list[tuple[Quad, float]]) -> list[Line]:
    """The text of each of the `MAX_LINES` first quadrilaterals."""
    alphabet = _alphabet()
    lines = []
    for quad, detection in found[:MAX_LINES]:
        steps = line_probabilities(picture, quad)
        best = steps.argmax(axis=1)
        keep = (best != 0) & np.r_[True, best[1:] != best[:-1]]
        if keep.any():
            text = "".join(alphabet[index] for index in best[keep])
            lines.append(Line(quad, text, float(steps.max(axis=1)[keep].mean()), detection))
    return lines


def line_probabilities(picture: Picture, quad: Quad) -> npt.NDArray[np.float32]:
    """T x (1 + alphabet): what the recogniser sees at each step of the line, blank first."""
    strip = cut_out(picture, quad, LINE_HEIGHT)
    tensor = ((strip[:, :, ::-1].astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
    session = models.ocr(RECOGNISER)
    (steps,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(tensor)})
    return np.asarray(steps[0], np.float32)


@cache
def _alphabet() -> list[str]:
    held = models.ocr(RECOGNISER).get_modelmeta().custom_metadata_map["character"]
    return ["", *held.splitlines(), " "]
