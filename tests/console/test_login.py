import time
from binascii import unhexlify

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from rasd.console.logins import TRIES_FROM_ONE_PLACE
from rasd.ledger.models import Entry, verify
from tests.console.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def enter(client: Client, username: str, password: str = PASSWORD, **more):
    return client.post(reverse("console:login"), {"username": username, "password": password, **more})


def code_now(device: TOTPDevice) -> str:
    totp = TOTP(unhexlify(device.key))
    totp.time = time.time()
    return f"{totp.token():06}"


def test_a_right_password_leads_home_and_is_in_the_ledger(client, person):
    person("agent")
    answer = enter(client, "agent")
    assert answer.status_code == 302
    assert answer["Location"] == reverse("console:home")
    entry = Entry.objects.get()
    assert (entry.action, entry.actor) == ("login.succeeded", "user:agent")
    assert entry.facts == {"from_address": "127.0.0.1"}
    assert verify() is None


def test_a_wrong_password_is_refused_with_words_and_is_in_the_ledger(client, person):
    person("agent")
    answer = enter(client, "agent", "wrong")
    assert answer.status_code == 422
    assert "error" in answer.content.decode()
    assert Entry.objects.get().action == "login.failed"
    assert Entry.objects.get().subject == "user:agent"


def test_a_name_that_is_nobodys_is_not_written_down_as_it_may_be_a_password(client):
    enter(client, "my secret passphrase", "x")
    entry = Entry.objects.get()
    assert entry.subject == "user:?"
    assert "secret" not in str(entry.facts) + entry.why + entry.actor


def test_after_too_many_failures_even_the_right_password_must_wait(client, person):
    person("agent")
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as clock:
        for _each in range(TRIES_FROM_ONE_PLACE):
            assert enter(client, "agent", "wrong").status_code == 422
        written = Entry.objects.count()
        refused = enter(client, "agent")
        assert refused.status_code == 422
        assert "15" in refused.content.decode()
        assert Entry.objects.count() == written, "refused tries must not fill the ledger"
        clock.shift(15 * 60 + 1)
        assert enter(client, "agent").status_code == 302


def test_failures_of_one_name_do_not_lock_another_out(client, person):
    person("agent")
    person("reviewer")
    for _each in range(TRIES_FROM_ONE_PLACE):
        enter(client, "agent", "wrong")
    assert enter(client, "reviewer").status_code == 302


def test_it_goes_on_to_where_one_wanted_but_never_to_another_site(client, person):
    person("agent")
    assert enter(client, "agent", next="/conversations/")["Location"] == "/conversations/"
    client.logout()
    assert enter(client, "agent", next="https://evil.example/")["Location"] == reverse("console:home")


def test_a_second_factor_is_set_up_asked_for_and_taken_off_again(client, person):
    user = person("agent")
    client.force_login(user)
    client.post(reverse("console:begin_second_factor"))
    page = client.get(reverse("console:account")).content.decode()
    assert 'class="qr"' in page
    device = TOTPDevice.objects.get(user=user)
    assert not device.confirmed

    wrong = client.post(reverse("console:confirm_second_factor"), {"code": "000000"})
    assert wrong.status_code == 422
    at_once = client.post(
        reverse("console:confirm_second_factor"),
        {"code": code_now(device)},
        headers={"Accept-Language": "en"},
    )
    assert "Wait a few seconds" in at_once.content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    on = client.post(reverse("console:confirm_second_factor"), {"code": code_now(device)})
    recovery = on.context["codes"]
    assert len(recovery) == 10
    assert Entry.objects.filter(action="second_factor.on").exists()

    # The password alone opens nothing any more.
    other = Client()
    assert enter(other, "agent")["Location"] == reverse("console:code")
    assert other.get(reverse("console:home")).status_code == 302
    TOTPDevice.objects.update(last_t=-1)
    assert other.post(reverse("console:code"), {"code": code_now(device)})["Location"] == reverse(
        "console:home"
    )
    assert other.get(reverse("console:home")).status_code == 200

    # A recovery code opens once.
    third = Client()
    enter(third, "agent")
    assert third.post(reverse("console:code"), {"code": recovery[0]}).status_code == 302
    fourth = Client()
    enter(fourth, "agent")
    used = fourth.post(reverse("console:code"), {"code": recovery[0]})
    assert used.status_code == 422
    assert Entry.objects.filter(action="login.failed", why="second factor").count() == 1

    refused = client.post(reverse("console:end_second_factor"), {"password": "wrong"})
    assert refused.status_code == 422
    assert TOTPDevice.objects.filter(confirmed=True).exists()
    client.post(reverse("console:end_second_factor"), {"password": PASSWORD})
    assert not TOTPDevice.objects.exists()
    assert enter(Client(), "agent")["Location"] == reverse("console:home")


def test_a_right_code_right_after_a_wrong_one_is_told_to_wait_not_that_it_is_wrong(client, person):
    user = person("agent")
    device = TOTPDevice.objects.create(user=user, confirmed=True)
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as clock:
        enter(client, "agent")
        wrong = client.post(reverse("console:code"), {"code": "000000"}, headers={"Accept-Language": "en"})
        assert "That code is not right" in wrong.content.decode()
        at_once = client.post(
            reverse("console:code"), {"code": code_now(device)}, headers={"Accept-Language": "en"}
        )
        assert at_once.status_code == 422
        assert "Wait a few seconds" in at_once.content.decode()
        assert Entry.objects.filter(action="login.failed").count() == 1, "it was not looked at: no failure"
        clock.shift(2)
        assert client.post(reverse("console:code"), {"code": code_now(device)}).status_code == 302


def test_the_second_step_alone_leads_back_to_the_first(client):
    assert client.get(reverse("console:code"))["Location"] == reverse("console:login")


def test_the_second_step_is_open_for_five_minutes(client, person):
    user = person("agent")
    device = TOTPDevice.objects.create(user=user, confirmed=True)
    with time_machine.travel("2026-11-20T10:00:00Z", tick=False) as clock:
        enter(client, "agent")
        clock.shift(5 * 60 + 1)
        answer = client.post(reverse("console:code"), {"code": code_now(device)})
    assert answer["Location"] == reverse("console:login")


def test_the_admins_door_is_the_consoles_so_that_no_factor_is_passed_by(client):
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("console:login"))


def test_who_is_no_person_for_the_admin_is_told_so_instead_of_sent_round_in_circles(client, person):
    client.force_login(person("agent"))
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403


def test_leaving_is_in_the_ledger(client, person):
    person("agent")
    enter(client, "agent")
    client.post(reverse("console:logout"))
    assert Entry.objects.filter(action="logout", actor="user:agent").exists()
