from django.conf import settings
from django.db import models
from django.utils import timezone

from rasd.channels.models import Address


class Contact(models.Model):
    """A person, however many addresses they write from."""

    name = models.CharField(max_length=200, blank=True)
    addresses = models.ManyToManyField(Address, through="ContactAddress", related_name="contacts")
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="merged")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of(cls, address: Address) -> "Contact":
        """Whose address it is; a new contact for an address that nobody had yet. The caller holds the address's lock."""
        known = ContactAddress.objects.filter(address=address).select_related("contact").first()
        if known:
            return known.contact
        contact = cls.objects.create(name=address.profile_name)
        ContactAddress.objects.create(contact=contact, address=address)
        return contact


class ContactAddress(models.Model):
    contact = models.ForeignKey(Contact, models.CASCADE)
    address = models.OneToOneField(Address, models.CASCADE)
    since = models.DateTimeField(default=timezone.now)


class Merge(models.Model):
    """Two contacts were found to be one person; kept, so that it can be undone exactly."""

    kept = models.ForeignKey(Contact, models.PROTECT, related_name="merges")
    gone = models.ForeignKey(Contact, models.PROTECT, related_name="+")
    moved = models.JSONField(
        help_text='what went over: {"addresses": [ids], "conversations": [ids], "cases": [ids]}'
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
