"""The inbox's rules at its doors: who may see what, how many queries a page takes, what becomes of drafts and claims."""

import json
import time as clock
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from rasd.channels.models import Line, LineLimit, Media, Outgoing
from rasd.channels.signals import outgoing_changed
from rasd.console.inbox import USUAL_TODAY, usual_times
from rasd.console.views import conversations
from rasd.console.views.shared import message_key
from rasd.desk.hours import Hours, RoundTheClock, is_open
from rasd.desk.models import (
    CannedAnswer,
    Case,
    ContactAddress,
    Conversation,
    Draft,
    Employee,
    HeldAnswer,
    Merge,
    Notice,
    SavedView,
)
from rasd.flows.live import said_in, topics_of
from rasd.flows.models.links import token_of
from rasd.ledger import evidence
from rasd.ledger.models import Entry
from rasd.metering.models import AccountContact

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def at(name: str, *args) -> str:
    return reverse(f"console:{name}", args=args)


def text_of(answer) -> str:
    return answer.content.decode()


# Speed


@pytest.mark.parametrize(
    "address", ["/conversations/", "/conversations/?state=all", "/conversations/?state=late"]
)
def test_a_list_of_forty_takes_as_many_queries_as_a_list_of_two(as_, utility, address):
    client = as_("agent")

    def queries(n: int) -> int:
        for _ in range(n):
            one = utility.conversation()
            one.owe(utility.writes(one, "hello?", minutes_ago=90), queue=utility.queue)
            one.claim(User.objects.get(username="agent"), at=timezone.now())
        with CaptureQueriesContext(
            connection,
        ) as taken:
            assert client.get(address).status_code == 200
        return len(taken)

    client.get(address)
    few, many = queries(2), queries(38)
    assert many == few
    assert few <= 25


def test_g9_what_is_owed_on_a_case_stands_in_the_list_by_its_time_on_whatever_page(as_, utility, monkeypatch):
    monkeypatch.setattr(conversations, "SHOWN", 1)
    client, shown = as_("agent"), []
    of_cases = [utility.conversation(), utility.conversation()]
    for one in of_cases:
        Case.open("visit", "Nobody came", at=utility.now, actor="user:x", origin="employee", conversation=one)
    soon = utility.conversation()
    soon.owe(utility.writes(soon, "hello?", minutes_ago=5), queue=utility.queue)
    address = at("conversations")
    while address:
        page = client.get(address)
        shown += [row.conversation for row in page.context["rows"]]
        assert all(row.owed for row in page.context["rows"])
        after = page.context["next"]
        address = f"{at('conversations')}?after={after}" if after else ""
    assert shown == [soon, *of_cases]


def test_no_page_of_the_list_counts_conversations(as_, utility):
    """A million are not counted to show fifty: what is counted is what is owed, and never more than a hundred of it."""
    utility.conversation()
    with CaptureQueriesContext(connection) as taken:
        as_("agent").get("/conversations/?state=all")
    assert not [each for each in taken if "COUNT(" in each["sql"] and "desk_conversation" in each["sql"]]
    (counting,) = [each["sql"] for each in taken if each["sql"].startswith("(SELECT 0 AS")]
    assert counting.count("LIMIT 100") == counting.count("UNION ALL") + 1


def test_a_list_of_ones_own_work_is_told_when_some_comes_and_when_it_goes_and_of_nobody_elses(
    as_, person, utility, monkeypatch
):
    """Two hundred lists that are fetched for every message of everybody would hold nothing else up but the desk."""
    salma, hamad = person("agent", username="salma"), person("agent", username="hamad")
    Employee.objects.bulk_create(Employee(user=each) for each in (salma, hamad))
    conversation, now = utility.conversation(), timezone.now()
    owed = conversation.owe(utility.writes(conversation, "متى تعود الكهرباء؟"), queue=utility.queue)
    owed.give(salma, at=now, actor="machine:test")
    told: list[str] = []
    monkeypatch.setattr("rasd.flows.receivers.announce", lambda *topics: told.extend(topics))
    owed.give(hamad, at=now, actor="user:salma")
    assert {f"owner:{salma.pk}", f"owner:{hamad.pk}", f"queue:{utility.queue.pk}"} <= set(told)
    agent = as_("agent")
    mine = f'data-live="owner:{User.objects.get(username="agent").pk}"'
    assert mine in text_of(agent.get("/conversations/?mine=1"))
    assert f'data-live="queue:{utility.queue.pk}"' in text_of(
        agent.get(f"/conversations/?queue={utility.queue.pk}")
    )
    assert 'data-live="conversations"' in text_of(agent.get("/conversations/"))


def test_of_what_was_said_the_lists_and_the_page_are_told_where_and_no_numbers_are_counted_anew(
    as_, person, utility, django_assert_max_num_queries
):
    salma, conversation = person("agent", username="salma"), utility.conversation()
    Employee.objects.create(user=salma)
    owed = conversation.owe(utility.writes(conversation, "متى تعود الكهرباء؟"), queue=utility.queue)
    owed.give(salma, at=timezone.now(), actor="machine:test")
    lists = {f"owner:{salma.pk}", f"queue:{utility.queue.pk}"}
    where = {f"{topic}#{conversation.pk}" for topic in {*lists, str(conversation)}}
    assert set(said_in(conversation)) == {"conversations", *where}
    assert set(topics_of(conversation)) == {"conversations", "owed", str(conversation), *lists}
    utility.writes(conversation, "وهل من جديد؟", minutes_ago=-1)
    as_row, agent = HTMX | {"HX-Target": f"one-{conversation.pk}"}, as_("agent")
    with django_assert_max_num_queries(12):
        row = text_of(agent.get(at("conversation", conversation.pk), {"mine": "1"}, headers=as_row))
    assert row.startswith(f'<li id="one-{conversation.pk}"')
    assert "وهل من جديد؟" in row
    assert f"{at('conversation', conversation.pk)}?mine=True" in row


def test_a_row_of_a_line_that_one_does_not_see_is_not_found(as_, utility):
    agent, conversation = as_("agent"), utility.conversation()
    other = Line.objects.create(channel="whatsapp", external_id="other", name="other", purpose="service")
    LineLimit.put(
        User.objects.get(username="agent"), [other], by=User.objects.get(username="agent"), at=utility.now
    )
    as_row = HTMX | {"HX-Target": f"one-{conversation.pk}"}
    assert agent.get(at("conversation", conversation.pk), headers=as_row).status_code == 404


# Who may


PAGES = ["conversations", "canned_answers", "colleagues"]


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_the_inbox_are_for_agents(as_, name):
    assert as_("reviewer").get(at(name)).status_code == 403
    assert as_("agent").get(at(name)).status_code == 200


def test_a_view_for_everybody_is_made_and_deleted_by_those_who_lead(as_, person, utility):
    agent = as_("agent")
    assert agent.post(at("save_view") + "?state=late", {"name": "Late", "everybody": "1"}).status_code == 403
    agent.post(at("save_view") + "?state=late&language=en", {"name": "Late"})
    mine = SavedView.objects.get()
    assert (mine.owner.username, mine.filters) == ("agent", {"state": "late", "language": "en"})
    lead = as_("agent", "supervisor")
    assert lead.post(at("forget_view", mine.pk)).status_code == 403
    lead.post(at("save_view") + "?state=late", {"name": "Late", "everybody": "1"})
    theirs = SavedView.objects.get(owner=None)
    assert agent.post(at("forget_view", theirs.pk)).status_code == 403
    assert "Late" in text_of(agent.get("/conversations/"))
    assert lead.post(at("forget_view", theirs.pk)).status_code == 302
    assert agent.post(at("forget_view", mine.pk)).status_code == 302
    assert not SavedView.objects.exists()


def test_canned_answers_are_written_by_those_who_lead_and_each_change_is_an_entry(as_):
    words = {"shortcut": "bye", "title": "Goodbye", "text_ar": "شكرًا {name}", "text_en": "Thank you {name}"}
    agent, lead = as_("agent"), as_("supervisor")
    agent.post(at("canned_answers"), words)
    assert not CannedAnswer.objects.exists()
    lead.post(at("canned_answers"), words)
    made = CannedAnswer.objects.get()
    lead.post(at("canned_answer", made.pk), words | {"title": "Farewell"})
    made.refresh_from_db()
    assert made.title == "Farewell"
    assert lead.post(at("canned_answers"), words).status_code == 422  # the shortcut is taken
    assert agent.post(at("forget_canned", made.pk)).status_code == 403
    lead.post(at("forget_canned", made.pk))
    assert not CannedAnswer.objects.exists()
    actions = Entry.objects.filter(subject=f"canned_answer:{made.pk}").values_list("action", flat=True)
    assert list(actions) == ["canned_answer.made", "canned_answer.changed", "canned_answer.deleted"]


def test_a_canned_answer_is_offered_in_the_customers_language(as_, utility):
    one = utility.conversation(name="علي")
    CannedAnswer.objects.create(
        shortcut="hi", title="Greeting", text_ar="أهلًا {name}", text_en="Hello {name}"
    )
    client = as_("agent")
    assert 'data-fill="أهلًا علي"' in text_of(client.get(at("canned", one.pk), {"text": "h"}))
    one.speak("en")
    assert 'data-fill="Hello علي"' in text_of(client.get(at("canned", one.pk), {"text": "gree"}))
    assert "data-fill" not in text_of(client.get(at("canned", one.pk), {"text": "zz"}))


def test_only_those_who_read_conversations_are_offered_for_a_mention(as_, person):
    person("agent", username="sara")
    person("reviewer", username="saleh")
    person("administrator", username="sami")
    offered = text_of(as_("agent").get(at("colleagues"), {"text": "sa"}))
    assert "@sara" in offered
    assert "@sami" in offered
    assert "@saleh" not in offered


# While one types


def types(client, conversation, text: str, **more):
    answer = client.post(at("typing", conversation.pk), {"text": text, "key": "k", "as": "answer"} | more)
    return answer.json()["claim"]


def test_g7_typing_keeps_a_draft_and_claims_and_leaving_lets_go_but_keeps_the_draft(as_, utility):
    one, salim, nora = utility.conversation(), as_("agent"), as_("agent", "reviewer")
    assert types(salim, one, "Good mor") == "mine"
    assert types(nora, one, "Hel") == "theirs"
    assert types(salim, one, "", leaving="1") == ""
    assert types(nora, one, "Hello") == "mine"
    drafts = dict(Draft.objects.values_list("author__username", "text"))
    assert drafts == {"agent-reviewer": "Hello"}
    assert 'value="">' not in text_of(nora.get(at("conversation", one.pk))).split('id="text"')[1][:10]
    assert "Hello</textarea>" in text_of(nora.get(at("conversation", one.pk)))


def test_a_note_being_typed_is_kept_and_claims_nothing(as_, utility):
    one = utility.conversation()
    assert types(as_("agent"), one, "for us", **{"as": "note"}) == ""
    assert Draft.objects.get().text == "for us"


def test_a_draft_that_comes_after_its_answer_is_not_kept(as_, utility):
    """Over a shaking connection what was typed may arrive after what was sent."""
    one, client = utility.conversation(), as_("agent")
    types(client, one, "Hello")
    client.post(at("reply", one.pk), {"text": "Hello", "key": "k", "as": "answer"})
    types(client, one, "Hello")
    assert not Draft.objects.exists()
    assert Outgoing.objects.count() == 1


def test_g7_a_promise_kept_by_a_visit_is_over_once_it_is_said_how(as_, utility):
    one, client = utility.conversation(), as_("agent")
    by = timezone.now() + timedelta(days=1)
    _message, promise = one.promise(
        "We come tomorrow", author=User.objects.get(username="agent"), key="k", at=timezone.now(), by=by
    )
    address = at("keep_promise", one.pk, promise.pk)
    assert address in text_of(client.get(at("conversation", one.pk)))
    for why, open_ in (("", True), ("seen to on the spot", False)):
        client.post(address, {"why": why})
        assert one.obligations.open().exists() is open_
    assert Entry.objects.get(action="obligation.done").why == "seen to on the spot"
    assert client.post(at("keep_promise", utility.conversation().pk, promise.pk)).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_g7_an_answer_and_what_is_typed_at_the_same_moment_do_not_wait_for_each_other_for_ever(as_, utility):
    """Whoever types fast and sends at once: the last of what is typed is on its way while the answer goes."""
    one, client, salim = utility.conversation(), as_("agent"), User.objects.get(username="agent")
    types(client, one, "Hel")

    def types_on() -> str:
        try:
            return types(client, one, "Hello")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Conversation.objects.select_for_update().get(pk=one.pk)
            typing = pool.submit(types_on)
            wait_until_somebody_waits_for_a_lock()
            one.reply("Hello", author=salim, key=message_key("k", "Hello"), at=timezone.now())
            one.release(salim, at=timezone.now())
        assert typing.result(timeout=30) == ""
    assert not Draft.objects.exists()
    assert Outgoing.objects.get().text == "Hello"


def wait_until_somebody_waits_for_a_lock() -> None:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = clock.monotonic() + 10
    while clock.monotonic() < deadline:
        with connection.cursor() as cursor:
            # In a transaction the activity is looked at once; cleared, it is looked at anew.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(asked)
            if cursor.fetchone()[0]:
                return
        clock.sleep(0.02)
    raise AssertionError("nobody waits for a lock within 10 s")


def test_a_note_posted_again_after_a_doubt_is_written_once(as_, utility):
    one, client = utility.conversation(), as_("agent")
    for _again in range(3):
        client.post(at("reply", one.pk), {"text": "for us", "key": "k", "as": "note"}, headers=HTMX)
    assert one.messages.exclude(note="").count() == 1
    client.post(at("reply", one.pk), {"text": "for us", "key": "k2", "as": "note"}, headers=HTMX)
    assert one.messages.exclude(note="").count() == 2  # the same words, meant twice


def test_nothing_is_taken_for_what_was_sent_before_because_it_has_the_same_words(as_, utility):
    one, client = utility.conversation(), as_("agent")
    client.post(at("reply", one.pk), {"text": "ok", "key": "k1", "as": "answer"}, headers=HTMX)
    client.post(at("reply", one.pk), {"text": "ok", "key": "k2", "as": "note"}, headers=HTMX)
    assert one.messages.get(outgoing=None).note == "ok"
    assert types(client, one, "ok", key="k3") == "mine"
    assert Draft.objects.get().text == "ok"


@pytest.mark.parametrize("what", ["send", "drop"])
def test_g7_an_answer_held_is_decided_once_and_said_plainly(as_, utility, what):
    one, salim, nora = utility.conversation(), as_("agent"), as_("agent", "reviewer")
    types(nora, one, "I am here")
    answer = salim.post(at("reply", one.pk), {"text": "Mine", "key": "k", "as": "answer"}, headers=HTMX)
    assert json.loads(answer["HX-Trigger"])["answered"]["said"] == "held"
    assert not Outgoing.objects.exists()
    held = HeldAnswer.objects.get()
    assert "Your answer is not sent" in text_of(salim.get(at("conversation", one.pk)))
    assert "An answer by" in text_of(nora.get(at("conversation", one.pk)))
    assert "An answer is held here" in text_of(nora.post(at("close", one.pk), follow=True))
    Conversation.objects.update(closed_at=timezone.now())  # as before closing asked for it
    page = text_of(nora.post(at("settle_held", one.pk, held.pk), {"what": "send"}, follow=True))
    assert "open it again, and then send" in page
    assert "Do not send it" in page
    assert "Send it after all" not in page
    Conversation.objects.update(closed_at=None)
    nora.post(at("settle_held", one.pk, held.pk), {"what": what})
    other = "drop" if what == "send" else "send"
    page = salim.post(at("settle_held", one.pk, held.pk), {"what": other}, follow=True)
    assert "has decided on it in the meantime" in text_of(page)
    assert Outgoing.objects.count() == (1 if what == "send" else 0)


def test_g7_a_claim_is_taken_from_a_colleague_only_with_a_word_why(as_, utility):
    one, salim, nora = utility.conversation(), as_("agent"), as_("agent", "reviewer")
    types(salim, one, "I")
    page = nora.post(at("take", one.pk), follow=True)
    assert "is answering here. To take over, say why." in text_of(page)
    assert one.claim_at(timezone.now()).holder.username == "agent"
    nora.post(at("take", one.pk), {"why": "he went home"})
    assert one.claim_at(timezone.now()).holder.username == "agent-reviewer"
    assert Entry.objects.get(action="conversation.claim_taken").why == "he went home"


def test_taking_what_is_owed_makes_it_mine(as_, utility):
    one, client = utility.conversation(), as_("agent")
    owed = one.owe(utility.writes(one, "?"), queue=utility.queue)
    user = User.objects.get(username="agent")
    Employee.objects.create(user=user)
    client.post(at("take", one.pk))
    owed.refresh_from_db()
    assert owed.owner == user
    assert one.is_with_people


# Settling


def test_g7_needs_no_answer_can_be_taken_back_for_a_while_and_is_owed_as_before(as_, utility):
    one, client = utility.conversation(), as_("agent")
    owed = one.owe(utility.writes(one, "thanks"), queue=utility.queue)
    client.post(at("waive", one.pk))
    assert one.owed is None
    assert "You said that it needs no answer" in text_of(client.get(at("conversation", one.pk)))
    client.post(at("undo", one.pk))
    again = one.owed
    assert again == owed
    assert (again.due_at, again.waived_by, again.running_since is not None) == (owed.due_at, None, True)
    client.post(at("waive", one.pk))
    one.obligations.update(discharged_at=timezone.now() - timedelta(minutes=1))
    assert "You said that" not in text_of(client.get(at("conversation", one.pk)))
    client.post(at("undo", one.pk))
    assert one.owed is None


def test_closing_is_refused_while_something_is_owed_and_can_be_undone(as_, utility):
    one, client = utility.conversation(), as_("agent")
    one.owe(utility.writes(one, "?"), queue=utility.queue)
    assert "An answer is owed here" in text_of(client.post(at("close", one.pk), follow=True))
    client.post(at("waive", one.pk))
    one.obligations.update(discharged_at=timezone.now() - timedelta(minutes=1))
    client.post(at("close", one.pk))
    one.refresh_from_db()
    assert one.closed_at
    client.post(at("undo", one.pk))
    one.refresh_from_db()
    assert one.closed_at is None


def test_g7_what_is_sent_into_a_closed_conversation_is_kept_and_the_page_says_where_to_go_on(as_, utility):
    one, client = utility.conversation(), as_("agent")
    utility.writes(one, "thanks")
    one.close(at=timezone.now() - timedelta(hours=1), actor="user:agent")
    wanted = {"text": "And one more thing", "key": "k", "as": "answer"}
    assert "open it again" in text_of(client.post(at("reply", one.pk), wanted, headers=HTMX))
    page = text_of(client.post(at("reply", one.pk), wanted, follow=True))
    for words in ("open it again, and then send", "And one more thing", "Open the conversation again"):
        assert words in page
    assert types(client, one, "And one more thing") == ""  # kept, and no claim
    client.post(at("undo", one.pk))
    one.refresh_from_db()
    assert one.closed_at is None
    one.close(at=timezone.now(), actor="user:agent")
    newer = Conversation.objects.create(line=one.line, address=one.address, contact=one.contact)
    page = text_of(client.post(at("reply", one.pk), wanted, follow=True))
    assert f'href="{at("conversation", newer.pk)}"' in page
    assert "And one more thing" in page
    assert not Outgoing.objects.exists()


def test_the_counts_of_the_views_are_told_alone_so_that_what_is_typed_into_the_filters_stays(as_, utility):
    one, client = utility.conversation(), as_("agent")
    one.owe(utility.writes(one, "hello?"), queue=utility.queue)
    for address in ("/conversations/", at("conversation", one.pk)):
        counts, _, filters = text_of(client.get(address)).partition('id="counts"')[2].partition("</div>")
        assert counts.startswith(' data-live="views">')
        assert '<b class="number" data-number="view-i">1</b>' in counts
        assert "data-number" not in filters


def test_what_it_is_about_stays_to_be_chosen_when_the_panel_comes_anew(as_, utility):
    one = utility.conversation()
    one.is_about("complaint", at=utility.now, actor="customer:x")
    panel = text_of(as_("agent").get(at("conversation", one.pk), headers=HTMX | {"HX-Target": "about"}))
    assert '<option value="complaint" selected>' in panel


def test_what_it_is_about_is_chosen_from_the_list(as_, utility):
    one, client = utility.conversation(), as_("agent")
    client.post(at("matter", one.pk), {"matter": "complaint"})
    one.refresh_from_db()
    assert one.matter == "complaint"
    assert "no such matter" in text_of(client.post(at("matter", one.pk), {"matter": "nonsense"}, follow=True))


# Promises


def test_g7_a_promise_is_owed_by_its_time_and_said_in_the_customers_language(as_, utility):
    one, client = utility.conversation(), as_("agent")
    by = timezone.localtime() + timedelta(days=1)
    fields = {"text": "", "key": "k", "as": "promise", "by": by.isoformat()}
    client.post(at("reply", one.pk), fields)
    promised = one.obligations.get(kind="promise")
    assert promised.due_at == by
    assert f"{by:%H:%M}" in Outgoing.objects.get().text


def test_g7_what_was_written_on_a_cases_page_stands_beside_the_answer_until_one_press_says_that_it_is_answered(
    as_, utility
):
    one, client = utility.conversation(), as_("agent", language="en")
    now = timezone.now()
    case = Case.open("visit", "x", at=now, actor="user:x", origin="employee", conversation=one)
    case.hear("When do you come?", at=now, expects_answer=True, key="page")
    shown = text_of(client.get(at("conversation", one.pk)))
    assert "When do you come?" in shown
    assert "The last answer here answers it too" not in shown, "there is none"
    client.post(at("reply", one.pk), {"text": "On Tuesday", "key": "k", "as": "answer"})
    ((owed, answer),) = client.get(at("conversation", one.pk)).context["on_pages"]
    assert case.answer_owed == owed, "an answer here does not discharge it by itself"
    elsewhere = utility.conversation().pk
    assert client.post(at("answered_here", elsewhere, owed.pk, answer.pk)).status_code == 404
    client.post(at("answered_here", one.pk, owed.pk, answer.pk))
    assert not client.get(at("conversation", one.pk)).context["on_pages"]
    assert case.answer_owed, "until the channel has taken it"
    Outgoing.objects.filter(message=answer).update(accepted_at=now)
    outgoing = Outgoing.objects.get(message=answer)
    outgoing_changed.send(sender=Outgoing, outgoing=outgoing)
    assert case.answer_owed is None


def test_g7_an_answer_keeps_a_promise_only_where_it_is_ticked_which_it_is_for_its_maker_once_it_is_due(
    as_, utility
):
    one, client = utility.conversation(), as_("agent", language="en")
    now, maker = timezone.now(), User.objects.get(username="agent")
    for key, days in (("due", 1), ("far", 3)):
        made = now - timedelta(days=1)
        one.promise(f"We come, {key}", author=maker, key=key, at=made, by=made + timedelta(days=days))
    page = client.get(at("conversation", one.pk))
    assert [(tick.promise.words, tick.is_on) for tick in page.context["ticks"]] == [
        ("We come, due", True),
        ("We come, far", False),
    ]
    assert text_of(page).count('name="keeps"') == 2
    client.post(at("reply", one.pk), {"text": "Hello", "key": "k", "as": "answer"})
    assert one.promises.count() == 2
    ticked = page.context["ticks"][0].promise.pk
    client.post(at("reply", one.pk), {"text": "Done", "key": "k2", "as": "answer", "keeps": [ticked, "x"]})
    assert [promise.words for promise in one.promises] == ["We come, far"]


@pytest.mark.parametrize("by", ["", "yesterday", "2020-01-01T12:00", "9999-99-99T00:00", "other"])
def test_a_promise_for_no_time_or_a_past_one_is_refused_and_what_was_typed_stays(as_, utility, by):
    one = utility.conversation()
    fields = {"text": "Soon", "key": "k", "as": "promise", "by": by, "other": ""}
    answer = as_("agent").post(at("reply", one.pk), fields)
    assert answer.status_code == 422
    assert "Choose a moment to come" in text_of(answer)
    assert "Soon</textarea>" in text_of(answer)
    assert not Outgoing.objects.exists()


@given(st.integers(1_577_836_800, 2_208_988_800))  # seconds of Unix time: 2020 to 2040
@settings(max_examples=50)
def test_usual_times_are_to_come_in_order_and_none_twice(second):
    now = datetime.fromtimestamp(second, tz=UTC)
    times = [each.at for each in usual_times(now, RoundTheClock())]
    assert times == sorted(set(times))
    assert all(each > now for each in times)
    assert 3 <= len(times) <= 4


def test_nobody_is_offered_to_promise_a_day_on_which_nobody_works():
    zone = timezone.get_default_timezone()
    week = {day: [(time(8), time(15))] for day in (6, 0, 1, 2, 3)}  # Sunday to Thursday
    hours = Hours(week, zone)
    thursday = datetime(2026, 11, 19, 10, 0, tzinfo=zone)
    times = [each.at for each in usual_times(thursday, hours)]
    assert times[0].timetz() == USUAL_TODAY.replace(tzinfo=zone)
    assert [each.weekday() for each in times[1:]] == [6, 0, 1]
    assert all(is_open(hours, each) for each in times)


# The customer


def test_beside_the_conversation_stands_all_that_is_known_of_its_customer(as_, utility):
    one, other = utility.conversation(name="Ali Example"), utility.conversation()
    other.contact = one.contact
    other.save()
    point = utility.point()
    AccountContact.objects.create(account=point.account, identifier=one.address.identifier)
    one.owe(utility.writes(one, "?"), queue=utility.queue)
    page = text_of(as_("agent").get(at("conversation", one.pk)))
    assert point.number in page
    assert "First line" in page
    assert at("conversation", other.pk) in page


def test_an_agent_ends_the_addresses_of_a_customers_pages_and_it_is_on_record(as_, utility):
    one, point = utility.conversation(), utility.point()
    contact = AccountContact.objects.create(account=point.account, identifier=one.address.identifier)
    token = token_of(contact, timezone.now())
    agent = as_("agent")
    assert agent.get(f"/m/{token}/").status_code == 200
    agent.post(at("end_links", one.pk))
    assert agent.get(f"/m/{token}/").status_code == 404
    entry = Entry.objects.get(action="account.links_revoked")
    assert (entry.actor, entry.why) == ("user:agent", f"asked for in {one}")


def test_what_was_known_of_a_number_before_it_moved_is_not_shown_with_who_has_it_now(as_, utility):
    one, point = utility.conversation(), utility.point()
    AccountContact.objects.create(account=point.account, identifier=one.address.identifier)
    one.address.phone_moved_at = timezone.now() + timedelta(seconds=1)
    one.address.save()
    assert point.number not in text_of(as_("agent").get(at("conversation", one.pk)))


def test_two_contacts_are_put_together_after_being_told_what_will_happen_and_parted_again(as_, utility):
    one, two = utility.conversation(name="Ali Example"), utility.conversation(name="Ali Example")
    for each in (one, two):
        ContactAddress.objects.create(contact=each.contact, address=each.address)
    client = as_("agent")
    merge = at("merge", one.pk, two.contact_id)
    assert merge in text_of(client.get(at("conversation", one.pk)))
    told = text_of(client.get(merge))
    assert "1 conversation is shown with this contact" in told
    assert "never to the other one" in told
    assert not Merge.objects.exists()
    client.post(merge)
    two.refresh_from_db()
    assert two.contact == one.contact
    assert merge not in text_of(client.get(at("conversation", one.pk)))
    client.post(at("reply", two.pk), {"text": "Hello", "key": "k", "as": "answer"})
    assert Outgoing.objects.get().address == two.address
    stranger = utility.conversation(name="Omar Example")
    assert client.post(at("unmerge", stranger.pk, Merge.objects.get().pk)).status_code == 404
    client.post(at("unmerge", one.pk, Merge.objects.get().pk))
    two.refresh_from_db()
    assert two.contact != one.contact


# Files


def kept(utility, conversation, data: bytes, content_type: str, name: str = "file.bin", **more) -> Media:
    message = utility.writes(conversation, "", kind="document")
    sha256, size = evidence.keep([data], limit=10_000_000)
    return Media.objects.create(
        incoming=message.incoming,
        external_id="m",
        file_name=name,
        gives_up_at=utility.now,
        stored_at=None if more else utility.now,
        sha256=sha256,
        size=size,
        content_type=content_type,
        **more,
    )


def body(answer) -> bytes:
    return b"".join(answer)


VOICE = bytes(range(256)) * 8


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("", 200, VOICE),
        ("bytes=0-", 206, VOICE),
        ("bytes=10-19", 206, VOICE[10:20]),
        ("bytes=-5", 206, VOICE[-5:]),
        ("bytes=2040-9999", 206, VOICE[2040:]),
        ("bytes=9999-", 416, b""),
        ("bytes=5-2", 416, b""),
        ("bytes=0-1,4-5", 200, VOICE),
        ("letters=1-2", 200, VOICE),
        ("bytes=-", 200, VOICE),
    ],
)
def test_a_voice_note_is_played_in_whole_or_in_part(as_, utility, wanted, status, part):
    media = kept(utility, utility.conversation(), VOICE, "audio/ogg", "voice.ogg")
    answer = as_("agent").get(at("document", media.sha256), headers={"Range": wanted} if wanted else {})
    assert answer.status_code == status
    if status != 416:
        assert body(answer) == part
        assert answer["Content-Type"] == "audio/ogg"
        assert answer["Content-Disposition"].startswith("inline")
        assert answer["Content-Length"] == str(len(part))


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_a_document_is_saved_and_never_opened_as_a_page_of_ours(as_, utility):
    media = kept(
        utility, utility.conversation(), b"<script>alert(1)</script>", "text/plain", "عقد الإيجار.txt"
    )
    answer = as_("agent").get(at("document", media.sha256))
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_a_file_is_for_those_who_see_conversations_and_one_in_quarantine_for_nobody(as_, utility):
    one = utility.conversation()
    fine = kept(utility, one, b"fine", "audio/ogg")
    bad = kept(utility, one, b"MZ", "application/octet-stream", lost_at=utility.now)
    agent = as_("agent")
    assert agent.get(at("document", fine.sha256)).status_code == 200
    assert agent.get(at("document", bad.sha256)).status_code == 404
    assert agent.get(at("document", "0" * 64)).status_code == 404
    assert as_("reviewer").get(at("document", fine.sha256)).status_code == 403


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_g12_every_view_of_a_file_is_an_entry_once_for_each_person_file_and_hour(as_, utility):
    one = utility.conversation()
    fine = kept(utility, one, b"fine", "audio/ogg")
    photo = utility.sends_photograph(one, "04521").incoming.media
    salim, nora = as_("agent"), as_("agent", "reviewer")
    for _again in range(2):
        for client in (salim, nora):
            client.get(at("document", fine.sha256))
        for size in ("thumb", "whole"):
            salim.get(at("photograph", photo.sha256, size))
    entries = (
        Entry.objects.filter(action="evidence.viewed").order_by("number").values_list("actor", "subject")
    )
    assert list(entries) == [
        ("user:agent", f"evidence:{fine.sha256}"),
        ("user:agent-reviewer", f"evidence:{fine.sha256}"),
        ("user:agent", f"evidence:{photo.sha256}"),
    ]


def test_the_first_page_of_a_pdf_is_a_picture_of_ours(as_, utility):
    import io

    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    document.new_page(300, 400)
    out = io.BytesIO()
    document.save(out)
    media = kept(utility, utility.conversation(), out.getvalue(), "application/pdf", "a.pdf")
    answer = as_("agent").get(at("first_page", media.sha256))
    assert answer["Content-Type"] == "image/jpeg"
    broken = kept(utility, utility.conversation(), b"%PDF-1.7 broken", "application/pdf", "b.pdf")
    assert as_("agent", "reviewer").get(at("first_page", broken.sha256))["Content-Type"] == "image/svg+xml"


# Notices


def test_a_notice_leads_to_what_it_is_about_and_is_read_then(as_, utility):
    one, client = utility.conversation(name="Ali"), as_("agent")
    user = User.objects.get(username="agent")
    notice = Notice.tell(user, Notice.Kind.MENTION, at=timezone.now(), conversation=one)
    assert "A note about" in text_of(client.get("/"))
    assert as_("reviewer").post(at("read_notice", notice.pk)).status_code == 404
    answer = client.post(at("read_notice", notice.pk))
    assert answer["Location"] == at("conversation", one.pk) + "#latest"
    assert "A note about" not in text_of(client.get("/"))
    assert "A note about" in text_of(client.get(at("notices")))


def test_who_opens_a_conversation_has_read_what_the_bell_tells_of_it(as_, utility):
    one, other, client = utility.conversation(), utility.conversation(), as_("agent")
    user = User.objects.get(username="agent")
    for each in (one, other):
        Notice.tell(user, Notice.Kind.GIVEN, at=timezone.now(), conversation=each)
    client.get(at("conversation", one.pk), headers={"HX-Request": "true", "HX-Target": "conversation"})
    assert Notice.unread(user).count() == 2  # it changed by itself in a page that nobody may be looking at
    client.get(at("conversation", one.pk))
    assert [notice.conversation for notice in Notice.unread(user)] == [other]


def test_a_notice_leads_who_reads_no_conversations_to_what_was_owed(as_, utility):
    one, client = utility.conversation(), as_("supervisor")
    owed = one.owe(utility.writes(one, "hello?", minutes_ago=90), queue=utility.queue)
    user = User.objects.get(username="supervisor")
    notice = Notice.tell(user, Notice.Kind.LATE, at=timezone.now(), obligation=owed)
    address = client.post(at("read_notice", notice.pk)).headers["Location"]
    assert client.get(address).status_code == 200
    Notice.tell(user, Notice.Kind.LATE, at=timezone.now(), conversation=one)
    client.post(at("read_all"))
    assert not Notice.unread(user).exists()
