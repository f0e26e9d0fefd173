from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

import structlog
from django.db import models
from django.db.models import F, Sum
from django.http import HttpRequest

log = structlog.get_logger("rasd.portal")

WITHIN = timedelta(minutes=15)
ALLOWED = 30
"""Wrong addresses from one network within that time. Only wrong ones are refused then: thousands share the network of a mobile
carrier, and one joker there must not keep them from their pages. A token has 132 bits, so the limit is not what keeps the pages
safe; it spares the database writes and shows that somebody is trying."""

KEPT = timedelta(days=1)
NOWHERE = "0.0.0.0"  # noqa: S104 (no address: the server was asked through a socket of this machine)


class WrongAddress(models.Model):
    """Pages asked for that there are not, from one network within one quarter of an hour: counted, as a row for each would
    let anyone fill the disk."""

    network = models.GenericIPAddressField(
        help_text="an IPv4 address, or the first of an IPv6 network of 64 bits"
    )
    since = models.DateTimeField(help_text="the quarter's beginning")
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["network", "since"], name="wrong_addresses_once_a_quarter")
        ]
        indexes = [models.Index(fields=["since"], name="wrong_address_by_time")]

    @classmethod
    def is_too_many(cls, network: str, at: datetime) -> bool:
        """Count one more; whether there were ``ALLOWED`` before it. What is over the limit is not counted: it writes nothing."""
        row, is_new = cls.objects.get_or_create(network=network, since=_quarter(at))
        if is_new:
            cls.objects.filter(since__lt=at - KEPT).delete()
            return False
        if row.count >= ALLOWED:
            return True
        cls.objects.filter(pk=row.pk).update(count=F("count") + 1)
        if row.count + 1 == ALLOWED:
            log.warning("guessing at cases' pages", network=network, within=str(WITHIN))
        return False

    @classmethod
    def lately(cls, at: datetime) -> int:
        """Over the last day."""
        return cls.objects.filter(since__gt=at - KEPT).aggregate(all=Sum("count"))["all"] or 0


def network_of(request: HttpRequest) -> str:
    """Where it was asked from, as the server saw it: behind a proxy, uvicorn puts the forwarded address there where it trusts
    the proxy. One household has a whole IPv6 network of 64 bits."""
    try:
        address = ip_address(request.META.get("REMOTE_ADDR") or NOWHERE)
    except ValueError:
        return NOWHERE
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address)


def _quarter(at: datetime) -> datetime:
    seconds = int(WITHIN.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, tz=at.tzinfo)
