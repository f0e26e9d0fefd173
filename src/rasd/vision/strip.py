"""Read one counter: the picture and where the counter is → what it may show."""

from __future__ import annotations

import numpy as np

from rasd.vision import ctc, ocr
from rasd.vision.ocr import Quad
from rasd.vision.photograph import Picture


def read(picture: Picture, quad: Quad) -> ctc.Read:
    """What the counter inside `quad` (pixels of the picture, its top left corner first) shows."""
    steps = ocr.line_probabilities(picture, quad)
    classes = np.zeros((len(steps), ctc.CLASSES), np.float32)
    classes[:, 1:11] = steps[:, ocr.FIRST_DIGIT : ocr.FIRST_DIGIT + 10]
    classes[:, 0] = 1 - classes[:, 1:11].sum(axis=1)
    return ctc.read(np.clip(classes, 0, 1))
