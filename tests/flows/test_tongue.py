"""In which language a customer is answered: by what he asks for, else by what he mostly writes."""

import pytest

from rasd.flows.tongue import asked_for
from tests.flows.conftest import Customer, shows


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("English please", "en"),
        ("Can you answer in English?", "en"),
        ("do you speak english", "en"),
        ("انجليزي لو سمحت", "en"),
        ("ممكن بالإنجليزي؟", "en"),
        ("ردوا علي بالإنجليزية", "en"),
        ("I don't understand Arabic", "en"),
        ("ما افهم عربي", "en"),
        ("Arabic please", "ar"),
        ("عربي", "ar"),
        ("ممكن بالعربي", "ar"),
        ("بالعربية من فضلك", "ar"),
        ("ما اعرف انجليزي", "ar"),
        ("sorry I do not read English well", "ar"),
        ("my bill is in the English newspaper", None),
        ("the Arabic school next door has no meter", None),
        ("متى يأتي قارئ العداد؟", None),
        ("04521", None),
        ("", None),
    ],
)
def test_a_wish_for_a_language_is_understood_in_both(text: str, language: str | None):
    assert asked_for(text) == language


@pytest.mark.parametrize(
    ("said", "language"),
    [
        (["السلام عليكم", "I want my bill please"], "ar"),
        (["السلام عليكم", "I want my bill please", "where is my bill"], "en"),
        (["السلام عليكم", "I want my bill please", "كم القراءة الجديدة", "where is my bill"], "en"),
        (["السلام عليكم", "كم القراءة الجديدة", "thank you very much", "04480"], "ar"),
        (["hello", "مرحبا كيف الحال"], "ar"),
        (["السلام عليكم", "English please"], "en"),
        (["السلام عليكم", "English please", "بالعربي لو سمحت"], "ar"),
        (["where is my bill", "صباح الخير عليكم"], "en"),
    ],
)
def test_one_message_in_another_language_changes_nothing_and_two_of_three_do(
    customer: Customer, point, said: list[str], language: str
):
    for each in said:
        customer.says(each)
    assert customer.conversation.language == language


def test_whose_conversation_was_closed_is_answered_in_his_language_again(customer: Customer, point):
    customer.says("where is my bill")
    old = customer.conversation
    old.close(at=old.opened_at, actor="user:salma")
    [answer] = customer.sends_photograph(shows("04480"))
    assert old.address.conversations.count() == 2
    assert "is adopted" in answer.text
