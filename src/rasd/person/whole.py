"""All that the rooms know of one person: the one place that says where to look."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Model, Q, QuerySet

from rasd.api.models import KeyedCall, WebhookDelivery
from rasd.channels.erased import GONE
from rasd.channels.models import Address, Incoming, Media, OptOut, Outgoing, StatusEvent
from rasd.channels.whatsapp.senders import phone_of
from rasd.desk.models import (
    Breach,
    Case,
    CaseEntry,
    Contact,
    Conversation,
    Draft,
    HeldAnswer,
    Message,
    Obligation,
    Rating,
)
from rasd.flows.models import Handling, IdentityAttempt
from rasd.ledger.models import Entry
from rasd.metering.models import (
    Account,
    AccountContact,
    Adoption,
    Judgement,
    Photograph,
    Reading,
    Review,
    ShadowReading,
    Submission,
)

AT_ONCE = 5_000  # subjects in one question to the ledger


@dataclass(frozen=True)
class Person:
    """A contact with all that was merged into it. What a number's former owner sent is not his: conversations say whose it is."""

    contact: Contact

    @classmethod
    def found(cls, identifier: str) -> "Person | None":
        """By ``contact:17``, a number in any way of writing it, or a user id of the channel."""
        kind, _colon, rest = identifier.strip().partition(":")
        if kind == "contact" and rest.isascii() and rest.isdecimal():
            contact = Contact.objects.filter(pk=int(rest)).first()
            return cls(contact.kept) if contact else None
        name = rest if kind in {"tel", "whatsapp"} and rest else identifier.strip()
        phone = phone_of("".join(letter for letter in name if letter.isdecimal()))
        address = Address.objects.filter(Q(user_id=name) | Q(phone=phone or name)).order_by("pk").first()
        contact = Contact.objects.filter(addresses=address).first() if address else None
        return cls(contact.kept) if contact else None

    def __str__(self) -> str:
        return f"contact:{self.contact.pk}"

    @cached_property
    def contacts(self) -> list[Contact]:
        found, new = [self.contact], [self.contact]
        while new:
            new = list(Contact.objects.filter(merged_into__in=new))
            found += new
        return found

    @cached_property
    def addresses(self) -> list[Address]:
        theirs = Q(contacts__in=self.contacts) | Q(conversations__contact__in=self.contacts)
        return list(Address.objects.filter(theirs).distinct().order_by("pk"))

    @property
    def identifiers(self) -> list[str]:
        """What metering and the ledger know him by."""
        return list(dict.fromkeys(each.identifier for each in self.addresses))

    @property
    def is_gone(self) -> bool:
        """Erased before, and nothing was put together with him since."""
        return bool(self.addresses) and all(
            each.former_phone.startswith(GONE) and not each.phone and not each.user_id
            for each in self.addresses
        )

    @property
    def needles(self) -> list[str]:
        """What tells in any text that it is about him: his numbers without the plus sign, and his user ids."""
        told = [(each.phone or "").lstrip("+") for each in self.addresses]
        return sorted({each for each in (*told, *(each.user_id or "" for each in self.addresses)) if each})

    # What was said

    @property
    def conversations(self) -> QuerySet[Conversation]:
        return Conversation.objects.filter(contact__in=self.contacts)

    @property
    def messages(self) -> QuerySet[Message]:
        return Message.objects.filter(conversation__in=self.conversations)

    @property
    def incoming(self) -> QuerySet[Incoming]:
        return Incoming.objects.filter(address__in=self.addresses)

    @property
    def outgoing(self) -> QuerySet[Outgoing]:
        return Outgoing.objects.filter(address__in=self.addresses)

    @property
    def statuses(self) -> QuerySet[StatusEvent]:
        return StatusEvent.objects.filter(outgoing__in=self.outgoing)

    @property
    def media(self) -> QuerySet[Media]:
        return Media.objects.filter(incoming__in=self.incoming)

    @property
    def held_answers(self) -> QuerySet[HeldAnswer]:
        return HeldAnswer.objects.filter(conversation__in=self.conversations)

    @property
    def drafts(self) -> QuerySet[Draft]:
        return Draft.objects.filter(conversation__in=self.conversations)

    @property
    def handlings(self) -> QuerySet[Handling]:
        return Handling.objects.filter(incoming__in=self.incoming)

    # What was done

    @property
    def cases(self) -> QuerySet[Case]:
        return Case.objects.filter(Q(contact__in=self.contacts) | Q(conversation__in=self.conversations))

    @property
    def case_entries(self) -> QuerySet[CaseEntry]:
        return CaseEntry.objects.filter(case__in=self.cases)

    @property
    def ratings(self) -> QuerySet[Rating]:
        return Rating.objects.filter(case__in=self.cases)

    @property
    def obligations(self) -> QuerySet[Obligation]:
        return Obligation.objects.filter(Q(conversation__in=self.conversations) | Q(case__in=self.cases))

    @property
    def breaches(self) -> QuerySet[Breach]:
        return Breach.objects.filter(Q(conversation__in=self.conversations) | Q(case__in=self.cases))

    # What was read

    @cached_property
    def submissions(self) -> QuerySet[Submission]:
        told = [str(each) for each in self.conversations.only("pk")]
        return Submission.objects.filter(
            Q(conversation__in=told) | Q(conversation="", identifier__in=self.identifiers)
        )

    @property
    def photographs(self) -> QuerySet[Photograph]:
        return Photograph.objects.filter(submission__in=self.submissions)

    @property
    def shadow_readings(self) -> QuerySet[ShadowReading]:
        return ShadowReading.objects.filter(photograph__in=self.photographs)

    @property
    def judgements(self) -> QuerySet[Judgement]:
        return Judgement.objects.filter(submission__in=self.submissions)

    @property
    def reviews(self) -> QuerySet[Review]:
        return Review.objects.filter(submission__in=self.submissions)

    @property
    def readings(self) -> QuerySet[Reading]:
        return Reading.objects.filter(submission__in=self.submissions)

    @property
    def adoptions(self) -> QuerySet[Adoption]:
        return Adoption.objects.filter(reading__in=self.readings)

    @property
    def accounts(self) -> QuerySet[AccountContact]:
        """For whose accounts he may send readings, how that is known and since when: what he agreed to, and we hold of it."""
        return AccountContact.objects.filter(identifier__in=self.identifiers)

    @property
    def holds(self) -> QuerySet[Account]:
        """Accounts of the utility that he proved to know or that its records give him."""
        return Account.objects.filter(contacts__in=self.accounts).distinct()

    @property
    def opt_outs(self) -> QuerySet[OptOut]:
        return OptOut.objects.filter(address__in=self.addresses)

    @property
    def identity_attempts(self) -> QuerySet[IdentityAttempt]:
        return IdentityAttempt.objects.filter(identifier__in=self.identifiers)

    # What programs were told

    @property
    def webhook_deliveries(self) -> QuerySet[WebhookDelivery]:
        return WebhookDelivery.objects.filter(
            about__in=self._names("message", "conversation", "obligation", "case")
        )

    def keyed_calls(self) -> QuerySet[KeyedCall]:
        """Answers kept for a day for programs that ask again, found by what the ledger says of them."""
        calls = self.entries.filter(action__startswith="api.").values_list("facts__token", "facts__key")
        found = Q(pk=None)
        for token, key in calls:
            found |= Q(token__name=token, key=key)
        return KeyedCall.objects.filter(found)

    # Files, by their SHA-256

    def files(self) -> set[str]:
        sent = [
            self.media.values_list("sha256", flat=True),
            self.photographs.values_list("sha256", flat=True),
        ]
        found = {each for rows in sent for each in rows}
        for content in self.outgoing.exclude(content={}).values_list("content", flat=True):
            found |= {str(content.get(name) or "") for name in ("sha256", "picture")}
        return found - {"", NO_FILE}

    # What the ledger says of him

    @property
    def entries(self) -> QuerySet[Entry]:
        return Entry.objects.filter(number__in=self.entry_numbers).order_by("number")

    @cached_property
    def entry_numbers(self) -> list[int]:
        """By what an entry is about, and by who did it: he, under any of his addresses. Comments on those too."""
        by_him = Q(actor__in=[f"customer:{each}" for each in self.identifiers])
        by_him |= Q(actor__in=[f"customer:{each}" for each in self._names("case")])
        found = set(Entry.objects.filter(by_him).values_list("number", flat=True))
        found |= _about(self._subjects())
        return sorted(found | _about(iter([f"entry:{number}" for number in sorted(found)])))

    def _subjects(self) -> Iterator[str]:
        yield from (f"contact:{each.pk}" for each in self.contacts)
        yield from self._names("conversation", "obligation", "case", "message", "breach", "webhook_delivery")
        yield from self._names("submission", "adoption", "held_answer")
        yield from (f"evidence:{each}" for each in self.files())
        yield from (f"media:{pk}" for pk in self.media.values_list("pk", flat=True))
        yield from (f"outgoing:{pk}" for pk in self.outgoing.values_list("pk", flat=True))

    def _names(self, *kinds: str) -> list[str]:
        rows: dict[str, QuerySet[Any]] = {
            "conversation": self.conversations,
            "obligation": self.obligations,
            "case": self.cases,
            "message": self.messages,
            "breach": self.breaches,
            "submission": self.submissions,
            "adoption": self.adoptions,
            "held_answer": self.held_answers,
        }
        if "webhook_delivery" in kinds:
            rows["webhook_delivery"] = self.webhook_deliveries
        return [f"{kind}:{pk}" for kind in kinds for pk in rows[kind].values_list("pk", flat=True)]


NO_FILE = "0" * 64
"""Stands in the place of an erased photograph's SHA-256: no file has it."""


def _about(subjects: Iterator[str]) -> set[int]:
    wanted, found = list(subjects), set()
    for begin in range(0, len(wanted), AT_ONCE):
        rows = Entry.objects.filter(subject__in=wanted[begin : begin + AT_ONCE])
        found |= set(rows.values_list("number", flat=True))
    return found


def row(one: Model) -> dict[str, Any]:
    """Every field of it as it is stored, but for what only makes it searchable."""
    return {
        field.attname: getattr(one, field.attname)
        for field in one._meta.concrete_fields
        if field.name != "search"
    }
