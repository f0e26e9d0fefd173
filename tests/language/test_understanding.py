"""One message understood: language, short answers, manners."""

import statistics
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.language import normalise_arabic, understand


@pytest.mark.parametrize(
    ("message", "language"),
    [
        ("القراءة ٤٥٢١", "ar"),
        ("my reading is 4521", "en"),
        ("Hello", "en"),
        ("العداد reading 4521", "ar"),
        ("4521", None),
        ("٤٥٢١", None),
        ("4521 kWh", None),
        ("12 m3", None),
        ("👍", None),
        ("", None),
        ("कितना बिल है", None),
        ("abi akallem mowathaf", "ar"),
        ("kam el fatora", "ar"),
        ("3ayez a3raf el fatora", "ar"),
        ("salam alaikum", "ar"),
        ("I am in flat 3a", "en"),
        ("my bill for may is wrong", "en"),
    ],
)
def test_the_language_is_told_by_script_and_by_words(message, language):
    assert understand(message).language == language


@pytest.mark.parametrize(
    ("message", "dialect"),
    [
        ("أبا أرمس حد الحين", "gulf"),
        ("وش السالفة طفشت منكم تكفون", "saudi"),
        ("عايز اعرف الفاتورة دلوقتي", "egyptian"),
        ("شو صار بالفاتورة، بدي اعرف هلق", "levantine"),
        ("اكو كهرباء هسه لو ماكو", "iraqi"),
        ("بغيت نعرف الفاتورة ديالي بزاف", "maghrebi"),
        ("أريد معرفة قيمة الفاتورة", None),
        ("4521", None),
        ("my bill", None),
    ],
)
def test_the_dialect_is_a_hint_where_words_give_it_away(message, dialect):
    assert understand(message).dialect == dialect


@pytest.mark.parametrize(
    "message",
    ["نعم", "اي", "إي نعم", "ايوه", "أيوة", "هيه", "صح", "صحيح", "تمام", "طيب", "أكيد",
     "نعم هذا هو الرقم الصحيح", "نعم 4521",
     "اي والله صح", "نعم شكرا", "yes", "Yes!", "ok", "okay thanks", "yes it is", "correct",
     "that's right", "na3am", "aywa", "👍", "✅"],
)  # fmt: skip
def test_a_yes_is_understood(message):
    assert understand(message).yes_no is True


@pytest.mark.parametrize(
    "message",
    ["لا", "لأ", "لااااا", "غلط", "خطأ", "مو صح", "مب صح", "مش صح", "غير صحيح", "لا 4531",
     "لا، العداد ما وصل", "لا غلط", "مش مظبوط",
     "لا شكرا", "no", "No.", "nope", "wrong", "that's wrong", "not correct", "no it's 4531", "la2", "👎", "❌"],
)  # fmt: skip
def test_a_no_is_understood(message):
    assert understand(message).yes_no is False


@pytest.mark.parametrize(
    "message",
    ["", "4521", "نعم لا", "yes no", "كم الفاتورة", "لا تقطعوا الكهرباء", "العداد مو شغال",
     "no water since monday",
     "right side of the house", "ok but my bill is wrong", "نعم؟", "👍👎", "السلام عليكم"],
)  # fmt: skip
def test_what_is_neither_yes_nor_no_is_left_open(message):
    assert understand(message).yes_no is None


@pytest.mark.parametrize(
    "message",
    [
        "السلام عليكم",
        "مرحبا",
        "صباح الخير، كم فاتورتي؟",
        "hello",
        "Good morning",
        "salam",
        "السلام عليكم ورحمة الله وبركاته",
    ],
)
def test_a_greeting_is_seen_and_expects_an_answer(message):
    found = understand(message)
    assert found.greeting
    assert found.expects_answer


@pytest.mark.parametrize(
    "message",
    ["شكرا", "شكرًا جزيلًا لكم", "مشكورين", "يعطيكم العافية", "تسلم يا غالي", "جزاكم الله خيرا",
     "ما قصرتوا", "thanks", "Thank you so much!",
     "ok thanks", "thank you for your help", "shukran", "تمام شكرا 🙏"],
)  # fmt: skip
def test_g7_thanks_expect_no_answer(message):
    found = understand(message)
    assert found.thanks
    assert not found.expects_answer


@pytest.mark.parametrize(
    "message", ["", "   ", "👍", "😂😂", "🙏🏽", "❤️", "...", "تمام", "ok", "الحمد لله", "ان شاء الله"]
)
def test_g7_a_nod_expects_no_answer(message):
    assert not understand(message).expects_answer


@pytest.mark.parametrize(
    "message",
    ["؟", "??", "👍؟", "شكرا، بس متى يجي الموظف", "thanks but my bill is wrong", "شكرا ابي موظف",
     "4521", "نعم", "لا", "فاتورتي",
     "شكرا القراءة 4521", "ok when", "तुम कौन"],
)  # fmt: skip
def test_g7_everything_else_expects_an_answer(message):
    assert understand(message).expects_answer


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("أإآٱا", "ااااا"),
        ("قراءة", "قراه"),
        ("على", "علي"),
        ("مُوَظَّفٌ", "موظف"),
        ("مـوظـف", "موظف"),
        ("٠١٢۳۴۵", "012345"),
        ("\u200fمو\u200cظف\u202c", "موظف"),
        ("ﻣﻮﻇﻒ", "موظف"),
        ("کی", "كي"),
        ("احچي", "احجي"),
        ("Plain 4,521", "Plain 4,521"),
    ],
)
def test_arabic_is_brought_to_one_spelling(written, normal):
    assert normalise_arabic(written) == normal


@given(st.text(st.characters(min_codepoint=0x600, max_codepoint=0x6FF)) | st.text())
def test_normal_arabic_stays_as_it_is(text):
    assert normalise_arabic(normalise_arabic(text)) == normalise_arabic(text)


def test_the_same_message_is_understood_the_same_and_its_text_is_kept():
    message = "\u200fأُريدُ ٤٥٢١"
    assert understand(message) == understand(message)
    assert understand(message).text == message


def test_a_message_takes_less_than_a_millisecond():
    messages = [
        "السلام عليكم، القراءة ٤٥٢١ وشكرا",
        "I want to talk to an agent please",
        "لا الصحيح 4531",
        "abi mowathaf",
    ] * 50
    understand(messages[0])
    times = []
    for message in messages:
        begun = time.perf_counter()
        understand(message)
        times.append(time.perf_counter() - begun)
    assert statistics.median(times) < 0.001
