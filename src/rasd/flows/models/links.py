"""Who may open the page of an account's month: whoever has an address that we made for one of its contacts.

The address carries its own proof: which contact, when it was made, and 128 bits of an HMAC-SHA-256 with the installation's secret
over both and over what the contact is. Nothing is stored for it, so a million reminders cost no row. It dies with the contact,
with the person's number, by age, and when it is revoked; none of that can be seen from it, and a wrong one is answered like any
address that leads nowhere.
"""

import string
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from rasd.channels.models import Address, Channel
from rasd.ledger.models import record
from rasd.metering.models import Account, AccountContact

LASTS = timedelta(days=62)
"""An address: the month that it is about, the bill that follows it, and a fortnight to dispute that."""

SALT = "rasd.account-page"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
PROOF, CONTACT, MADE = 16, 5, 4  # bytes: of the HMAC, of the contact's key, of the seconds since EPOCH
LENGTH = 34  # of letters and digits, which 25 bytes make; no signs, at which programs cut an address in two
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


class LinkRevocation(models.Model):
    """No address that was made for this contact before ``at`` opens anything."""

    contact = models.ForeignKey(AccountContact, models.CASCADE, related_name="revocations")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["contact", "-at"], name="revocation_of_contact")]

    def __str__(self) -> str:
        return f"link_revocation:{self.pk}"

    @classmethod
    def make(cls, contact: AccountContact, *, at: datetime, actor: str, why: str = "") -> "LinkRevocation":
        record(actor, "account.links_revoked", f"account:{contact.account.number}", at=at, why=why)
        return cls.objects.create(contact=contact, at=at, actor=actor, why=why)


def token_of(contact: AccountContact, at: datetime) -> str:
    """What stands in the address of the page, made at ``at`` for ``contact``."""
    made = int((at - EPOCH).total_seconds())
    about = contact.pk.to_bytes(CONTACT) + made.to_bytes(MADE)
    number, token = int.from_bytes(about + _proof(contact, about)), ""
    while number:
        number, digit = divmod(number, len(ALPHABET))
        token = ALPHABET[digit] + token
    return token.rjust(LENGTH, "0")


def contact_of(token: str, at: datetime) -> AccountContact | None:
    """Whose address it is; None where it is nobody's, too old, revoked, or its number is another person's now."""
    if len(token) != LENGTH or not set(token) <= set(ALPHABET):
        return None
    number = 0
    for letter in token:
        number = number * len(ALPHABET) + ALPHABET.index(letter)
    try:
        whole = number.to_bytes(CONTACT + MADE + PROOF)
    except OverflowError:
        return None
    about, proof = whole[:-PROOF], whole[-PROOF:]
    made = EPOCH + timedelta(seconds=int.from_bytes(about[CONTACT:]))
    known = AccountContact.objects.select_related("account")
    contact = known.filter(pk=int.from_bytes(about[:CONTACT])).first()
    if contact is None or not constant_time_compare(_proof(contact, about), proof):
        return None
    if at > made + LASTS or contact.revocations.filter(at__gte=made).exists() or _moved_since(contact, made):
        return None
    return contact


def url_of(contact: AccountContact, at: datetime) -> str:
    """The whole address of the page; empty where that of this site is not set (``RASD_PUBLIC_URL``)."""
    if not settings.PUBLIC_URL:
        return ""
    return f"{settings.PUBLIC_URL}{reverse('account:month', args=[token_of(contact, at)])}"


def url_for(account: Account, identifier: str, at: datetime) -> str:
    """As :func:`url_of`, for whoever ``identifier`` is; empty where the account does not know him."""
    contact = account.contacts.filter(identifier=identifier).first()
    return url_of(contact, at) if contact else ""


def address_of(contact: AccountContact) -> Address | None:
    """His address on WhatsApp, if he ever wrote or was written to; None also where his number is another person's since."""
    kind, _, name = contact.identifier.partition(":")
    field = "phone" if kind == "tel" else "user_id"
    found = Address.objects.filter(channel=Channel.WHATSAPP, **{field: name}).first()
    return None if found and found.phone_moved_at and found.phone_moved_at > contact.since else found


def address_to_begin_with(identifier: str, *, known_since: datetime) -> Address | None:
    """Where somebody may be written to who perhaps never wrote: the address of a number is made. None where a user id never
    wrote, and where the number came to another person after ``known_since``."""
    kind, _, name = identifier.partition(":")
    if kind != "tel":
        return Address.objects.filter(channel=Channel.WHATSAPP, user_id=name).first()
    address, _is_new = Address.objects.get_or_create(channel=Channel.WHATSAPP, phone=name)
    moved = address.phone_moved_at
    return None if moved and moved > known_since else address


def _moved_since(contact: AccountContact, made: datetime) -> bool:
    phone = contact.identifier.removeprefix("tel:")
    moved = Address.objects.filter(channel=Channel.WHATSAPP, phone=phone).values_list(
        "phone_moved_at", flat=True
    )
    return any(at is not None and at > min(made, contact.since) for at in moved)


def _proof(contact: AccountContact, about: bytes) -> bytes:
    said = about + contact.identifier.encode() + b"\0" + contact.account.number.encode()
    return salted_hmac(SALT, said, algorithm="sha256").digest()[:PROOF]
