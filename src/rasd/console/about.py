"""The customer of a conversation, for the panel beside it: who they are, what else they wrote, what is owed to them."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from rasd.channels.models import Address, Channel, lines_of
from rasd.desk.models import Case, Contact, ContactAddress, Conversation, Merge, Obligation
from rasd.desk.sight import seen
from rasd.metering.models import ServicePoint

SHOWN = 5  # of each list
LEAST_OF_A_NAME = 4  # letters: shorter ones are shared by too many


@dataclass(frozen=True)
class About:
    """Each list holds the newest :data:`SHOWN` at most."""

    contact: Contact
    addresses: list[Address]
    owed: list[Obligation]
    conversations: list[Conversation]
    cases: list[Case]
    service_points: list[ServicePoint]
    merges: list[Merge]
    maybe_the_same: list[Contact]


def about(conversation: Conversation, user: User) -> About:
    """What ``user`` may see of whom ``conversation`` is with."""
    contact = conversation.contact
    others = (
        seen(contact.conversations.all(), user).exclude(pk=conversation.pk).select_related("line", "address")
    )
    # Two searches by index and not one "or", for which everything that anybody is owed would be read.
    owed = Obligation.objects.filter(
        pk__in=Obligation.objects.open()
        .filter(conversation__contact=contact)
        .order_by()
        .values("pk")
        .union(Obligation.objects.open().filter(case__contact=contact).order_by().values("pk"))
    )
    return About(
        contact=contact,
        addresses=list(addresses_seen(contact, user).order_by("pk")[: 2 * SHOWN]),
        owed=list(seen(owed, user).select_related("owner", "queue", "case").order_by("due_at")[: 2 * SHOWN]),
        conversations=list(others.order_by("-last_message_at")[:SHOWN]),
        cases=list(seen(contact.cases.all(), user).select_related("kind").order_by("-opened_at")[:SHOWN]),
        service_points=_service_points(conversation.address),
        merges=[each for each in _standing(contact) if may_see_merge(each, user)],
        maybe_the_same=maybe_the_same(contact, user),
    )


def addresses_seen(contact: Contact, user: User) -> QuerySet[Address]:
    """Those that wrote on a line which ``user`` sees; another number of the same person may be of another line only."""
    lines, addresses = lines_of(user), contact.addresses.all()
    return addresses if lines is None else addresses.filter(conversations__line__in=lines).distinct()


def _standing(contact: Contact) -> QuerySet[Merge]:
    return contact.merges.filter(undone_at=None).select_related("gone", "by").order_by("-at")


def may_see_merge(merge: Merge, user: User) -> bool:
    """Whether the one who is gone had written on a line which ``user`` sees: else he does not learn that there was one."""
    if lines_of(user) is None:
        return True
    theirs = Q(pk__in=merge.moved["conversations"]) | Q(address__contactaddress__in=merge.moved["addresses"])
    return seen(Conversation.objects.filter(theirs), user).exists()


def _service_points(address: Address) -> list[ServicePoint]:
    """What this address may send readings for: nothing that was known of a number before it changed hands."""
    known = ServicePoint.of(address.identifier, known_since=address.phone_moved_at)
    return list(known.select_related("account")[:SHOWN])


def maybe_the_same(contact: Contact, user: User) -> list[Contact]:
    """Contacts that look like the same person: the number that one has is one that the other has or had, or the same name."""
    addresses = list(contact.addresses.all())
    phones = {each for address in addresses for each in (address.phone, address.former_phone) if each}
    had = Address.objects.filter(Q(channel__in=Channel.values, phone__in=phones) | Q(former_phone__in=phones))
    # Two searches by index and not one "or", for which a million contacts would be read.
    alike = ContactAddress.objects.filter(address__in=had).values("contact")
    name = contact.name.strip()
    if len(name) >= LEAST_OF_A_NAME:
        alike = alike.union(Contact.objects.filter(name=name).values("pk")[: 10 * SHOWN])
    found = seen(Contact.objects.filter(pk__in=alike, merged_into=None), user).exclude(pk=contact.pk)
    return list(found.prefetch_related("addresses").distinct().order_by("pk")[:SHOWN])
