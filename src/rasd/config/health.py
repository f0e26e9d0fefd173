"""What a load balancer, an orchestrator and Prometheus ask."""

from collections.abc import Callable, Iterator

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rasd.channels.metrics import counts
from rasd.config.worker import QUEUES
from rasd.desk.metrics import owed
from rasd.desk.models import Obligation
from rasd.flows.models import WorkerPulse
from rasd.metering.models import Adoption, Review
from rasd.portal.models import WrongAddress


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Whether the main job can be done now: 200, or 503 with what is missing, each in words."""
    answers: dict[str, str] = {}
    for name, ask in READY.items():
        try:
            answers[name] = ask()
        except Exception as error:
            answers[name] = f"cannot be asked: {error}".splitlines()[0]
    ready = all(answer == "ok" for answer in answers.values())
    return JsonResponse(answers, status=200 if ready else 503)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied: run rasd migrate" if missing else "ok"


def _workers() -> str:
    served = {queue for pulse in WorkerPulse.living() for queue in pulse.queues}
    missing = sorted({*QUEUES, "vision"} - served)
    return (
        f"nobody serves {', '.join(missing)}: run rasd worker --queues {','.join(missing)}"
        if missing
        else "ok"
    )


def _model() -> str:
    loaded = WorkerPulse.living().exclude(model="").exists()
    return "ok" if loaded else "no worker has a reader loaded: run rasd worker --queues vision"


READY: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "workers": _workers,
    "model": _model,
}


class FromDatabase(Collector):
    """Counted at each scrape, from what every process shares: right with any number of them, and after any restart."""

    def collect(self) -> Iterator[Metric]:
        for name, value in counts().items():
            yield GaugeMetricFamily(
                f"rasd_channels_{name}", f"channels: {name.replace('_', ' ')}", value=value
            )
        yield GaugeMetricFamily("rasd_adoptions_standing", "readings that cycles bill on", value=_standing())
        yield GaugeMetricFamily(
            "rasd_reviews_open",
            "photographs that a person must judge",
            value=Review.objects.filter(closed_at=None).count(),
        )
        yield from owed(timezone.now())
        yield GaugeMetricFamily(
            "rasd_portal_wrong_addresses",
            "customers' pages asked for that there are not, in the last day",
            value=WrongAddress.lately(timezone.now()),
        )
        yield GaugeMetricFamily(
            "rasd_in_nobodys_hands",
            "obligations that lie with nobody at work: always to be 0",
            value=Obligation.objects.in_nobodys_hands(timezone.now()).count(),
        )
        yield GaugeMetricFamily("rasd_workers_living", "worker processes", value=WorkerPulse.living().count())
        jobs = GaugeMetricFamily("rasd_jobs", "jobs by queue and status", labels=["queue", "status"])
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT queue_name, status::text, count(*) FROM {ProcrastinateJob._meta.db_table}"  # noqa: S608 (a constant)
                " WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1, 2"
            )
            for queue, status, count in cursor.fetchall():
                jobs.add_metric([queue, status], count)
        yield jobs


def _standing() -> int:
    return Adoption.objects.filter(superseded_at=None).count()


registry = CollectorRegistry(auto_describe=False)
registry.register(FromDatabase())


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format. Keep it inside: no customer's data is in it, but it tells how busy you are."""
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
