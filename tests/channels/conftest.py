"""A line, its customer, and the stand-in for the Cloud API."""

import httpx
import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from rasd.channels.models import Address, Channel, Line
from rasd.channels.whatsapp import api
from tests.channels.doors import CUSTOMER, PHONE_NUMBER_ID, Cloud, wrote


@pytest.fixture
def line(db: None) -> Line:
    return Line.objects.create(
        channel=Channel.WHATSAPP,
        purpose=Line.Purpose.READINGS,
        external_id=PHONE_NUMBER_ID,
        name="Readings",
        display_address="+968 2400 0000",
    )


@pytest.fixture
def address(db: None) -> Address:
    return Address.objects.create(channel=Channel.WHATSAPP, phone=f"+{CUSTOMER}", user_id="OM.1")


@pytest.fixture
def customer(line: Line, address: Address) -> Address:
    """Someone who wrote just now, so that the 24-hour window is open."""
    wrote(line, address, timezone.now())
    return address


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    cloud = Cloud()
    client = httpx.Client(transport=httpx.MockTransport(cloud))
    monkeypatch.setattr(api, "client", lambda: client)
    return cloud


@pytest.fixture(autouse=True)
def _no_jobs_of_earlier_tests(request: pytest.FixtureRequest) -> None:
    """Procrastinate's tables are not Django's to empty: a test that commits would leave its jobs to the next."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("db")
        ProcrastinateJob.objects.all()._raw_delete("default")


@pytest.fixture(autouse=True)
def _only_the_doors(settings) -> None:
    settings.ROOT_URLCONF = "doors_urls"
