"""STOP / إيقاف: no message that he did not ask for, from that word on; what answers him comes as before."""

import pytest

from rasd.channels.models import Address, OptOut, Outgoing
from rasd.flows import optouts
from rasd.ledger.models import Entry
from tests.flows.conftest import shows


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop.",
        " Stop ",
        "إيقاف",
        "«ايقاف»",
        "أوقف الرسائل",
        "إلغاء الاشتراك",
        "unsubscribe",
        "وقف التذكيرات",
    ],
)
def test_a_word_that_stops(text):
    assert optouts.wish_of(text) is True


@pytest.mark.parametrize(
    "text",
    ["stop the leak at my meter", "متى إيقاف الخدمة؟", "لا توقف", "4521", "", "stopped", "وقف التيار عندي"],
)
def test_a_sentence_with_the_word_in_it_stops_nothing(text):
    assert optouts.wish_of(text) is None


def test_stop_is_kept_told_and_in_the_ledger_and_answers_come_as_before(customer, point):
    (told,) = customer.says("إيقاف")
    assert "START" in told.text
    assert OptOut.objects.get().words == "إيقاف"
    assert Entry.objects.get(action="messages.stopped").actor == f"customer:tel:+{customer.phone}"
    assert customer.says("إيقاف")
    assert OptOut.objects.count() == 1
    assert "4500" in customer.sends_photograph(shows("04500"))[0].text


def test_start_ends_it_and_of_others_is_no_such_word(customer):
    assert "STOP" not in customer.says("start")[0].text
    customer.says("STOP")
    assert "STOP" in customer.says("START")[0].text
    address = Address.objects.get()
    assert not OptOut.stands_for(address)
    assert Entry.objects.filter(action="messages.wanted").count() == 1


def test_it_is_heard_also_while_a_person_has_the_conversation(customer):
    customer.says("أريد التحدث مع موظف")
    (told,) = customer.says("stop")
    assert "START" in told.text
    assert OptOut.objects.count() == 1


def test_who_told_whatsapp_itself_counts_as_having_told_us(customer):
    customer.says("السلام عليكم")
    sent = Outgoing.objects.first()
    sent.error_code, sent.failed_at = optouts.STOPPED_WITH_META, sent.created_at
    optouts.learn(sent)
    assert OptOut.stands_for(sent.address)
