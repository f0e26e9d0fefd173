"""What other rooms wrote down in English is told in the reader's language."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import translation

from rasd.channels.models import Delivery
from rasd.channels.outbox import WINDOW_CLOSED
from rasd.console import faults

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            "the customer last wrote more than 24 hours ago, and there is no template to write with: give the line a "
            "reopening template, or wait until the customer writes",
            "قالب",
        ),
        ("its id died on 2026-11-20 10:00 UTC; last: 404 Not Found", "يحتفظ واتساب"),
        ("too large: 104857601 bytes", "أكبر"),
        ("WhatsApp refused (500): Service Unavailable", "رفض واتساب"),
        ("line 4711 is not known: add it under Lines and this is sorted again", "خط"),
    ],
)
def test_a_known_sentence_is_said_in_arabic_and_a_strangers_words_stand_apart(written, told):
    with translation.override("ar"):
        shown = faults.told(written)
    assert told in shown


def test_a_sentence_within_a_sentence_is_told_too_and_markup_stays_text():
    with translation.override("ar"):
        shown = faults.told(
            "its id died on 2026-11-20 10:00 UTC; last: WhatsApp did not answer: <b>100%s</b>"
        )
    assert "لم يجب واتساب" in shown
    assert '<bdi dir="ltr">&lt;b&gt;100%s&lt;/b&gt;</bdi>' in shown


def test_what_nobody_knows_stands_as_it_is():
    assert faults.told("404 <gone>") == '<bdi dir="ltr">404 &lt;gone&gt;</bdi>'


def test_a_message_from_the_future_is_a_matter_of_the_clock_not_of_the_makers():
    later = int(AT.timestamp()) + 86400
    trouble = f"messages[0]: timestamp '{later}' is no time: taken as sent when it was delivered"
    with translation.override("en"):
        assert 'in the future, on <bdi dir="ltr">2026-11-22 12:00 UTC</bdi>' in faults.told(trouble, until=AT)
        assert "(messages[0])" in faults.told(trouble, until=AT)
    assert faults.to_do(trouble, until=AT) == [faults.CLOCK]
    assert faults.to_do("messages[0]: timestamp 'soon' is no time: taken as sent", until=AT) == [
        faults.MAKERS
    ]


def test_each_thing_to_do_is_said_once():
    troubles = (
        "line 7 is not known: add it\nline 8 is not known: add it\nentry[0].changes[1]: value is missing"
    )
    assert faults.to_do(troubles, until=AT) == [faults.LINE, faults.MAKERS]


@pytest.mark.django_db
def test_troubles_in_arabic_are_arabic(as_, utility):
    utility.says(
        utility.conversation(),
        "Hello",
        failed_at=utility.now,
        error_code=WINDOW_CLOSED,
        error_words="the customer last wrote more than 24 hours ago, and there is no template to write with: give it",
    )
    later = int(utility.now.timestamp()) + 86400
    Delivery.objects.create(
        channel="whatsapp", body=b"{}", trouble=f"messages[0]: timestamp '{later}' is no time: taken as sent"
    )
    page = as_("supervisor", language="ar").get(reverse("console:troubles")).content.decode()
    assert "the customer last wrote" not in page
    assert "is no time" not in page
    assert "المستقبل" in page
