"""What /metrics tells of the desk: owed, late, and the oldest, by queue."""

from datetime import timedelta

import pytest
from django.utils import timezone

from rasd.desk.metrics import owed
from rasd.desk.models import Obligation, Queue

pytestmark = pytest.mark.django_db


def told(at) -> dict[str, dict[str, float]]:
    return {
        metric.name: {sample.labels["queue"]: sample.value for sample in metric.samples}
        for metric in owed(at)
    }


def test_owed_late_and_the_oldest_are_told_for_every_queue_and_nothing_of_one_where_nothing_is():
    now = timezone.now()
    busy = Queue.objects.create(name="First line", answer_within=timedelta(minutes=30))
    Queue.objects.create(name="Billing", answer_within=timedelta(minutes=30))
    for minutes in (10, 50, 90):
        Obligation.begin(
            kind="work", queue=busy, since=now - timedelta(minutes=minutes), actor="machine:test"
        )
    Obligation.objects.get(due_at=now - timedelta(minutes=60)).pause(at=now, actor="machine:test")
    found = told(now)
    assert found["rasd_obligations_open"] == {"First line": 3, "Billing": 0}
    assert found["rasd_obligations_late"] == {"First line": 1, "Billing": 0}  # the other's clock stands still
    assert found["rasd_obligations_oldest_seconds"] == {"First line": 90 * 60, "Billing": 0}
