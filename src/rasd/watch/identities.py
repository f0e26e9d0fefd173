"""Made-up people: a new one for each visit, drawn from the visit's seed. Nothing of them is anybody's.

Names are common first and family names, each drawn by itself: an ordinary person (G13) without being one. Where a service
insists on something real (a number that takes an SMS, an account that exists) the owner gives a test one, and the journey
says ``{secret.NAME}``.
"""

import os
import random
from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["ar", "en"]

# Arabic, and as it is written in Latin letters.
MEN = [
    ("أحمد", "Ahmed"), ("محمد", "Mohammed"), ("سالم", "Salim"), ("خالد", "Khalid"), ("سعيد", "Said"),
    ("علي", "Ali"), ("ناصر", "Nasser"), ("يوسف", "Yousuf"), ("حمد", "Hamad"), ("ماجد", "Majid"),
]  # fmt: skip
WOMEN = [
    ("فاطمة", "Fatma"), ("مريم", "Maryam"), ("عائشة", "Aisha"), ("زينب", "Zainab"), ("سلمى", "Salma"),
    ("نورة", "Noura"), ("هدى", "Huda"), ("أمل", "Amal"), ("ليلى", "Laila"), ("شيخة", "Shaikha"),
]  # fmt: skip
FAMILIES = [
    ("الحارثي", "Al Harthy"), ("البلوشي", "Al Balushi"), ("الرواحي", "Al Rawahi"), ("السيابي", "Al Siyabi"),
    ("المعمري", "Al Maamari"), ("الهنائي", "Al Hinai"), ("الكندي", "Al Kindi"), ("العامري", "Al Amri"),
    ("الغافري", "Al Ghafri"), ("الشكيلي", "Al Shukaili"),
]  # fmt: skip
SENTENCES: dict[Language, list[str]] = {
    "ar": [
        "السلام عليكم، أرجو مساعدتي في هذا الموضوع",
        "لو سمحتم أحتاج مساعدة",
        "مرحبا، عندي استفسار بسيط",
        "صباح الخير، كيف أقدر أتابع طلبي؟",
    ],
    "en": [
        "Hello, I would like some help with this please",
        "Good morning, I have a small question",
        "Hi, how can I follow up on my request?",
        "Could you help me with this, please?",
    ],
}
"""What anybody writes who has nothing particular to say."""

NOBODYS_OMANI = "+96873"
"""Eight digits from 73: no operator in Oman has them. Oman names no numbers for fiction, and the plan's mobile numbers in use
begin with 71, 72, 76 to 79 and 90 to 99 (libphonenumber's metadata of Oman, ``(?:7[126-9]|9[1-9])\\d{6}``, read in 2026). A form
that knows the plan refuses it, as it should: there the owner gives a number."""
NOBODYS_BRITISH = "+447700900"
"""Three more digits: kept free for drama by the regulator (Ofcom, "Telephone numbers for drama purposes")."""

SECRET = "RASD_WATCH_SECRET_"  # noqa: S105


def somebody(
    seed: str, language: Language = "ar", zone: str = "Asia/Muscat", mailbox: str = ""
) -> dict[str, str]:
    """``first``, ``last``, ``name``, ``sentence`` in ``language``, and with ``_ar`` or ``_en`` in each; ``email``, ``phone``,
    ``account``. The same seed gives the same person.

    ``mailbox``: an address that the watch reads: each visit has a box of its own in it, ``mailbox+token@…`` (RFC 5233).
    Without it the address is one that no mail ever reaches (example.org, RFC 2606).
    """
    chance = random.Random(f"identity {seed}")  # noqa: S311 - nobody gains by foretelling a made-up name
    first, last = chance.choice(MEN + WOMEN), chance.choice(FAMILIES)
    words = dict(zip(get_args(Language), zip(first, last, strict=True), strict=True))
    person = {"token": f"{chance.getrandbits(40):010x}"}
    for tongue, (given, family) in words.items():
        person |= {
            f"first_{tongue}": given,
            f"last_{tongue}": family,
            f"name_{tongue}": f"{given} {family}",
            f"sentence_{tongue}": chance.choice(SENTENCES[tongue]),
        }
    person |= {each: person[f"{each}_{language}"] for each in ("first", "last", "name", "sentence")}
    return person | {
        "email": _email(person, mailbox),
        "phone": _phone(zone, chance),
        "account": f"000{chance.randrange(10**6):06d}",
    }


def _email(person: Mapping[str, str], mailbox: str) -> str:
    if mailbox:
        box, _, domain = mailbox.rpartition("@")
        return f"{box}+{person['token']}@{domain}"
    names = f"{person['first_en']}.{person['last_en']}".lower().replace(" ", "")
    return f"{names}.{person['token']}@example.org"


def _phone(zone: str, chance: random.Random) -> str:
    if zone == "Asia/Muscat":
        return f"{NOBODYS_OMANI}{chance.randrange(10**6):06d}"
    return f"{NOBODYS_BRITISH}{chance.randrange(10**3):03d}"


def secrets(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``RASD_WATCH_SECRET_PIN`` is ``{secret.pin}`` in a journey and in ``watch.yaml``. Empty ones are none."""
    return {
        name.removeprefix(SECRET).lower(): value
        for name, value in environment.items()
        if name.startswith(SECRET) and value
    }
