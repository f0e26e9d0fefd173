"""Text to language, dialect, intent, numbers and the wish for a human. Pure: no Django, no database, no network."""

from rasd.language.figures import NumberFound
from rasd.language.human import wants_human
from rasd.language.names import fold_name, names_match
from rasd.language.text import normalise_arabic
from rasd.language.understanding import Understanding, understand

__all__ = [
    "NumberFound",
    "Understanding",
    "fold_name",
    "names_match",
    "normalise_arabic",
    "understand",
    "wants_human",
]
