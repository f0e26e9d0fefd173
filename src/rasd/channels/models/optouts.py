from datetime import datetime

from django.db import models, transaction
from django.db.models import Q

from rasd.channels.models.incoming import Incoming
from rasd.channels.models.lines import Address
from rasd.ledger.models import record


class OptOut(models.Model):
    """Somebody wants no message that he did not ask for: no reminders, no questions. What answers him comes as before.

    Begun and ended by his own words; of one address, as another of the same person is another device, or another's ear.
    """

    address = models.ForeignKey(Address, models.CASCADE, related_name="opt_outs")
    at = models.DateTimeField(help_text="by the sender's clock")
    words = models.CharField(max_length=300, help_text="his own, or the channel's where he told it")
    incoming = models.ForeignKey(Incoming, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, help_text="when he wanted them again")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["address"], condition=Q(ended_at__isnull=True), name="one_opt_out_stands"
            )
        ]

    def __str__(self) -> str:
        return f"opt_out:{self.pk}"

    @classmethod
    def stands_for(cls, address: Address) -> bool:
        return cls.objects.filter(address=address, ended_at=None).exists()

    @classmethod
    def begin(cls, address: Address, words: str, *, at: datetime, incoming: Incoming | None = None) -> bool:
        """From ``at`` on. False where it stood already, and nothing is recorded."""
        with transaction.atomic():
            _one, is_new = cls.objects.get_or_create(
                address=address,
                ended_at=None,
                defaults={"at": at, "words": words[:300], "incoming": incoming},
            )
            if is_new:
                record(_who(address), "messages.stopped", f"address:{address.pk}", at=at, why=words[:300])
        return is_new

    @classmethod
    def end(cls, address: Address, words: str, *, at: datetime) -> bool:
        """He wants them again. False where nothing stood, and nothing is recorded."""
        with transaction.atomic():
            ended = cls.objects.filter(address=address, ended_at=None).update(ended_at=at)
            if ended:
                record(_who(address), "messages.wanted", f"address:{address.pk}", at=at, why=words[:300])
        return bool(ended)


def _who(address: Address) -> str:
    return f"customer:{address.identifier}"
