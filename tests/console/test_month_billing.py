"""The page of billing's files."""

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.test import Client

from rasd.ledger import evidence
from rasd.ledger.models import Entry
from rasd.metering import billing
from tests.metering.conftest import house, november  # noqa: F401
from tests.metering.test_billing import CLOSED, LATER, adopt, bill, register  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("lead"))
    return client


def test_billing_s_files_are_taken_from_the_page_and_who_took_them_is_on_record(lead, november, register):  # noqa: F811
    bill(adopt(register, november, "4310", at=CLOSED), "4000", "310")
    page = lead.get("/cycle/2026-11/billing").content.decode()
    assert "Make the file for billing" in page or "إعداد" in page
    made = billing.export(november, at=LATER, actor="user:test")
    taken = lead.get("/cycle/2026-11/billing/1.xml")
    assert b"".join(taken.streaming_content).startswith(b"<?xml")
    assert taken["Content-Disposition"] == 'attachment; filename="billing-2026-11-1.xml"'
    assert Entry.objects.get(action="billing.taken").facts["sha256"] == made.xml_sha256
    with default_storage.open(evidence.path_of(made.csv_sha256), "ab") as stored:
        stored.write(b"one line more")
    refused = lead.get("/cycle/2026-11/billing/1.csv", follow=True)
    assert refused.redirect_chain
    assert "SHA-256" in refused.content.decode()
    assert Entry.objects.filter(action="billing.taken").count() == 1


def test_an_open_month_says_what_to_do_first(lead, november):  # noqa: F811
    assert lead.get("/cycle/2026-11/billing").status_code == 200
    assert lead.post("/cycle/2026-11/billing/export").status_code == 404


def test_who_may_not_take_billing_s_files_does_not(client, november):  # noqa: F811
    client.force_login(User.objects.create_user("agent"))
    assert client.get("/cycle/2026-11/billing/1.csv").status_code == 403
