"""A line, its customer, and the stand-in for the Cloud API."""

import httpx
import pytest
from django.utils import timezone

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
