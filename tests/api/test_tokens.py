"""Who comes in with a token, and how far."""

import hashlib
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.utils import timezone

from rasd.api.cli import api as command
from rasd.api.models import ApiToken
from rasd.ledger.models import Entry
from tests.api.conftest import BASE, Program
from tests.desk.people import a_line, a_queue, an_address, an_employee, hears

pytestmark = pytest.mark.django_db


def test_a_secret_is_kept_as_its_hash_only(program):
    made = program()
    token = ApiToken.objects.get()
    assert token.hash == hashlib.sha256(made.secret.encode()).hexdigest()
    kept = " ".join(str(value) for value in ApiToken.objects.values().get().values())
    assert made.secret not in kept
    assert made.secret not in " ".join(str(entry.payload) for entry in Entry.objects.all())


def test_making_and_revoking_are_entries(program, sara):
    made = program("billing", "cases:read")
    made.token.revoke(by=sara, at=timezone.now())
    made.token.revoke(by=sara, at=timezone.now())
    told = list(Entry.objects.filter(subject=str(made.token)).values_list("action", "actor", "facts__token"))
    assert told == [
        ("api_token.made", "machine:cli", "billing"),
        ("api_token.revoked", "user:sara", "billing"),
    ]


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Bearer ", "Basic c2FyYTpwYXNz"])
def test_without_a_token_nobody_comes_in(client, db, header):
    answer = client.get(f"{BASE}/conversations", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in answer.json()["detail"]


def test_a_login_of_the_console_is_no_token(client, sara):
    client.force_login(sara)
    assert client.get(f"{BASE}/conversations").status_code == 401


def test_a_revoked_an_expired_and_a_leavers_token_open_nothing(program, sara, omar):
    revoked, leaver = program("revoked"), program("leaver", "cases:read", user=omar)
    expired = program("expired", expires_at=timezone.now() + timedelta(seconds=60))
    assert [each.get("/token").status_code for each in (revoked, expired, leaver)] == [200, 200, 200]
    revoked.token.revoke(by=sara, at=timezone.now())
    ApiToken.objects.filter(name="expired").update(expires_at=timezone.now())
    omar.is_active = False
    omar.save()
    assert [each.get("/token").status_code for each in (revoked, expired, leaver)] == [401, 401, 401]


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("conversations:read", "/conversations"),
        ("cases:read", "/cases"),
        ("obligations:read", "/obligations"),
        ("webhooks", "/webhooks"),
    ],
)
def test_a_scope_opens_its_own_part_only(program, scope, path):
    one = program(scope, scope)
    for each in ("/conversations", "/cases", "/obligations", "/webhooks"):
        answer = one.get(each)
        assert answer.status_code == (200 if each == path else 403), each
        if each != path:
            assert answer.json()["scope"] in answer.json()["detail"]


def test_reading_is_not_writing(program, asked):
    reader = program("reader", "conversations:read")
    answer = reader.post(f"/conversations/{asked.conversation_id}/notes", {"text": "no"})
    assert answer.status_code == 403
    assert asked.conversation.messages.count() == 1


def test_a_token_never_does_more_than_its_user_may(program, asked):
    nobody = an_employee("nobody")
    answer = program("too-much", user=nobody).get("/conversations")
    assert answer.status_code == 403
    assert "nobody, as whom this token acts" in answer.json()["detail"]


def test_limited_to_a_line_it_sees_and_changes_nothing_else(program, asked, queue):
    other = a_line("Other")
    elsewhere = hears(other, an_address(), "سؤال", at=timezone.now()).conversation
    limited: Program = program("limited", lines=[other])
    seen = [each["id"] for each in limited.get("/conversations").json()["items"]]
    assert seen == [elsewhere.pk]
    for path in (
        f"/conversations/{asked.conversation_id}",
        f"/conversations/{asked.conversation_id}/messages",
        f"/messages/{asked.pk}",
        f"/obligations/{asked.conversation.owed.pk}",
    ):
        assert limited.get(path).status_code == 404, path
    assert limited.post(f"/conversations/{asked.conversation_id}/notes", {"text": "x"}).status_code == 404
    assert limited.get("/obligations").json()["items"] == []


def test_limited_to_a_queue_it_sees_what_is_owed_there_and_hands_nothing_out_of_it(program, asked, sara):
    other = a_queue(sara, name="Billing")
    inside, outside = (
        program("inside", queues=[asked.conversation.owed.queue]),
        program("outside", queues=[other]),
    )
    assert len(inside.get("/conversations").json()["items"]) == 1
    assert outside.get("/conversations").json()["items"] == []
    path = f"/obligations/{asked.conversation.owed.pk}"
    assert outside.get(path).status_code == 404
    refused = inside.post(f"{path}/move", {"queue": other.pk, "why": "billing"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "queue"


def test_who_calls_too_often_is_told_when_to_come_back(program, monkeypatch):
    slow = program("slow", per_minute=20)  # one in three seconds, two at once
    answers = [slow.get("/token") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    wait = int(answers[2]["Retry-After"])
    assert 1 <= wait <= 3
    later = timezone.now() + timedelta(seconds=wait)
    monkeypatch.setattr("rasd.api.calling.timezone.now", lambda: later)
    assert slow.get("/token").status_code == 200


def test_when_it_was_used_last_is_known(caller):
    assert ApiToken.objects.get().last_used_at is None
    caller.get("/token")
    assert ApiToken.objects.get().last_used_at is not None


def test_the_command_makes_lists_and_revokes(sara, queue):
    run = CliRunner().invoke
    made = run(
        command, ["token", "billing", "--user", "sara", "--scope", "cases:read", "--queue", "First line"]
    )
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    assert Program(secret, ApiToken.objects.get()).get("/cases").status_code == 200
    assert "billing\tsara\tgood" in run(command, ["tokens"]).stdout
    assert run(command, ["revoke", "billing"]).exit_code == 0
    assert Program(secret, ApiToken.objects.get()).get("/cases").status_code == 401
    assert run(command, ["revoke", "nothing"]).exit_code == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--scope", "everything"], "'everything' is none; choose of conversations:read"),
        (["--scope", "cases:read", "--queue", "Nowhere"], "there are: First line"),
        (["--scope", "cases:read", "--expires", "tomorrow"], "write a moment as 2027-01-31T12:00"),
        (["--scope", "cases:read", "--expires", "2020-01-01T00:00"], "is past"),
    ],
)
def test_the_command_says_what_is_wrong_and_how_to_mend_it(sara, queue, more, words):
    told = CliRunner().invoke(command, ["token", "x", "--user", "sara", *more])
    assert told.exit_code == 2
    assert words in told.output
    assert not ApiToken.objects.exists()
