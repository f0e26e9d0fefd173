"""Numbers in messages, and which of them is the meter's."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.language import understand
from rasd.language.figures import figures

DIGITS = {
    "ascii": "0123456789",
    "arabic-indic": "٠١٢٣٤٥٦٧٨٩",
    "persian": "۰۱۲۳۴۵۶۷۸۹",
    "devanagari": "०१२३४५६७८९",
    "full-width": "０１２３４５６７８９",
}
THOUSANDS = ["", ",", "٬", "'", "’", "،", " ", "\u00a0", "\u202f"]
POINTS = [".", "٫"]


@pytest.mark.parametrize(
    ("message", "digits", "decimals"),
    [
        ("4521", "4521", 0),
        ("القراءة ٤٥٢١", "4521", 0),
        ("القراءة: ٤٥٢١", "4521", 0),
        ("القراءة\n٤٥٢١", "4521", 0),
        ("القراءة٤٥٢١", "4521", 0),
        ("قراءة العداد لهذا الشهر هي ٠٤٥٢١ شكرا", "04521", 0),
        ("٤ ٥ ٢ ١", "4521", 0),
        ("4-5-2-1", "4521", 0),
        ("04521.3", "045213", 1),
        ("٠٤٥٢١٫٣", "045213", 1),
        ("۴۵۲۱", "4521", 0),
        ("reading is 4,521 kWh", "4521", 0),
        ("4521kWh", "4521", 0),
        ("4521 ك.و.س", "4521", 0),
        ("٤٥٢١ كيلوواط", "4521", 0),
        ("٤٥٢١ كيلو واط ساعة", "4521", 0),
        ("00123.456 م3", "00123456", 3),
        ("123 m³", "123", 0),
        ("4521 م٣", "4521", 0),
        ("4521 وحدة", "4521", 0),
        ("4521 كيلو", "4521", 0),
        ("قراءة الساعة 4521", "4521", 0),
        ("لا 4531", "4531", 0),
        ("لا، الصحيح ٤٥٣١", "4531", 0),
        ("مو 4521، 4531", "4531", 0),
        ("not 4521 but 4531", "4531", 0),
        ("السلام عليكم ٤٥٢١ وشكرا", "4521", 0),
        ("حسابي 12345 والقراءة 4521", "4521", 0),
        ("القراءة السابقة 4500 والحالية 4521", "4521", 0),
        ("القراءة يوم 15/3/2026 هي 4521", "4521", 0),
        ("reading 4521 at 10:30", "4521", 0),
        ("4521 4521", "4521", 0),
        ("4.521,3", "45213", 1),
        ("4521,3", "45213", 1),
        ("القراءة 91234567", "91234567", 0),
        ("reading 5", "5", 0),
        ("\u202b٤٥\u200f٢١\u202c", "4521", 0),
        ("قراءة العداد حقي 4521 وشكرا على الخدمة", "4521", 0),
        ("meter reading for villa 12 is 08812", "08812", 0),
    ],
)
def test_the_reading_is_found(message, digits, decimals):
    found = understand(message).reading
    assert found is not None
    assert (found.digits, found.decimals) == (digits, decimals)
    assert message[found.start : found.end] == found.text


@pytest.mark.parametrize(
    "message",
    [
        "15/3/2026", "2026-03-15", "١٥/٣/٢٠٢٦", "15 مارس", "15-03-2026", "10:30", "الساعة 10", "10.30 am", "١٠ صباحا",
        "+968 9123 4567", "+96891234567", "0096891234567", "91234567", "9123 4567", "٩١٢٣٤٥٦٧", "71234567", "0501234567",
        "اتصلوا علي 24501234", "رقم الحساب 1234567", "account 1234567", "حسابي ٤٥٢١٧٨", "1234567890123",
        "رقم العداد 88123", "serial 88123", "فاتورتي 45.500 ريال", "دفعت 120", "450 OMR", "$120", "بيت رقم 1234",
        "القراءة السابقة 4500", "last reading was 4500", "استهلاكي 450 كيلوواط", "القراءة 4521 و 4530", "4521 4530",
        "1", "12", "٣", "50%", "منذ 300 يوم", "i have 3 meters", "رمز التحقق 482913", "https://example.com/4521",
        "a4521@example.com", "", "؟", "مو 4521", "ticket 4521", "رقم الشكوى 20261", "PO12345",
        "اشتريت 150 كيلو رز", "بناء 500 وحدة سكنية", "the oven should be set to 350",
    ],
)  # fmt: skip
def test_what_is_no_reading_is_not_taken_for_one(message):
    assert understand(message).reading is None


@pytest.mark.parametrize(
    ("message", "account"),
    [
        ("رقم الحساب 1234567", "1234567"),
        ("حسابي ٠١٢٣٤٥٦", "0123456"),
        ("حساب: 12-3456-78", "12345678"),
        ("my account number is 12345678 and the reading 4521", "12345678"),
        ("acc no. 55512", "55512"),
        ("رقم المشترك 98765432", "98765432"),
        ("1234567890", "1234567890"),
        ("raqm el hisab 1234567", "1234567"),
        ("القراءة 4521", None),
        ("91234567", None),
        ("0501234567", None),
        ("حسابي فيه 12 خطأ", None),
    ],
)
def test_the_account_number_is_found(message, account):
    assert understand(message).account_number == account


def write(number: str, system: str, thousands: str, point: str) -> str:
    """A number as a person writes it: its digits in one system, grouped by three, with a point."""
    whole, _, fraction = number.partition(".")
    if thousands:
        first = len(whole) % 3 or 3
        whole = thousands.join([whole[:first], *(whole[at : at + 3] for at in range(first, len(whole), 3))])
    written = whole + (point + fraction if fraction else "")
    return written.translate(str.maketrans(DIGITS["ascii"], DIGITS[system]))


@given(
    whole=st.text("0123456789", min_size=3, max_size=8),
    fraction=st.text("0123456789", max_size=3),
    system=st.sampled_from(sorted(DIGITS)),
    thousands=st.sampled_from(THOUSANDS),
    point=st.sampled_from(POINTS),
    around=st.sampled_from(["{}", "القراءة {}", "reading: {} kWh", "\u200f{}\u200f", "{} م3 شكرا"]),
)
def test_what_was_written_is_what_is_read(whole, fraction, system, thousands, point, around):
    number = whole + ("." + fraction if fraction else "")
    message = around.format(write(number, system, thousands, point))
    found = figures(message).numbers
    assert len(found) == 1
    assert found[0].digits == whole + fraction
    assert found[0].decimals == len(fraction)
    assert found[0].value == Decimal(number)
    assert message[found[0].start : found[0].end] == found[0].text


@given(
    digits=st.text("0123456789", min_size=3, max_size=8),
    system=st.sampled_from(sorted(DIGITS)),
    gap=st.sampled_from([" ", "\u00a0"]),
)
def test_digits_one_by_one_are_one_number(digits, system, gap):
    spelled = gap.join(digits).translate(str.maketrans(DIGITS["ascii"], DIGITS[system]))
    found = understand(f"القراءة {spelled}")
    assert found.reading is not None
    assert found.reading.digits == digits


@given(st.text())
def test_no_text_raises(text):
    found = understand(text)
    for number in found.numbers:
        assert text[number.start : number.end] == number.text
        assert number.digits.isascii()
        assert number.digits.isdecimal()


@given(st.text("0123456789٠١٢٣ ,.،٫٬'-/:+()حسابقراءةkWhm³%\u200f\n", max_size=300))
def test_no_heap_of_digits_and_marks_raises(text):
    understand(text)


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "1,", "123,", "123 ", "1-", "12-", "1.", "12/", "+1", "00", "a@", "www.", "1:",
     "٬", "\u200f1", "موظف ", "ما أبغى ", "to a ", "الال", "aaa", "لا ", "agent said. "],
)  # fmt: skip
def test_time_grows_with_length_and_no_faster(piece):
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        best = float("inf")
        for _ in range(5):
            begun = time.process_time()
            understand(text)
            best = min(best, time.process_time() - begun)
        return best

    seconds(1_000)  # word lists are read on first use
    # Quadratic time would make eight times the length 64 times as slow; the machine may be busy.
    assert seconds(8_000) < 40 * max(seconds(1_000), 0.001)


def test_only_the_first_ten_thousand_characters_are_read():
    assert understand(" " * 10_000 + "4521").numbers == ()
    assert understand(" " * 9_990 + "4521").reading is not None
