"""The administration of lines, and a person's second chance for what failed."""

import pytest
from django.test import Client
from django.utils import timezone

from rasd.channels.models import Line, Outgoing
from tests.channels.doors import deliver, envelope, text_message, waiting_jobs

pytestmark = pytest.mark.django_db
LINE = {
    "channel": "whatsapp",
    "purpose": "readings",
    "external_id": "1122334455667",
    "name": "Readings",
    "display_address": "+968 2400 0000",
    "sends_per_second": "80",
    "reopening_template": "{}",
}


@pytest.fixture
def admin(admin_user) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(admin_user)
    return client


def test_a_line_that_is_entered_gets_what_was_delivered_before(admin):
    delivery = deliver(envelope({"messages": [text_message(1)]}))
    assert admin.post("/admin/channels/line/add/", LINE).status_code == 302
    assert waiting_jobs("sort")[-1] == {"delivery_id": delivery.pk}
    delivery.refresh_from_db()
    delivery.sort()
    assert Line.objects.get().incoming_set.get().text == "hello"


def test_the_same_number_twice_is_refused_with_words(admin, line):
    answer = admin.post("/admin/channels/line/add/", LINE)
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()


def test_a_failed_message_is_sent_again_and_one_that_has_not_failed_is_not(admin, line, customer):
    failed, waiting = (Outgoing.queue(line=line, address=customer, key=k, text="x") for k in "ab")
    Outgoing.objects.filter(pk=failed.pk).update(failed_at=timezone.now(), error_code=190, attempts=1)
    chosen = {"action": "send_again", "_selected_action": [failed.pk, waiting.pk]}
    answer = admin.post("/admin/channels/outgoing/", chosen, follow=True)
    assert "1 message will be sent again." in answer.content.decode()
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (Outgoing.State.WAITING, 0)


def test_what_happened_is_looked_at_and_not_edited(admin, line, customer):
    outgoing = Outgoing.queue(line=line, address=customer, key="a", text="x")
    page = f"/admin/channels/outgoing/{outgoing.pk}/change/"
    shown = admin.get(page).content.decode()
    assert 'name="_save"' not in shown
    assert admin.get("/admin/channels/delivery/").status_code == 200
