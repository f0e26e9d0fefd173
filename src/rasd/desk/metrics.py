"""What /metrics tells of the desk."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Min, Q
from prometheus_client.core import GaugeMetricFamily, Metric

from rasd.desk.models import Obligation, Queue


def owed(at: datetime) -> Iterator[Metric]:
    """By queue: how many are owed, how many of these late, and for how long the oldest has been owed; 0 where nothing is."""
    late = Q(running_since__isnull=False, due_at__lt=at)
    rows = Obligation.objects.filter(discharged_at=None).values("queue__name")
    found = {
        row["queue__name"]: row
        for row in rows.annotate(all=Count("pk"), late=Count("pk", filter=late), oldest=Min("since"))
    }
    count = GaugeMetricFamily("rasd_obligations_open", "what is owed and not discharged", labels=["queue"])
    over = GaugeMetricFamily("rasd_obligations_late", "of these, those whose time is over", labels=["queue"])
    oldest = GaugeMetricFamily(
        "rasd_obligations_oldest_seconds",
        "for how long the oldest has been owed, by the clock",
        labels=["queue"],
    )
    for queue in Queue.objects.order_by("name").values_list("name", flat=True):
        row = found.get(queue)
        count.add_metric([queue], row["all"] if row else 0)
        over.add_metric([queue], row["late"] if row else 0)
        oldest.add_metric([queue], max(0.0, (at - row["oldest"]).total_seconds()) if row else 0.0)
    yield from (count, over, oldest)
