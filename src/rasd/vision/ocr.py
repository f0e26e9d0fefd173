"""All lines of text in a picture, with PP-OCRv6 through ONNX Runtime.

RapidOCR's own pipeline reads every line at once; who looks for one number stops where it is found, so its networks and
its box finder are used directly.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
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


def find_lines(picture: Picture) -> list[Quad]:
    """Quadrilaterals round text, largest first."""
    height, width = picture.shape[:2]
    scale = min(1.0, DETECT_SIDE / max(height, width))
    size = (max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32))
    small = cv2.resize(picture[:, :, ::-1], size, interpolation=cv2.INTER_AREA)
    tensor = ((small.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
    session = models.ocr(DETECTOR)
    (heat,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(tensor)})
    boxes, _ = _boxes()(heat, (height, width))
    return sorted((np.asarray(box, np.float32) for box in boxes), key=lambda quad: -cv2.contourArea(quad))


@cache
def _boxes() -> DBPostProcess:
    return DBPostProcess(thresh=0.3, box_thresh=0.5, max_candidates=200, unclip_ratio=1.6, use_dilation=True)


def text_of(picture: Picture, quad: Quad) -> str:
    """The line of text inside a quadrilateral; empty where none is made out."""
    alphabet = _alphabet()
    strip = cut_out(picture, quad, LINE_HEIGHT)
    tensor = ((strip[:, :, ::-1].astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
    session = models.ocr(RECOGNISER)
    (steps,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(tensor)})
    best = np.asarray(steps[0], np.float32).argmax(axis=1)  # of 1 + alphabet, blank first
    return "".join(alphabet[index] for index in best[(best != 0) & np.r_[True, best[1:] != best[:-1]]])


@cache
def _alphabet() -> list[str]:
    held = models.ocr(RECOGNISER).get_modelmeta().custom_metadata_map["character"]
    return ["", *held.splitlines(), " "]
