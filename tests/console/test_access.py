"""Least privilege by role and line, the second factor demanded, sessions, and people's data: the pages of the administration."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from rasd.api.models import ApiToken, Scope
from rasd.channels.models import Line, LineLimit, Media
from rasd.console.models import LoginSession, SecondFactorDemand
from rasd.console.sight import OF_ALL_LINES
from rasd.desk.models import Case, Employee, Notice
from rasd.desk.models.case_kinds import CaseKind
from rasd.ledger.models import Entry, verify
from rasd.metering.models import Review
from rasd.person.models import Erasure
from tests.console.conftest import PASSWORD
from tests.console.making import Utility
from tests.jobs import do_jobs

SECRET = "الكلمة-التي-لا-يراها"
NAME = "اسم-لا-يراه"


@pytest.fixture
def outside(utility: Utility) -> dict[str, object]:
    """A conversation on a line that is not his, with all that hangs on it."""
    mine = Line.objects.create(
        channel="whatsapp", purpose="service", external_id="200", name="Service", display_address="+968"
    )
    chat = utility.conversation(name=NAME)
    message = utility.writes(chat, SECRET)
    photograph = utility.sends_photograph(chat, "04521")
    submission = utility.submission("04521", point=utility.point(), message=photograph)
    review = Review.objects.create(submission=submission, why="unsure", opened_at=utility.now)
    owed = chat.owe(message, queue=utility.queue)
    kind = CaseKind.objects.create(
        code="x", name_ar="س", name_en="x", queue=utility.queue, settle_within=timedelta(days=3)
    )
    case = Case.open(
        title=SECRET, kind=kind, conversation=chat, at=utility.now, actor="machine:test", origin="employee"
    )
    return {
        "mine": mine, "chat": chat, "case": case, "review": review, "owed": owed, "submission": submission,
        "sha256": Media.objects.latest("pk").sha256,
        "entry": Entry.objects.filter(subject=str(owed)).latest("number").number,
    }  # fmt: skip


def addresses() -> list[tuple[str, str]]:
    """Every address of the console: its name, and its path with ``<…>`` where something goes in."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> list[tuple[str, str]]:
        found = []
        for each in patterns:
            route = before + re.sub(
                r"\(\?P<(\w+)>[^()]*(?:\([^()]*\))?[^()]*\)", r"<\1>", str(each.pattern).strip("^$")
            )
            if isinstance(each, URLResolver):
                found += walk(each.url_patterns, route)
            elif each.name:
                found.append((each.name, re.sub(r"<\w+:", "<", route)))
        return found

    return [each for pattern in get_resolver().url_patterns if getattr(pattern, "app_name", "") == "console"
            for each in walk(pattern.url_patterns, "")]  # fmt: skip


def test_who_is_limited_to_a_line_finds_nothing_of_another_at_any_address_of_the_console(
    outside, utility: Utility, person: Callable[..., User]
):
    user = person("agent", "reviewer", "supervisor", "administrator")
    LineLimit.put(user, [outside["mine"]], by=user, at=utility.now)
    Notice.tell(user, Notice.Kind.MENTION, at=utility.now, conversation=outside["chat"])
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(user)
    things = {"chat": ("conversation",), "case": ("case",), "review": ("review",), "owed": ("obligations",)}
    closed = re.compile(
        r"^(conversations/<pk>|cases/<pk>|review/<pk>|photograph/|counter/|document/|accountability/(obl|ent))"
    )
    looked, refused = 0, 0
    for name, route in addresses():
        if name in {"logout", "live"}:
            continue
        kind = next((key for key, starts in things.items() if any(each in route for each in starts)), "chat")
        told = {
            "pk": str(outside[kind].pk),
            "sha256": outside["sha256"],
            "number": str(outside["entry"]),
            "size": "whole",
        }
        path = "/" + re.sub(r"<(\w+)>", lambda found, told=told: told.get(found[1], "1"), route).replace(
            "\\", ""
        )
        got = client.get(path, {"conversation": outside["chat"].pk, "q": SECRET[:6], "state": "all"})
        body = b"".join(got) if got.streaming else got.content
        if closed.match(route):
            assert got.status_code in {403, 404}, f"{path}: {got.status_code}"
            post = client.post(path, {"text": "x", "why": "x"})
            assert post.status_code in {403, 404}, f"{path} POST: {post.status_code}"
            refused += 1
        if got.status_code == 200:
            looked += 1
            text = body.decode(errors="replace")
            assert NAME not in text, path
            assert SECRET not in text, path
            assert str(outside["chat"].address.phone) not in text, path
    assert looked > 10
    assert refused > 25
    for permission in OF_ALL_LINES:
        assert not user.has_perm(permission)
    assert client.get("/live", {"topic": f"conversation:{outside['chat'].pk}"}).status_code == 204
    # What he may see he sees, and so does a program that acts as him.
    token, _secret = ApiToken.make("p", user, [Scope.CONVERSATIONS_READ, Scope.CASES_READ], at=utility.now)
    assert (token.conversations().count(), token.cases().count(), token.obligations().count()) == (0, 0, 0)
    LineLimit.put(user, [outside["mine"], utility.line], by=user, at=utility.now)
    assert client.get(reverse("console:conversation", args=[outside["chat"].pk])).status_code == 200
    assert client.get(reverse("console:case", args=[outside["case"].pk])).status_code == 200
    assert SECRET in client.get(reverse("console:conversations"), {"q": SECRET}).content.decode()
    assert Entry.objects.filter(action="access.lines").count() == 2


def test_who_is_limited_does_not_learn_with_whom_of_another_line_a_contact_was_put_together(
    outside, utility, person
):
    agent = person("agent")
    elsewhere, utility.line = utility.line, outside["mine"]
    his = utility.conversation(name="Ali Example")
    merge = his.contact.merge(outside["chat"].contact, by=agent, at=utility.now)
    LineLimit.put(agent, [outside["mine"]], by=agent, at=utility.now)
    client = Client()
    client.force_login(agent)
    address = reverse("console:conversation", args=[his.pk])
    undo = reverse("console:unmerge", args=[his.pk, merge.pk])
    page = client.get(address).content.decode()
    assert "Ali Example" in page
    assert NAME not in page
    assert undo not in page
    assert client.post(undo).status_code == 404
    LineLimit.put(agent, [outside["mine"], elsewhere], by=agent, at=utility.now)
    assert NAME in client.get(address).content.decode()


def test_a_limit_of_a_role_holds_for_all_who_have_it_and_not_for_superusers(outside, utility, person):
    agent, boss = person("agent"), User.objects.create_superuser("boss")
    boss.groups.set(agent.groups.all())
    admin = Client()
    admin.force_login(boss)
    group = Group.objects.get(name="agent")
    admin.post(reverse("console:role_lines", args=[group.pk]), {"line": outside["mine"].pk})
    client = Client()
    client.force_login(agent)
    address = reverse("console:conversation", args=[outside["chat"].pk])
    assert client.get(address).status_code == 404
    assert admin.get(address).status_code == 200


def test_who_needs_a_second_factor_sees_nothing_before_it_is_set_up_and_a_lost_one_is_reset(person):
    agent, chief = person("agent"), person("administrator")
    admin, client = Client(HTTP_ACCEPT_LANGUAGE="en"), Client(HTTP_ACCEPT_LANGUAGE="en")
    admin.force_login(chief)
    client.post(reverse("console:login"), {"username": "agent", "password": PASSWORD})
    assert client.get("/conversations/").status_code == 200
    group = Group.objects.get(name="agent")
    admin.post(reverse("console:demand_second_factor"), {"role": group.pk})
    assert client.get("/conversations/").headers["Location"] == "/account"
    agent.is_staff = True
    agent.save()
    assert client.get(client.get("/admin/").headers["Location"]).headers["Location"] == "/account"
    assert "demands a second factor" in client.get("/account").content.decode()
    client.post(reverse("console:begin_second_factor"))
    device = TOTPDevice.objects.get(user=agent)
    done = client.post(reverse("console:confirm_second_factor"), {"code": f"{totp(device.bin_key):06}"})
    assert done.context["codes"]
    assert client.get("/conversations/").status_code == 200
    client.post(reverse("console:end_second_factor"), {"password": PASSWORD})
    assert TOTPDevice.objects.filter(user=agent).exists()  # it is demanded
    unproven = Client()
    unproven.force_login(agent)  # as a session from before it was demanded
    assert unproven.get("/conversations/").headers["Location"].startswith("/login")
    reset = reverse("console:reset_second_factor", args=[agent.pk])
    admin.post(reset, {"why": ""})
    assert TOTPDevice.objects.filter(user=agent).exists()
    admin.post(reset, {"why": "came to my desk"})
    assert not TOTPDevice.objects.filter(user=agent).exists()
    assert client.get("/conversations/").headers["Location"].startswith("/login")  # and its sessions are over
    assert Entry.objects.get(action="second_factor.reset").why == "came to my desk"
    assert client.get("/administration/").status_code == 302
    admin.post(reverse("console:demand_second_factor"), {})
    assert SecondFactorDemand.objects.count() == 0


def test_sessions_are_seen_and_ended_by_oneself_with_a_new_password_and_when_one_leaves(person, utility):
    agent = person("agent")
    clients = [Client(HTTP_ACCEPT_LANGUAGE="en", HTTP_USER_AGENT=f"Browser {n}") for n in range(3)]
    for client in clients:
        client.post(reverse("console:login"), {"username": "agent", "password": PASSWORD})
    here, other, third = clients
    page = here.get("/account").content.decode()
    assert all(f"Browser {n}" in page for n in range(3))
    one = LoginSession.objects.get(browser="Browser 2")
    here.post(reverse("console:end_sessions"), {"session": one.pk})
    assert third.get("/conversations/").status_code == 302
    assert other.get("/conversations/").status_code == 200
    new = "another horse battery 2"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post(reverse("console:change_password"), form | {"new_password2": "x"}).status_code == 422
    here.post(reverse("console:change_password"), form)
    assert here.get("/conversations/").status_code == 200
    assert other.get("/conversations/").status_code == 302
    assert Entry.objects.filter(action="password.changed").count() == 1
    lead = Client()
    lead.force_login(person("supervisor"))
    Employee.objects.create(user=agent)
    lead.post(reverse("console:team_leave", args=[agent.pk]))
    assert here.get("/conversations/").status_code == 302
    assert Client().post(reverse("console:login"), {"username": "agent", "password": new}).status_code == 422
    lead.post(reverse("console:team_leave", args=[agent.pk]), {"undo": "1"})
    assert Client().post(reverse("console:login"), {"username": "agent", "password": new}).status_code == 302


def test_a_person_is_looked_up_given_his_data_and_erased_only_after_the_word_and_the_reason(
    utility, person, as_
):
    chat = utility.conversation(name=NAME)
    utility.writes(chat, SECRET)
    admin = as_("administrator")
    phone = chat.address.phone
    assert as_("agent").get(reverse("console:persons")).status_code == 403
    assert "Nobody is known" in admin.get(reverse("console:persons"), {"q": "+1"}).content.decode()
    # Of two who have one address the first is found; made by hand there is no link yet.
    chat.contact.addresses.add(chat.address)
    page = reverse("console:person", args=[chat.contact_id])
    assert admin.get(reverse("console:persons"), {"q": phone}).headers["Location"] == page
    admin.post(reverse("console:person_export", args=[chat.contact_id]))
    assert "<progress" in admin.get(page).content.decode()
    do_jobs()
    shown = admin.get(page).content.decode()
    fetched = re.search(r'href="(/persons/exports/\d+)"', shown)
    assert fetched
    assert b"".join(admin.get(fetched[1])).startswith(b"PK")
    other = Client()
    other.force_login(person("administrator", username="second"))
    assert other.get(fetched[1]).status_code == 404
    assert Entry.objects.filter(action="person.export_fetched").count() == 1
    erase = reverse("console:person_erase", args=[chat.contact_id])
    assert admin.post(erase, {"why": "by letter", "word": "0"}).status_code == 422
    assert admin.post(erase, {"why": NAME, "word": phone[-4:]}).status_code == 422
    assert Erasure.objects.count() == 0
    assert admin.post(erase, {"why": "by letter", "word": phone[-4:]}).status_code == 302
    do_jobs()
    after = admin.get(page).content.decode()
    assert f"entry {Erasure.objects.get().entry}" in after
    assert NAME not in after
    assert admin.get(reverse("console:conversation", args=[chat.pk])).status_code == 200
    assert verify() is None
