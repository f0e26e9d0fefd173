"""How well the eye reads labelled photographs, beside RapidOCR and Tesseract: ``rasd bench vision`` (docs/eye.md)."""
