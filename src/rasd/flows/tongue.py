"""Which language a customer is answered in: the one that he asks for, else the one that he mostly writes in.

One message in another language changes nothing: a forwarded text, a word of thanks. Of his last three sentences two must be in
it.
"""

import re

from rasd.channels.models import Address, Incoming
from rasd.language import normalise_arabic, understand
from rasd.language.understanding import Language

LAST = 3
"""Of his last sentences, of which more than half decide."""

LOOKED_AT = 12
"""Of his last messages, among which they are looked for: most are photographs and numbers."""

SENTENCE = 2  # words, from which one can tell the language
WRITTEN = [Incoming.Kind.TEXT, Incoming.Kind.IMAGE, Incoming.Kind.EDIT]
"""Kinds in whose text a person speaks; the others carry a file's name, or what stands on a button."""

ENGLISH = r"(?:english|(?:ال|بال|لل)?[ا]?نج?[لي]{1,3}زيه?)"
ARABIC = r"(?:arabic|(?:ال|بال|لل)?عربيه?)"
ASKING = (
    r"(?:^{it}(?: please| plz| pls)?$|\b(?:in|speak|write|reply|answer|use|please|want) {it}\b|\b{it} (?:please|plz|pls)\b"
    r"|{by}|^{it} (?:لو سمحت\w*|من فضل\w*)$)"
)
NO_OTHER = r"(?:don'?t|do not|can'?t|cannot|no|not|ما|لا|مو|مب)(?: \w+){{0,2}} {it}\b"
"""Who does not understand the one wants the other."""

_WISHES: dict[Language, re.Pattern[str]] = {
    "en": re.compile(ASKING.format(it=ENGLISH, by=r"\bبالا?نج?[لي]{1,3}زيه?\b"), re.IGNORECASE),
    "ar": re.compile(ASKING.format(it=ARABIC, by=r"\bبالعربيه?\b"), re.IGNORECASE),
}
_REFUSALS: dict[Language, re.Pattern[str]] = {
    "ar": re.compile(NO_OTHER.format(it=ENGLISH), re.IGNORECASE),
    "en": re.compile(NO_OTHER.format(it=ARABIC), re.IGNORECASE),
}


def asked_for(text: str) -> Language | None:
    """The language in which he says that he wants to be answered; None where he says nothing of it."""
    plain = " ".join(normalise_arabic(text).lower().strip(" .!?؟،,").split())
    for patterns in (_REFUSALS, _WISHES):
        found = [language for language, pattern in patterns.items() if pattern.search(plain)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def told_by(incoming: Incoming, *, spoken: str = "") -> Language | None:
    """The language that is to be spoken after this message; None: as before, which is in ``spoken``."""
    if incoming.kind not in WRITTEN:
        return None
    if wished := asked_for(incoming.text):
        return wished
    language = understand(incoming.text).language
    if language == spoken:
        return None  # whatever he wrote in before
    earlier = _spoken(incoming.address, before=incoming)
    if not earlier:
        return language
    if language is None or not _is_sentence(incoming.text):
        return None
    last = [language, *earlier][:LAST]
    return language if last.count(language) * 2 > len(last) else None


def _spoken(address: Address, *, before: Incoming) -> list[Language]:
    """The languages of his last sentences, the newest first."""
    earlier = address.incoming_set.filter(kind__in=WRITTEN, pk__lt=before.pk).exclude(text="").order_by("-pk")
    texts = earlier.values_list("text", flat=True)[:LOOKED_AT]
    told = (understand(text).language for text in texts if _is_sentence(text))
    return [language for language in told if language][: LAST - 1]


def _is_sentence(text: str) -> bool:
    return sum(any(map(str.isalpha, word)) for word in text.split()) >= SENTENCE
