"""Administrators let programs in, and see which they were not able to tell."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from rasd.api.models import ApiToken, WebhookDelivery, WebhookSubscription
from rasd.ledger.models import Entry

pytestmark = pytest.mark.django_db
PAGE = "/programs/"


@pytest.mark.parametrize(
    ("role", "status"), [("agent", 403), ("reviewer", 403), ("supervisor", 403), ("administrator", 200)]
)
def test_only_an_administrator_opens_it(as_, role, status):
    assert as_(role).get(PAGE).status_code == status


def test_a_new_tokens_secret_is_shown_once_and_opens_what_was_chosen(as_, person, client):
    admin, agent = as_("administrator"), person("agent")
    form = {"name": "billing", "user": agent.pk, "scopes": ["cases:read"], "per_minute": 60}
    shown = admin.post(PAGE, form).content.decode()
    secret = shown.split('class="secret"')[1].split(">")[1].split("<")[0]
    opened = client.get("/api/v1/cases", headers={"Authorization": f"Bearer {secret}"})
    assert opened.status_code == 200
    again = admin.get(PAGE).content.decode()
    assert secret not in again
    assert "billing" in again
    made = Entry.objects.get(action="api_token.made")
    assert (made.actor, made.facts["token"]) == ("user:administrator", "billing")


def test_it_is_revoked_there(as_, person, client):
    admin = as_("administrator")
    token, secret = ApiToken.make("billing", person("agent"), ["cases:read"], at=timezone.now())
    admin.post(reverse("console:revoke_api_token", args=[token.pk]))
    assert client.get("/api/v1/cases", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert "revoked" in admin.get(PAGE).content.decode()


def test_what_is_wrong_with_the_form_is_said_beside_the_field(as_, person):
    form = {"name": "", "user": person("agent").pk, "per_minute": 0, "expires_at": "2020-01-01T00:00"}
    answer = as_("administrator").post(PAGE, form)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "scopes", "per_minute", "expires_at"}
    assert not ApiToken.objects.exists()


@pytest.fixture
def untaken(person) -> WebhookDelivery:
    """What a program did not take in seven days."""
    now = timezone.now()
    token, _secret = ApiToken.make(
        "billing", person("administrator", username="made-up"), ["cases:read"], at=now
    )
    subscription = WebhookSubscription.make(token, "https://hooks.example.om/", ["case.opened"], at=now)
    return subscription.deliveries.create(
        event="case.opened",
        key="k",
        about="case:4",
        at=now,
        since=now - timedelta(days=8),
        data={},
        given_up_at=now,
        last_error="500: broken",
    )


def test_a_program_that_was_not_told_is_a_trouble_until_it_is_sent_again(as_, untaken):
    supervisor = as_("supervisor")
    page = supervisor.get("/troubles/").content.decode()
    assert "500: broken" in page
    assert "hooks.example.om" in page
    supervisor.post(reverse("console:send_webhook_again", args=[untaken.pk]))
    untaken.refresh_from_db()
    assert untaken.given_up_at is None
    assert "500: broken" not in supervisor.get("/troubles/").content.decode()
    assert Entry.objects.get(action="webhook.sent_again").actor == "user:supervisor"


def test_a_program_that_was_not_told_is_a_trouble_until_it_is_settled(as_, untaken):
    supervisor = as_("supervisor")
    supervisor.post(reverse("console:settle", args=["webhook", untaken.pk]))
    assert "500: broken" not in supervisor.get("/troubles/").content.decode()
