"""The pages of cases: which there are, what was done, and closing only with an answer that could be received (G9, G11)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rasd.channels.models import LineLimit, Outgoing
from rasd.console.cases import SHOWN, Clock
from rasd.desk.models import CannedAnswer, Case, CaseKind, Employee, HeldAnswer, Queue
from rasd.ledger.models import Entry
from tests.console.making import Utility
from tests.desk.people import a_line

pytestmark = pytest.mark.django_db


def opened(
    utility: Utility, title: str = "The reader came at night", *, hours_ago: float = 0, **more
) -> Case:
    conversation = more.pop("conversation", None) or utility.conversation()
    return Case.open(
        more.pop("kind", "visit"),
        title,
        at=utility.now - timedelta(hours=hours_ago),
        actor="user:salma",
        origin="employee",
        conversation=conversation,
        **more,
    )


@pytest.fixture
def salma(utility) -> User:
    user = User.objects.create_user("salma", first_name="Salma", last_name="Example")
    user.groups.set(Group.objects.filter(name="agent"))
    Employee.objects.create(user=user)
    utility.queue.people.add(user)
    return user


@pytest.fixture
def desk(salma) -> Client:
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(salma)
    return client


def listed(client: Client, **asked: str) -> list[str]:
    return [case.title for case in client.get(reverse("console:cases"), asked).context["rows"]]


def written() -> list[str]:
    """What staff wrote; the machine tells of a new case by itself."""
    return list(Outgoing.objects.filter(message__author__isnull=False).values_list("text", flat=True))


def do(client: Client, case: Case, deed: str, **typed: str):
    answer = client.post(reverse(f"console:case_{deed}", args=[case.pk]), typed, follow=True)
    case.refresh_from_db()
    return answer


def choices(client: Client, case: Case) -> list[str]:
    """To whom it can be handed on."""
    receivers = client.get(reverse("console:case", args=[case.pk])).context["receivers"]
    return [employee.user.username for _queue, employees in receivers for employee in employees]


# Which there are


def test_late_ones_come_first_and_the_soonest_due_next_and_those_whose_clock_stands_still_last(desk, utility):
    waiting = opened(utility, "waiting", hours_ago=200)
    waiting.wait_for_customer(at=utility.now - timedelta(hours=199), actor="user:salma")
    opened(utility, "soon", hours_ago=10)
    opened(utility, "late", hours_ago=100)
    opened(utility, "far", hours_ago=0)
    assert listed(desk) == ["late", "soon", "far", "waiting"]
    assert listed(desk, state="late") == ["late"]
    assert listed(desk, state="customer") == ["waiting"]
    page = desk.get(reverse("console:cases")).content.decode()
    assert "1 late" in page
    assert "the clock stands still" in page


def test_mine_my_queues_and_all(desk, salma, utility):
    elsewhere = Queue.objects.create(name="Elsewhere", answer_within=timedelta(hours=1))
    kind = CaseKind.usual().get(code="meter")
    kind.queue = elsewhere
    kind.save()
    opened(utility, "mine").take_up(at=utility.now, actor="user:salma")
    opened(utility, "of my queue")
    opened(utility, "of others", kind=kind)
    assert listed(desk, whose="mine") == ["mine"]
    assert listed(desk, whose="queues") == ["mine", "of my queue"]
    assert len(listed(desk)) == 3
    answer = desk.get(reverse("console:cases"))
    assert answer.context["counts"] == {"all": 3, "late": 0, "mine": 1, "queues": 2}
    assert listed(desk, kind="meter") == ["of others"]
    assert listed(desk, owner="salma") == ["mine"]


@pytest.mark.parametrize(
    "wanted", ["الزياره", "زِيارة", "SP000777", "sp0007", "خليل", "{reference}", "90000001", "٩٠٠٠٠٠٠١"]
)
def test_a_case_is_found_by_reference_contact_number_title_and_service_point_however_spelled(
    desk, utility, wanted
):
    case = opened(
        utility,
        "شكوى من الزيارة",
        conversation=utility.conversation(name="خَليل المثال"),
        service_point="SP000777",
    )
    opened(utility, "another")
    assert listed(desk, q=wanted.format(reference=case.reference)) == ["شكوى من الزيارة"]


def test_pages_follow_each_other_without_gap_or_repetition(desk, utility):
    conversation = utility.conversation()
    for n in range(SHOWN + 3):
        opened(utility, f"case {n}", hours_ago=n % 4, conversation=conversation)
    for state in ("open", "all"):
        first = desk.get(reverse("console:cases"), {"state": state})
        second = desk.get(reverse("console:cases") + first.context["next_page"])
        titles = [case.title for case in (*first.context["rows"], *second.context["rows"])]
        assert len(titles) == len(set(titles)) == SHOWN + 3
        assert second.context["next_page"] == ""


@pytest.mark.parametrize(
    "asked", ["?after=nonsense", "?state=x&whose=y&kind=z&owner=w", "?q=%00", "?after=0~2026~1"]
)
def test_an_address_that_makes_no_sense_shows_what_it_can(desk, utility, asked):
    opened(utility)
    assert desk.get(reverse("console:cases") + asked).status_code == 200


def test_the_list_asks_the_same_number_of_questions_for_three_as_for_thirty(desk, utility):
    def questions() -> int:
        with connection.execute_wrapper(counting):
            asked.clear()
            desk.get(reverse("console:cases"))
            return len(asked)

    asked: list[str] = []

    def counting(execute, sql, params, many, context):
        asked.append(sql)
        return execute(sql, params, many, context)

    for _n in range(3):
        opened(utility)
    few = questions()
    for _n in range(27):
        opened(utility)
    assert questions() == few


# One case


def test_its_page_shows_what_it_is_whose_turn_it_is_and_how_much_of_its_time_is_spent(desk, utility):
    case = opened(utility, hours_ago=6, service_point="SP000123")
    page = desk.get(reverse("console:case", args=[case.pk])).content.decode()
    for words in (case.reference, "The reader came at night", "Complaint about a visit", "SP000123", "ours"):
        assert words in page
    assert "6:00" in page
    assert "24:00" in page


def test_the_clock_counts_working_time_and_stands_still_for_the_customer(utility):
    case = opened(utility, hours_ago=30)
    clock = Clock.of(case.work, utility.now)
    assert (clock.spent, clock.percent, clock.is_late) == (timedelta(hours=30), 100.0, True)
    case = opened(utility, hours_ago=6)
    case.wait_for_customer(at=utility.now - timedelta(hours=3), actor="user:salma")
    clock = Clock.of(case.work, utility.now)
    assert (clock.spent, clock.left, clock.percent) == (timedelta(hours=3), timedelta(hours=21), 12.5)
    assert not clock.is_running


def test_history_is_one_line_of_time_and_tells_what_the_customer_sees_from_what_he_does_not(
    desk, salma, utility
):
    case = opened(utility, hours_ago=2)
    do(desk, case, "note", text="He was rude last year too")
    do(desk, case, "say", text="We look into it", key="k1")
    lines = desk.get(reverse("console:case", args=[case.pk])).context["lines"]
    said = {line.entry.text: line.is_public for line in lines if line.entry and line.entry.text}
    assert said == {"He was rude last year too": False, "We look into it": True}
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    customers = desk.get(reverse("console:case", args=[case.pk]), {"public": ""}).content.decode()
    assert "We look into it" in customers
    assert "rude last year" not in customers


def test_a_photograph_stands_in_the_history_as_a_picture_and_in_words_while_it_is_not_here(desk, utility):
    case = opened(utility)
    for sent in (
        utility.writes(case.conversation, "", kind="image"),
        utility.sends_photograph(case.conversation, "04521"),
    ):
        case.hear("", at=utility.now, expects_answer=True, message=sent)
    page = desk.get(reverse("console:case", args=[case.pk])).content.decode()
    assert page.count('<div class="line-text">Photograph</div>') == 1
    picture = reverse("console:photograph", args=[sent.incoming.media.sha256, "thumb"])
    assert picture in page
    assert desk.get(picture).status_code == 200


def test_g11_an_answer_given_in_the_inbox_stands_in_the_case(desk, utility):
    case = opened(utility)
    typed = {"text": "Hamad comes on Tuesday", "key": "k", "as": "answer"}
    desk.post(reverse("console:reply", args=[case.conversation_id]), typed)
    assert "Hamad comes on Tuesday" in desk.get(reverse("console:case", args=[case.pk])).content.decode()


def test_g8_the_work_on_a_case_stands_in_no_line_before_who_waits_for_an_answer(utility):
    """What is due in a week is answered by nobody first: the next one is told that he is number 1, not 2."""
    case = opened(utility, hours_ago=1)
    queue = case.work.queue
    one, other = utility.conversation(), utility.conversation()
    first = one.owe(utility.writes(one, "hello?", minutes_ago=5), queue=queue)
    second = other.owe(utility.writes(other, "hello?", minutes_ago=1), queue=queue)
    assert [queue.place_of(first), queue.place_of(second)] == [1, 2]


def test_where_a_case_is_open_the_conversation_says_that_no_answer_is_owed_not_that_nothing_is(desk, utility):
    case = opened(utility)
    page = desk.get(reverse("console:conversation", args=[case.conversation_id])).content.decode()
    assert "no answer is owed" in page
    assert "nothing is owed" not in page


def test_in_the_list_of_work_the_title_of_a_case_stands_once(as_, utility):
    opened(utility, "The meter hums")
    work = as_("supervisor").get(reverse("console:team_work")).content.decode()
    assert work.count(">The meter hums<") == 1


def test_g12_each_line_of_history_names_its_entry_of_the_ledger(desk, utility):
    case = opened(utility, hours_ago=2)
    do(desk, case, "take_up")
    do(desk, case, "note", text="seen")
    for line in desk.get(reverse("console:case", args=[case.pk])).context["lines"]:
        entry = Entry.objects.get(number=line.number)
        assert entry.action == (f"case.{line.entry.kind}" if line.entry else line.deed.action)
        assert entry.at == line.at
    ledger = desk.get(reverse("console:case_ledger", args=[case.pk])).content.decode()
    assert "obligation.owed" in ledger
    assert "case.note" in ledger


def test_one_page_asks_the_same_however_long_its_history_is(desk, utility, django_assert_max_num_queries):
    case = opened(utility, hours_ago=2)
    for n in range(30):
        case.note(f"note {n}", author=User.objects.get(username="salma"), at=utility.now)
    with django_assert_max_num_queries(40):
        desk.get(reverse("console:case", args=[case.pk]))


# What can be done


def test_g9_the_customers_turn_stops_the_clock_and_taking_it_up_lets_it_run(desk, salma, utility):
    case = opened(utility)
    do(desk, case, "wait")
    assert (case.stage, case.whose_turn) == ("customer", Case.Turn.CUSTOMER)
    assert case.work.running_since is None
    do(desk, case, "take_up")
    assert (case.stage, case.work.owner) == ("working", salma)
    assert case.work.running_since is not None


def test_g9_it_is_handed_on_to_a_queue_or_a_person_with_a_reason(desk, person, utility):
    case = opened(utility)
    billing = Queue.objects.create(name="Billing", answer_within=timedelta(hours=1))
    other = person("agent", username="khalid")
    Employee.objects.create(user=other)
    billing.people.add(other)
    refused = do(desk, case, "hand_on", to=str(billing.pk))
    assert refused.status_code == 422
    assert "Say why" in refused.content.decode()
    do(desk, case, "hand_on", to=str(billing.pk), why="a bill")
    assert case.work.queue == billing
    do(desk, case, "hand_on", to=f"{billing.pk}:khalid", why="he knows it")
    assert case.work.owner == other
    assert "khalid" in choices(desk, case)
    LineLimit.put(other, [a_line("Documents")], by=other, at=utility.now)
    assert "khalid" not in choices(desk, case), "he would not find it"
    refused = do(desk, case, "hand_on", to=f"{billing.pk}:khalid", why="he knew it")
    assert "does not see this line" in refused.content.decode()
    assert "he knows it" in desk.get(reverse("console:case", args=[case.pk])).content.decode()


@pytest.mark.parametrize("to", ["", "9999", "nobody", "1:nobody", "²"])
def test_handing_on_to_nobody_keeps_what_was_typed(desk, utility, to):
    case = opened(utility)
    answer = do(desk, case, "hand_on", to=to, why="a long reason")
    if answer.status_code == 422:
        assert "a long reason" in answer.content.decode()
    assert case.work is not None


def test_g11_closing_shows_the_answer_once_more_before_it_is_sent(desk, utility):
    case = opened(utility)
    shown = do(desk, case, "close", text="A colleague came; he has been spoken to.", key="k")
    assert "Once sent it cannot be taken back" in shown.content.decode()
    assert "he has been spoken to" in shown.content.decode()
    assert case.stage == "open"
    assert not written()
    again = do(desk, case, "close", text="A colleague came", key="k", confirmed="1", edit="1")
    assert "A colleague came" in again.content.decode()
    assert not written()


def test_g7_what_a_colleague_said_meanwhile_stops_a_closing_answer_and_both_are_shown(desk, person, utility):
    case = opened(utility)
    khalid = person("agent", username="khalid")
    typed = {"text": "Nobody came.", "key": "k", "seen": str(case.entries.latest("pk").pk)}
    looked = do(desk, case, "close", **typed)
    assert not looked.context["meanwhile"]
    case.say("We come on Tuesday.", author=khalid, key="his", at=utility.now)
    stopped = do(desk, case, "close", confirmed="1", **typed)
    assert stopped.status_code == 422
    page = stopped.content.decode()
    assert "We come on Tuesday." in page
    assert "Nobody came." in page
    assert (case.stage, written()) == ("open", ["We come on Tuesday."])
    do(desk, case, "close", confirmed="1", **{**typed, "seen": str(stopped.context["seen"])})
    assert case.stage == "answered", "its writer has read both"


def test_g11_it_is_answered_until_the_channel_has_taken_the_answer_and_closed_then(desk, utility):
    case = opened(utility)
    answer = do(desk, case, "close", text="Settled.", key="k", confirmed="1")
    assert case.stage == "answered"
    assert "on its way" in answer.content.decode()
    assert case.work is not None, "its time runs on until then"
    do(desk, case, "close", text="Settled.", key="k", confirmed="1")
    assert Outgoing.objects.filter(text__contains="Settled.").count() == 1, (
        "sent again after a doubt, it goes out once"
    )
    sent = Outgoing.objects.get(text__contains="Settled.")
    sent.accepted_at = utility.now
    sent.save()
    case.settle()
    case.refresh_from_db()
    assert case.stage == "closed"
    page = desk.get(reverse("console:case", args=[case.pk])).content.decode()
    assert "Open it again" in page
    assert "Close with an answer" not in page


def test_g11_an_answer_that_could_not_be_delivered_opens_it_and_says_what_to_do(desk, utility):
    case = opened(utility)
    do(desk, case, "close", text="Settled.", key="k", confirmed="1")
    sent = Outgoing.objects.get(text__contains="Settled.")
    sent.failed_at, sent.error_code, sent.error_words = timezone.now(), 131047, "Re-engagement message"
    sent.save()
    case.settle()
    page = desk.get(reverse("console:case", args=[case.pk])).content.decode()
    assert "could not be delivered" in page
    assert "More than 24 hours have passed" in page
    assert "telephone the customer" in page
    do(desk, case, "gave_link")
    do(desk, case, "close", text="Settled.", key="k2", confirmed="1", on_page="1")
    assert case.stage == "closed", "on the page it can be received at once"


def test_g11_without_a_conversation_the_customer_must_be_known_to_have_the_page(desk, utility):
    case = Case.open("visit", "On paper", at=utility.now, actor="user:salma", origin="employee")
    answer = do(desk, case, "close", text="Settled.", key="k", confirmed="1")
    assert answer.status_code == 422
    assert "could not receive this" in answer.content.decode()
    assert "Settled." in answer.content.decode(), "nothing typed is lost"


def test_g11_reopened_by_an_employee_with_a_reason(desk, utility):
    case = opened(utility)
    case.give_link(at=utility.now, actor="user:salma")
    do(desk, case, "close", text="Settled.", key="k", confirmed="1", on_page="1")
    assert do(desk, case, "reopen").status_code == 422
    do(desk, case, "reopen", why="It was the wrong house")
    assert (case.stage, case.closed_at) == ("open", None)
    assert Entry.objects.get(action="case.reopened").why == "It was the wrong house"


def test_what_is_done_to_a_case_that_somebody_else_just_closed_is_refused_and_nothing_typed_is_lost(
    desk, utility
):
    case = opened(utility)
    case.give_link(at=utility.now, actor="user:salma")
    do(desk, case, "close", text="Settled.", key="k", confirmed="1", on_page="1")
    answer = do(desk, case, "wait")
    assert answer.status_code == 422
    assert "somebody was quicker" in answer.content.decode()


def test_an_answer_under_a_colleagues_claim_is_held_and_kept(desk, person, utility):
    case = opened(utility)
    case.conversation.claim(person("agent", username="khalid"), at=utility.now)
    answer = do(desk, case, "say", text="We look into it", key="k")
    assert "held" in answer.content.decode()
    assert HeldAnswer.objects.get().text == "We look into it"
    closing = do(desk, case, "close", text="Settled.", key="k2", confirmed="1")
    assert "is answering this customer right now" in closing.content.decode()
    assert "Settled." in closing.content.decode()


@pytest.mark.parametrize("text", ["", "   ", "x" * 4097])
def test_nothing_and_too_much_are_refused_with_a_reason(desk, utility, text):
    case = opened(utility)
    for deed in ("say", "note", "close"):
        assert do(desk, case, deed, text=text, key="k").status_code == 422
    assert not written()


def test_ready_words_stand_in_the_customers_language(desk, utility):
    CannedAnswer.objects.create(
        shortcut="hello", title="Hello", text_ar="أهلًا {name}", text_en="Hello {name}"
    )
    case = opened(utility, conversation=utility.conversation(name="مريم"))
    page = desk.get(reverse("console:case", args=[case.pk])).content.decode()
    assert "أهلًا مريم" in page
    assert "answer in Arabic" in page


def test_the_customers_page_is_sent_again_in_his_language_and_given_another_address(desk, utility):
    case = opened(utility)
    old = case.token
    do(desk, case, "send_link", key="k")
    assert case.url in Outgoing.objects.get(text__contains="/t/").text
    do(desk, case, "renew_link")
    assert case.token != old


def test_a_reviewer_sees_no_case(as_, utility):
    case = opened(utility)
    assert as_("reviewer").get(reverse("console:case", args=[case.pk])).status_code == 403


# Opening one


def test_a_case_is_opened_from_a_conversation_whose_words_and_meter_are_proposed(desk, utility):
    conversation = utility.conversation()
    conversation_point = utility.point()
    conversation_point.account.contacts.update(identifier=conversation.address.identifier)
    message = utility.writes(conversation, "The reader came at night\nand broke the gate")
    message.words = message.incoming.text
    message.save()
    address = reverse("console:case_new") + f"?conversation={conversation.pk}"
    form = desk.get(address).context["form"]
    assert form["title"].value() == "The reader came at night"
    assert form["service_point"].value() == conversation_point.number
    kind = CaseKind.objects.get(code="visit")
    typed = {
        "title": "Gate broken",
        "kind": kind.pk,
        "service_point": "SP1",
        "text": "second time",
        "key": "k",
    }
    answer = desk.post(address, typed, follow=True)
    desk.post(address, typed)
    case = Case.objects.get()
    assert (case.title, case.conversation, case.origin) == ("Gate broken", conversation, "employee")
    assert case.reference in answer.content.decode()
    assert not case.public_entries().filter(text="second time").exists()


def test_a_case_is_opened_from_a_photograph_that_makes_trouble(desk, utility):
    review = utility.review("04521")
    address = reverse("console:case_new") + f"?submission={review.submission_id}"
    form = desk.get(address).context["form"]
    assert form["service_point"].value() == review.submission.service_point.number
    kind = CaseKind.objects.get(code="reading")
    desk.post(address, {"title": "Unreadable", "kind": kind.pk, "service_point": "", "text": "", "key": "k"})
    assert Case.objects.get().origin == "submission"


@pytest.mark.parametrize("asked", ["conversation=999999", "conversation=x", "submission=0", "submission=²"])
def test_what_is_not_there_opens_no_case(desk, asked):
    assert desk.get(f"{reverse('console:case_new')}?{asked}").status_code == 404


# On paper


def test_the_sheet_for_an_inspector_has_every_line_with_who_sees_it_and_its_number(desk, utility):
    case = opened(utility, hours_ago=2)
    do(desk, case, "note", text="for us only")
    do(desk, case, "say", text="for him", key="k")
    arabic = desk.get(
        reverse("console:case_sheet", args=[case.pk]), headers={"Accept-Language": "ar"}
    ).content.decode()
    assert 'dir="rtl"' in arabic
    english = desk.get(reverse("console:case_sheet", args=[case.pk])).content.decode()
    for words in ("for us only", "for him", "staff only", "customer and staff", case.reference):
        assert words in english
    assert f"#{Entry.objects.get(action='case.note').number}" in english


# Kinds


def test_a_supervisor_manages_kinds_in_both_languages(as_, utility):
    client = as_("supervisor")
    client.get(reverse("console:case_kinds"))
    typed = {
        "code": "gate",
        "name_ar": "بوابة",
        "name_en": "Gate",
        "matter": "complaint",
        "queue": utility.queue.pk,
        "settle_within": "16",
    }
    assert client.post(reverse("console:case_kind_new"), typed).status_code == 302
    kind = CaseKind.objects.get(code="gate")
    assert kind.settle_within == timedelta(hours=16)
    client.post(
        reverse("console:case_kind", args=[kind.pk]), {**typed, "code": "other-code", "settle_within": "8"}
    )
    kind.refresh_from_db()
    assert (kind.code, kind.settle_within) == ("gate", timedelta(hours=8)), "the ledger knows it by its code"
    assert client.post(reverse("console:case_kind_new"), {**typed, "settle_within": "0"}).status_code == 422


def test_an_agent_does_not(desk):
    assert desk.get(reverse("console:case_kinds")).status_code == 403
    assert desk.get(reverse("console:standards")).status_code == 403
