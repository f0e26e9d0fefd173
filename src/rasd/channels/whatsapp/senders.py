"""Who wrote. WhatsApp tells a number, a user id, or both; numbers move between people, user ids are made anew.

The user id is the person. A number goes to whoever shows it in the newest message; the one who had it before keeps his
own history under his user id or as "formerly +968…", and nothing of his goes to the new owner. Meta delivers in any order, so
nothing changes an identity that a newer message has told.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from rasd.channels.models import Address, Channel
from rasd.channels.whatsapp.payload import Contact, Message, System

PHONE_DIGITS = range(5, 16)  # E.164: 15 at most
USER_ID_LENGTH = 150


@dataclass(frozen=True)
class Sender:
    """``phone`` in E.164 with +, or ""; ``user_id`` or ""."""

    phone: str
    user_id: str
    name: str = ""

    @property
    def is_known(self) -> bool:
        return bool(self.phone or self.user_id)


def phone_of(digits: str) -> str:
    """``96891234567`` → ``+96891234567``; "" where it is no number."""
    digits = digits.removeprefix("+")
    return f"+{digits}" if digits.isascii() and digits.isdigit() and len(digits) in PHONE_DIGITS else ""


def sender_of(message: Message, contacts: list[Contact]) -> Sender:
    """The sender as the message and the contact that belongs to it tell him; another's contact is not used."""
    phone, user_id = phone_of(message.from_), message.from_user_id
    if message.from_ and not phone:
        user_id = user_id or message.from_
    mine = next(
        (
            c
            for c in contacts
            if (phone and phone_of(c.wa_id) == phone) or (user_id and user_id in (c.user_id, c.wa_id))
        ),
        None,
    )
    if mine is None and not message.from_ and not user_id and len(contacts) == 1:
        mine = contacts[0]
    if mine is None:
        return Sender(phone, user_id[:USER_ID_LENGTH])
    return Sender(
        phone or phone_of(mine.wa_id),
        (user_id or mine.user_id)[:USER_ID_LENGTH],
        mine.profile.name[:200],
    )


def recognise(sender: Sender, at: datetime) -> Address:
    """The address of ``sender``, locked, made or brought up to date by what a message sent ``at`` tells.

    Call it in a transaction, and save ``identified_at`` of what comes back.
    """
    for _ in range(3):
        try:
            with transaction.atomic():
                return _recognise(sender, at)
        except IntegrityError:  # another worker met the same person at the same moment: now the row is there
            continue
    return _recognise(sender, at)


def _recognise(sender: Sender, at: datetime) -> Address:
    # In the order of their keys, so that two workers never wait for each other; "" is nobody's number or id.
    found = list(_locked().filter(Q(user_id=sender.user_id) | Q(phone=sender.phone)).order_by("pk"))
    person = next((a for a in found if a.user_id and a.user_id == sender.user_id), None)
    holder = next((a for a in found if a.phone and a.phone == sender.phone), None)
    if person is None and holder is not None and holder.user_id in (None, sender.user_id or None):
        person = holder  # met before by the number alone
    elif person is None and holder is not None and not sender.user_id:
        person = _holder_at(holder, at)
    if person is None:
        return _first_met(sender, holder, at)
    known = (person.profile_name, person.user_id, person.phone)
    if sender.name:
        person.profile_name = sender.name
    if _is_news(person, sender, at):
        if sender.user_id and person.user_id is None:
            person.user_id = sender.user_id
        if sender.phone and person.phone != sender.phone:
            _move_number(sender.phone, holder, person, at)
        person.identified_at = at
    if (person.profile_name, person.user_id, person.phone) != known:
        person.save()
    return person


def _is_news(person: Address, sender: Sender, at: datetime) -> bool:
    """Times are whole seconds: within one, nobody goes back to the number that he has left."""
    if person.identified_at is None or at > person.identified_at:
        return True
    return at == person.identified_at and sender.phone != person.former_phone


def _by_user_id(user_id: str) -> Address | None:
    if not user_id:
        return None
    return _locked().filter(user_id=user_id).first()


def _by_phone(phone: str) -> Address | None:
    return _locked().filter(phone=phone).first() if phone else None


def _locked() -> QuerySet[Address]:
    # no_key: rows that point at the address may be written meanwhile
    return Address.objects.select_for_update(no_key=True).filter(channel=Channel.WHATSAPP)


def _holder_at(holder: Address, at: datetime) -> Address:
    """Who had ``holder``'s number when a message that shows nothing but the number was sent."""
    if holder.phone_moved_at is None or at >= holder.phone_moved_at:
        return holder
    former = _locked().filter(former_phone=holder.phone).order_by("-identified_at").first()
    return former or holder


def _first_met(sender: Sender, holder: Address | None, at: datetime) -> Address:
    person = Address(
        channel=Channel.WHATSAPP,
        user_id=sender.user_id or None,
        profile_name=sender.name,
        identified_at=at,
    )
    if sender.phone:
        _move_number(sender.phone, holder, person, at)
    person.save()
    return person


def _move_number(phone: str, holder: Address | None, person: Address, at: datetime) -> None:
    """Give ``phone`` to ``person``, unless ``holder`` showed it in a newer message."""
    if holder is not None and holder.pk != person.pk:
        if holder.identified_at is not None and holder.identified_at > at:
            person.former_phone = phone
            return
        _give_up_number(holder)
    had_another = _locked().filter(former_phone=phone).exclude(pk=person.pk).exists()
    if person.phone:
        person.former_phone = person.phone
    person.phone = phone
    person.phone_moved_at = at if had_another else None


def _give_up_number(address: Address) -> None:
    address.former_phone, address.phone, address.phone_moved_at = address.phone or "", None, None
    address.save()


def changed(address: Address, system: System, at: datetime) -> None:
    """A system message tells that ``address`` has another number or another user id since ``at``."""
    new_phone = phone_of(system.wa_id or system.new_wa_id)
    if "number" in system.type and new_phone and new_phone != address.phone:
        holder = _by_phone(new_phone)
        if holder is not None and holder.identified_at is not None and holder.identified_at >= at:
            # He wrote from the new number before this reached us and has an address of his own by now.
            if address.phone:
                _give_up_number(address)
            return
        _move_number(new_phone, holder, address, at)
        address.identified_at = at
        address.save()
    if system.user_id and "user_id" in system.type and system.user_id != address.user_id:
        known = _by_user_id(system.user_id)
        if known is None:
            address.user_id = system.user_id[:USER_ID_LENGTH]
            address.save()
        elif known.phone and known.phone in (address.phone, address.former_phone):
            known.phone_moved_at = None  # the same person: the number never was another's
            known.save()
