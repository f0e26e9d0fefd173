"""What he typed of himself is replaced: by the made-up person of each visit, or by a secret that the operator keeps. Pure.

Told by what the page says of the field first (``type``, ``autocomplete``: HTML, "Autofill detail tokens"), then by its label.
"""

import re

from rasd.watch.players.normal import normal
from rasd.watch.recorder.deeds import Deed, Field, Kind

SOMEONE = {
    "email": "email", "tel": "phone", "tel-national": "phone", "name": "name", "given-name": "first", "family-name": "last",
}  # fmt: skip
SECRET = {
    "current-password": "password", "new-password": "password", "username": "username", "cc-number": "card",
    "cc-csc": "card_code", "cc-exp": "card_expiry", "cc-exp-month": "card_month", "cc-exp-year": "card_year",
    "cc-name": "card_name",
}  # fmt: skip
LABELS = [
    (r"user ?name|login|اسم (ال)?(مستخدم|دخول)", "{secret.username}"),
    (r"civil|national (id|number)|\bid (card|number)|passport|الرقم (المدني|الوطني)|(ال)?(بطاقه|جواز)", "{secret.civil_number}"),
    (r"account (no|number)|رقم الحساب", "{secret.account}"),
    (r"\biban\b|ايبان", "{secret.iban}"),
    (r"e-?mail|البريد|ايميل", "{someone.email}"),
    (r"phone|mobile|gsm|whats ?app|هاتف|جوال|نقال|موبايل|واتس", "{someone.phone}"),
    (r"(first|given) name|forename|الاسم الاول", "{someone.first}"),
    (r"(last|family) name|surname|(اسم )?(العايله|القبيله|الاسم الاخير)", "{someone.last}"),
    (r"^(your |full |the )?name$|^(ال)?اسم( ?(الكامل|الثلاثي|ك|كم))?$|^contact name$", "{someone.name}"),
]  # fmt: skip
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
ONE_TIME = "{code}"


def template(value: str, field: Field, label: str = "") -> str:
    """What the journey writes instead of ``value``; the value itself where it is nothing of his own."""
    if not value:
        return value
    tokens = field.meaning.split()
    if field.type == "password" and not {"one-time-code"} & set(tokens):
        return "{secret.password}" if not _slug(label) else f"{{secret.{_slug(label)}}}"
    for token in reversed(tokens):
        if token == "one-time-code":  # noqa: S105
            return ONE_TIME
        if token in SECRET:
            return f"{{secret.{SECRET[token]}}}"
        if token in SOMEONE:
            return f"{{someone.{SOMEONE[token]}}}"
    if field.type in {"email", "tel"}:
        return f"{{someone.{SOMEONE[field.type]}}}"
    called = [each for each in (normal(label), normal(field.label)) if each]
    for pattern, instead in LABELS:
        if any(re.search(pattern, each) for each in called) and _fits(instead, value):
            return instead
    return "{someone.email}" if EMAIL.fullmatch(value.strip()) else value


def _fits(instead: str, value: str) -> bool:
    """A field beside which "phone" stands may ask for something else about it: a phone number has digits."""
    digits = sum(each.isdecimal() for each in value)
    if instead == "{someone.phone}":
        return digits >= 6
    if instead == "{someone.email}":
        return EMAIL.fullmatch(value.strip()) is not None
    return digits > 0 if instead in {"{secret.account}", "{secret.civil_number}", "{secret.iban}"} else True


def _slug(label: str) -> str:
    """A secret's name of its label: ``pin`` of "PIN *"; empty where it has no Latin letters."""
    return re.sub(r"\W+", "_", normal(label), flags=re.ASCII).strip("_")[:30] if label.isascii() else ""


def is_secret(instead: str) -> bool:
    return instead.startswith("{secret.")


def personal(deeds: list[Deed]) -> dict[str, str]:
    """What he typed of himself, and what stands for it. A value of one or two letters stands everywhere, and is none."""
    return {
        deed.value: instead
        for deed in deeds
        if deed.kind is Kind.TYPED and (instead := of(deed)) != deed.value and len(deed.value) > 2
    }


def of(deed: Deed) -> str:
    return template(deed.value, deed.field, deed.thing.name if deed.thing else deed.field.label)
