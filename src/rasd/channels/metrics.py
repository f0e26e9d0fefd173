"""What /metrics tells of the doors."""

from django.db.models import Sum

from rasd.channels.models import Delivery, Incoming, Media, Outgoing, Refusal


def counts() -> dict[str, int]:
    """Numbers by name, of now."""
    unfinished = Outgoing.objects.filter(accepted_at=None, failed_at=None)
    return {
        "incoming_messages": Incoming.objects.count(),
        "outgoing_messages": Outgoing.objects.count(),
        "deliveries_unsorted": Delivery.objects.filter(sorted_at=None).count(),
        "deliveries_troubled": Delivery.objects.exclude(trouble="").count(),
        "webhooks_refused": Refusal.objects.aggregate(all=Sum("count"))["all"] or 0,
        "media_wanted": Media.objects.filter(stored_at=None, lost_at=None).count(),
        "media_failing": Media.objects.filter(stored_at=None, lost_at=None).exclude(last_error="").count(),
        "media_lost": Media.objects.filter(lost_at__isnull=False).count(),
        "outgoing_waiting": unfinished.filter(called_at=None).count(),
        "outgoing_calling": unfinished.exclude(called_at=None).count(),
        "outgoing_failed": Outgoing.objects.filter(failed_at__isnull=False).count(),
    }
