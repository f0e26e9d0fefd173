import json
from datetime import timedelta

import pytest
from django.urls import reverse

from rasd.channels.models import Outgoing
from rasd.desk.models import Conversation, Message
from rasd.ledger.models import Entry
from tests.console.filling import a_conversation, adopt

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def reply(client, conversation, text: str, key: str = "one", *, as_: str = "answer", **more):
    fields = {"text": text, "key": key, "as": as_}
    return client.post(reverse("console:reply", args=[conversation.pk]), fields, **more)


def listed(client, **query) -> list[Conversation]:
    answer = client.get(reverse("console:conversations"), query)
    assert answer.status_code == 200
    return [one.conversation for one in answer.context["rows"]]


def test_those_owed_an_answer_are_shown_first_the_soonest_due_on_top(as_, utility):
    calm, late, soon = utility.conversation(), utility.conversation(), utility.conversation()
    utility.writes(calm, "thanks")
    soon.owe(utility.writes(soon, "hello?", minutes_ago=5), queue=utility.queue)
    late.owe(utility.writes(late, "hello??", minutes_ago=50), queue=utility.queue)
    client = as_("agent")
    assert listed(client) == [late, soon]
    assert listed(client, state="late") == [late]
    assert set(listed(client, state="all")) == {calm, late, soon}
    assert listed(client, state="waiting") == [calm]
    page = client.get(reverse("console:conversations")).content.decode()
    assert "late by 20 minutes" in page
    assert "due in 24 minutes" in page


@pytest.mark.parametrize("state", ["all", "owed"])
def test_the_list_goes_on_page_by_page_and_misses_nobody_whatever_is_added_meanwhile(
    as_, utility, monkeypatch, state
):
    monkeypatch.setattr("rasd.console.views.conversations.SHOWN", 2)
    there = set()
    for n in range(5):
        one = utility.conversation()
        one.last_message_at = utility.now - timedelta(minutes=n // 2)  # some at the same moment
        one.save()
        one.owe(utility.writes(one, "?", minutes_ago=n // 2), queue=utility.queue)
        there.add(one.pk)
    client, address, seen = as_("agent"), f"{reverse('console:conversations')}?state={state}", []
    for _page in range(3):
        answer = client.get(address)
        seen += [one.conversation.pk for one in answer.context["rows"]]
        address = f"{reverse('console:conversations')}?state={state}&after={answer.context['next']}"
        newer = utility.conversation()
        newer.owe(utility.writes(newer, "?", minutes_ago=20), queue=utility.queue)
    assert answer.context["next"] == ""
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


@pytest.mark.parametrize(
    "cursor", ["", "x", "1~", "~1", "9e99~1", "nan~1", "\0", "1~99999999999999999999999"]
)
def test_a_cursor_that_makes_no_sense_is_no_fault(as_, utility, cursor):
    utility.conversation()
    client = as_("agent")
    for state in ("all", "owed"):
        assert (
            client.get(reverse("console:conversations"), {"after": cursor, "state": state}).status_code == 200
        )


def test_people_are_found_by_name_or_number_and_words_by_what_was_said(as_, utility):
    ali, other = utility.conversation(name="علي المثال"), utility.conversation(name="Somebody")
    said(ali, utility, "القراءة مرتفعة هذا الشهر")
    client = as_("agent")
    assert listed(client, q="علي", state="all") == [ali]
    assert listed(client, q=other.address.phone[-6:], state="all") == [other]
    assert listed(client, q="مرتفعه", state="all") == [ali]
    page = client.get(reverse("console:conversations"), {"q": "مرتفعه", "state": "all"}).content.decode()
    assert "<mark>مرتفعة</mark>" in page
    assert (
        "Nothing found"
        in client.get(reverse("console:conversations"), {"q": "zzz", "state": "all"}).content.decode()
    )


def said(conversation, utility, text: str) -> Message:
    message = utility.writes(conversation, text)
    message.words = text
    message.save()
    return message


def test_the_chat_shows_what_the_customer_sees_and_what_became_of_the_photograph(as_, utility, person):
    one = a_conversation(utility, person("administrator", username="salma"))
    client, address = as_("agent"), reverse("console:conversation", args=[one.pk])
    page = client.get(address).content.decode()
    assert "السلام عليكم" in page
    assert "أريد موظفًا" in page
    assert 'class="photo"' in page
    assert "2611-00042-7" in page
    assert "04521" in page
    assert '<bdi dir="ltr">131026</bdi>: <bdi dir="ltr">Message undeliverable</bdi>' in page
    Outgoing.objects.update(error_words="131026: Message undeliverable")  # as the outbox keeps it
    assert client.get(address).content.decode().count("131026") == 1
    assert "This number cannot receive it" in page
    assert "✓✓" in page
    assert "الفاتورة السابقة كانت تقديرية" in page


def test_what_customers_write_stays_text(as_, utility):
    one = utility.conversation(name="<b>Bold</b>")
    utility.writes(one, "<script>alert(1)</script>")
    page = as_("agent").get(reverse("console:conversation", args=[one.pk])).content.decode()
    assert "<script>alert(1)" not in page
    assert "<b>Bold" not in page


def test_an_answer_is_sent_once_however_often_it_is_posted(as_, utility, django_capture_on_commit_callbacks):
    one = utility.conversation()
    one.owe(utility.writes(one, "hello?"), queue=utility.queue)
    client = as_("agent")
    for _again in range(3):
        assert reply(client, one, "How can I help?").status_code == 302
    sent = Outgoing.objects.get()
    assert sent.text == "How can I help?"
    assert one.messages.get(outgoing=sent).author.username == "agent"
    one.refresh_from_db()
    assert one.owed.discharged_by.outgoing == sent


def test_other_words_under_the_same_key_are_another_message(as_, utility):
    one = utility.conversation()
    client = as_("agent")
    reply(client, one, "First")
    reply(client, one, "First, and more")
    assert list(Outgoing.objects.order_by("id").values_list("text", flat=True)) == [
        "First",
        "First, and more",
    ]


def test_after_sending_the_page_is_told_so_and_given_a_new_key(as_, utility):
    answer = reply(as_("agent"), utility.conversation(), "Hello", headers=HTMX)
    assert answer.status_code == 204
    assert json.loads(answer["HX-Trigger"])["answered"]["key"] not in {"", "one"}


def test_a_refusal_comes_back_as_words_alone_and_leaves_the_page_as_it_is(as_, utility):
    answer = reply(as_("agent"), utility.conversation(), " ", headers=HTMX)
    assert answer.status_code == 422
    assert answer.templates[0].name == "console/_problem.html"


@pytest.mark.parametrize(
    ("text", "words"), [("   ", "Type an answer first"), ("x" * 4097, "longer than WhatsApp takes")]
)
def test_what_cannot_be_sent_is_refused_with_words(as_, utility, text, words):
    answer = reply(as_("agent"), utility.conversation(), text)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Outgoing.objects.exists()


def test_a_nul_byte_is_left_out_wherever_one_may_type(as_, utility):
    one = utility.conversation(name="Ali")
    client = as_("agent")
    assert listed(client, q="\0Al\0i", after="\0", state="all") == [one]
    reply(client, one, "He\0llo", key="k\0")
    reply(client, one, "call\0 back", as_="note")
    assert Outgoing.objects.get().text == "Hello"
    assert Message.objects.exclude(note="").get().note == "call back"
    assert reply(client, one, "\0").status_code == 422


def test_without_script_one_comes_back_to_what_was_just_said(as_, utility):
    one = utility.conversation()
    client = as_("agent")
    answer = reply(client, one, "Hello")
    assert answer["Location"].endswith("#latest")
    page = client.get(answer["Location"]).content.decode()
    assert page.count('id="latest"') == 1
    assert page.index('id="latest"') > page.index('class="bubble')


def test_taking_silences_the_machine_and_giving_back_lets_it_speak(as_, utility):
    one = utility.conversation()
    client = as_("agent")
    client.post(reverse("console:take", args=[one.pk]))
    assert one.is_with_people
    assert one.say("I am a machine", key="m", at=utility.now) is None
    assert (
        "a colleague took over" in client.get(reverse("console:conversation", args=[one.pk])).content.decode()
    )
    client.post(reverse("console:give_back", args=[one.pk]))
    assert not one.is_with_people
    actions = list(Entry.objects.filter(subject=str(one)).values_list("action", "actor"))
    assert actions == [("conversation.handed_over", "user:agent"), ("conversation.given_back", "user:agent")]


def test_a_note_is_for_colleagues_only(as_, utility):
    one = utility.conversation()
    reply(as_("agent"), one, "call back on Tuesday", as_="note")
    assert Message.objects.get().note == "call back on Tuesday"
    assert not Outgoing.objects.exists()


def test_a_closed_window_is_said_before_one_types(as_, utility):
    one = utility.conversation()
    one.address.last_wrote_at = utility.now - timedelta(hours=25)
    one.address.save()
    assert "24 hours ago" in as_("agent").get(reverse("console:conversation", args=[one.pk])).content.decode()


def test_an_album_has_its_outcome_once_beside_its_last_photograph(as_, utility):
    one = utility.conversation()
    first = utility.sends_photograph(one, "04521", minutes_ago=3)
    last = utility.sends_photograph(one, "04522", minutes_ago=2)
    submission = utility.submission("04521", point=utility.point(), message=first)
    submission.photographs.create(
        origin=f"whatsapp:{last.incoming.external_id}", sha256="0" * 64, sent_at=last.at
    )
    adopt(utility, submission, 4521, receipt="2611-00001-1")
    answer = as_("agent").get(reverse("console:conversation", args=[one.pk]))
    outcomes = {bubble.message.pk: bubble.outcome for bubble in answer.context["chat"].bubbles}
    assert outcomes[first.pk] is None
    assert outcomes[last.pk].adoption.receipt == "2611-00001-1"


def test_a_long_conversation_shows_its_end_and_the_rest_on_demand(as_, utility, monkeypatch):
    monkeypatch.setattr("rasd.console.chat.SHOWN", 3)
    one = utility.conversation()
    for n in range(5):
        utility.writes(one, f"message {n}", minutes_ago=10 - n)
    client, address = as_("agent"), reverse("console:conversation", args=[one.pk])
    page = client.get(address, {"state": "late"}).content.decode()
    assert "message 0" not in page
    assert "2 earlier messages" in page
    assert 'href="?state=late&amp;all=1"' in page, "the list beside it stays as it is"
    assert "message 0" in client.get(address, {"all": "1"}).content.decode()
