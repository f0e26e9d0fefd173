"""Who is writing? An account is proved by its number and its holder's name, in a way that tells a stranger nothing.

The name is asked for whether or not the account exists, every failure is answered with the same words, and tries are
few: by the one who tries and, as names could be guessed from many phones, by the account that is tried.
"""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from rasd.channels.models import Address
from rasd.flows.models import IdentityAttempt
from rasd.language import names_match
from rasd.ledger.models import record
from rasd.metering.models import Account, AccountContact, ServicePoint

TRIES_OF_ONE = 5
TRIES_AT_AN_ACCOUNT = 10
FORGOTTEN_AFTER = timedelta(hours=24)


def points_of(address: Address) -> QuerySet[ServicePoint]:
    """Whose readings this address may send. A number that came to a new person brings nothing of the one who had it."""
    return ServicePoint.of(address.identifier, known_since=address.phone_moved_at)


def tries_left(identifier: str, at: datetime) -> int:
    recent = IdentityAttempt.objects.filter(
        identifier=identifier, succeeded=False, at__gt=at - FORGOTTEN_AFTER
    )
    return max(0, TRIES_OF_ONE - recent.count())


def prove(*, identifier: str, account_number: str, name: str, at: datetime) -> Account | None:
    """The account, now linked with ``identifier``; None where number and name do not belong together, or tries are used up."""
    account = Account.objects.filter(number__iexact=account_number.strip()).first()
    tried = IdentityAttempt.objects.filter(
        account_number=account_number, succeeded=False, at__gt=at - FORGOTTEN_AFTER
    ).count()
    proved = (
        account is not None
        and tries_left(identifier, at) > 0
        and tried < TRIES_AT_AN_ACCOUNT
        and names_match(name, account.holder_name)
    )
    IdentityAttempt.objects.create(
        identifier=identifier, at=at, account_number=account_number, succeeded=proved
    )
    if not proved or account is None:
        return None
    AccountContact.objects.update_or_create(
        account=account, identifier=identifier, defaults={"known": AccountContact.Known.NAME, "since": at}
    )
    record(
        f"customer:{identifier}",
        "account.linked",
        f"account:{account.number}",
        at=at,
        why="number and name given",
    )
    return account
