""" "Did the reader come?": a sample that anybody can draw again, two buttons, answers that are evidence and nothing more (G5)."""

from datetime import timedelta

import pytest

from rasd.channels.models import Address, Channel, Line, OptOut, Outgoing
from rasd.flows.models import ApprovedTemplate, VisitSample
from rasd.ledger.models import Entry
from rasd.metering.models import Account, AccountContact, FieldRead, Reader, VisitQuestion
from tests.flows.conftest import NOON, make_point
from tests.jobs import do_jobs


@pytest.fixture
def visits(line, cycle):
    """``visits(40)``: one of each of so many customers, yesterday."""
    ApprovedTemplate.objects.create(use="visit", language="ar", name="visit", code="ar", body="{{1}} {{2}}")
    reader = Reader.objects.create(code="R1", name="قارئ تجريبي")

    def make(count, first=1, at=NOON - timedelta(days=1)):
        made = []
        for number in range(first, first + count):
            account = Account.objects.create(number=f"V{number}", holder_name="x")
            AccountContact.objects.create(account=account, identifier=f"tel:+9689{number:07}", since=NOON)
            point = make_point(number, account, readings=False)
            made.append(
                FieldRead.objects.create(
                    reader=reader,
                    service_point=point,
                    cycle=cycle,
                    key=f"v{number}",
                    visited_at=at,
                    no_access="locked",
                )
            )
        return made

    return make


def test_the_sample_is_drawn_again_from_its_seed_and_each_visit_is_in_one_sample_only(visits):
    visits(40)
    sample = VisitSample.draw(NOON, share=0.3, seed="five")
    again = VisitSample.objects.get()
    assert [one.pk for one in again.members()] == [one.pk for one in sample.members()]
    assert sample.visits == 40
    assert 3 <= sample.drawn == sample.asked == VisitQuestion.objects.count() <= 24
    assert Entry.objects.get(action="visits.sampled").facts["seed"] == "five"
    assert VisitSample.draw(NOON, share=1) is None
    visits(3, first=50)
    assert VisitSample.draw(NOON, share=1).visits == 3


def test_the_seed_decides_who_is_asked(visits):
    visits(40)
    drawn = [VisitSample(seed=seed, share=0.5, after=0, upto=10**9, at=NOON).members() for seed in ("a", "b")]
    assert drawn[0] != drawn[1]


def test_old_visits_those_who_want_none_and_those_asked_lately_are_left_alone(visits):
    visits(1, at=NOON - timedelta(days=4))
    assert VisitSample.draw(NOON, share=1) is None
    (visit,) = visits(1, first=2)
    contact = visit.service_point.account.contacts.get()
    address = Address.objects.create(channel=Channel.WHATSAPP, phone=contact.identifier[4:])
    OptOut.begin(address, "STOP", at=NOON)
    (asked,) = visits(1, first=3)
    sample = VisitSample.draw(NOON, share=1)
    assert (sample.drawn, sample.asked) == (2, 1)
    FieldRead.objects.create(
        reader=asked.reader, service_point=asked.service_point, key="again", visited_at=NOON, no_access="dog"
    )
    assert VisitSample.draw(NOON, share=1).asked == 0


def test_metas_limit_leaves_a_sample_that_is_smaller_and_as_random(visits):
    visits(12)
    Line.objects.update(daily_customers=10)
    sample = VisitSample.draw(NOON, share=1)
    assert sample.asked == 9
    asked = set(VisitQuestion.objects.values_list("field_read", flat=True))
    assert asked == {one.pk for one in sample.members()[:9]}


def test_two_buttons_answer_it_and_the_answer_is_evidence_of_the_visit(visits, customer):
    (visit,) = visits(1)
    AccountContact.objects.update(identifier=f"tel:+{customer.phone}")
    customer.says("السلام عليكم")
    VisitSample.draw(NOON, share=1)
    do_jobs()
    question = VisitQuestion.objects.get()
    sent = Outgoing.objects.get(key=f"visit:{question.pk}")
    assert [button["id"] for button in sent.buttons] == [
        f"visit:{question.pk}:came",
        f"visit:{question.pk}:not_seen",
    ]
    assert all(len(button["title"]) <= 20 for button in sent.buttons)
    (thanks,) = press(customer, f"visit:{question.pk}:not_seen")
    question.refresh_from_db()
    assert question.answer == "not_seen"
    assert question.answered_at
    assert thanks.key.startswith("visit-answered:")
    assert Entry.objects.get(action="visit.answered").facts["reader"] == visit.reader.code


def test_nobody_answers_a_question_that_another_was_asked(visits, customer):
    visits(1, first=7)
    VisitSample.draw(NOON, share=1)
    press(customer, f"visit:{VisitQuestion.objects.get().pk}:came")
    assert VisitQuestion.objects.get().answer == ""


def test_who_has_not_written_lately_gets_the_template_with_its_quick_replies(visits, world):
    visits(1)
    VisitSample.draw(NOON, share=1)
    do_jobs(queues={"outbox"})
    replies = [part for part in world.sent[0]["template"]["components"] if part["type"] == "button"]
    number = VisitQuestion.objects.get().pk
    assert [part["parameters"][0]["payload"] for part in replies] == [
        f"visit:{number}:came",
        f"visit:{number}:not_seen",
    ]


def press(customer, button):
    reply = {"id": button, "title": "x"}
    return customer.sends(
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}}
    )
