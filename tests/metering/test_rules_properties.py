"""The rules, for whatever may come: no verdict is a refusal, nothing sure is invented, nothing is adopted twice."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import phonenumbers
from hypothesis import assume, given
from hypothesis import strategies as st

from rasd.metering import numbers, rules
from rasd.metering.consumption import use_since, used_between
from rasd.metering.importing import cells
from rasd.metering.rules import Facts, Judged, Limits, Seen, Standing, Verdict
from rasd.metering.whose import Face
from rasd.vision import Decision, History, PastReading, RegisterHint, Thresholds

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
REGISTER = RegisterHint(5, 0)
VALUES = st.integers(0, 99_999).map(Decimal)
PROBABILITIES = st.floats(0, 1)
REASONS = st.sampled_from(["sure", "likely", "unlikely_for_history", "below_last", "picture", "unsure"])


@st.composite
def sights(draw) -> Seen:
    value, confidence = draw(st.none() | VALUES), draw(PROBABILITIES)
    return Seen(
        sha256=draw(st.text("0123456789abcdef", min_size=1, max_size=3)),
        value=value,
        confidence=confidence if value is not None else 0.0,
        decision=draw(st.sampled_from(Decision)),
        reason=draw(REASONS),
        candidates={} if value is None else {value: confidence},
        serious=tuple(draw(st.lists(st.sampled_from(["too_dark", "blurred"]), max_size=2))),
        face=Face(tuple(draw(st.lists(st.sampled_from(["E1234567", "X7654321", "2019"]), max_size=2)))),
        recaptured=draw(st.sampled_from(["", "", "screen"])),
    )


@st.composite
def histories(draw) -> History:
    uses = draw(st.lists(st.integers(0, 3_000), max_size=14))
    value, readings = draw(st.integers(0, 99_999)), []
    for index, use in enumerate(uses):
        value = (value + use) % 100_000
        readings.append(PastReading(NOW - timedelta(days=30 * (len(uses) - index)), Decimal(value)))
    return History(tuple(readings), NOW, 5)


@st.composite
def facts(draw) -> Facts:
    standing = st.builds(
        Standing, VALUES, st.sampled_from(["customer", "field", "estimate", "smart"]), own=st.booleans()
    )
    return Facts(
        known_sender=draw(st.booleans()),
        in_window=draw(st.booleans()),
        seen=tuple(draw(st.lists(sights(), max_size=4))),
        typed=draw(st.just("") | st.text(max_size=12) | VALUES.map(str)),
        register=draw(st.none() | st.just(REGISTER)),
        history=draw(st.none() | histories()),
        standing=draw(st.none() | standing),
        own_serial=draw(st.sampled_from(["", "E1234567"])),
        other_serials=draw(st.frozensets(st.sampled_from(["X7654321"]))),
        sent_before=draw(st.sampled_from(["", "", "sent_earlier"])),
        retakes=draw(st.integers(0, 4)),
    )


@st.composite
def promising_facts(draw) -> Facts:
    """Of a known sender in the window, with a history and one to three photographs of the same value, or a number typed."""
    history, value = draw(histories()), draw(VALUES)
    high = st.sampled_from([0.3, 0.8, 0.95, 0.985, 0.99, 0.999])
    drawn = draw(st.lists(st.tuples(high, REASONS), min_size=1, max_size=3))
    album = [
        Seen(
            sha256=f"{index}",
            value=value,
            confidence=confidence,
            decision=Decision.ACCEPT if confidence >= 0.99 else Decision.CONFIRM,
            reason=reason,
            candidates={value: confidence},
        )
        for index, (confidence, reason) in enumerate(drawn)
    ]
    typed = ""
    if history.readings and draw(st.booleans()):
        typed = str((history.readings[-1].value + draw(st.integers(0, 2_000))) % 100_000)
    return Facts(True, True, tuple(album), typed, REGISTER, history)


ADOPTS = {Verdict.ACCEPT}
ASKS = {
    Verdict.CONFIRM, Verdict.RETAKE, Verdict.ALREADY_ADOPTED, Verdict.OTHER_METER, Verdict.UNKNOWN_SENDER,
    Verdict.OUTSIDE_WINDOW,
}  # fmt: skip
A_PERSON = {Verdict.REVIEW}


@given(facts())
def test_g3_every_verdict_of_the_machine_adopts_asks_or_calls_a_person_and_none_rejects(given_facts):
    judged = rules.judge(given_facts)
    assert judged.verdict in ADOPTS | ASKS | A_PERSON
    assert judged.verdict is not Verdict.WITHDRAWN
    assert judged.why


@given(promising_facts())
def test_g3_what_is_accepted_has_a_value_and_is_sure_or_plausible_or_adopted_already(given_facts):
    judged = rules.judge(given_facts)
    assume(judged.verdict is Verdict.ACCEPT)
    assert judged.value is not None
    if judged.why == "adopted":
        assert judged.value == given_facts.standing.value
    elif judged.why == "typed_plausible":
        assert rules.surprise(judged.value, given_facts.history) >= rules.USUAL.plausible
        assert not rules.is_below_last(judged.value, given_facts.history)
    else:
        assert judged.confidence >= rules.USUAL.eye.accept


@given(facts())
def test_g1_g2_nothing_is_accepted_from_a_stranger_outside_the_window_or_over_a_meter_readers_reading(
    given_facts,
):
    judged = rules.judge(given_facts)
    standing = given_facts.standing
    if not given_facts.known_sender or not given_facts.in_window:
        assert judged.verdict in {Verdict.UNKNOWN_SENDER, Verdict.OUTSIDE_WINDOW}
    elif standing and standing.source in {"field", "smart"} and not standing.own:
        assert judged.verdict is not Verdict.ACCEPT


@given(facts(), st.none() | VALUES, st.sampled_from(["likely", "replaces", "sure"]))
def test_g3_a_customers_word_too_is_adopted_told_or_shown_to_a_person(given_facts, asked, why):
    value = asked if asked is not None else Decimal(1234)
    judged = rules.confirmed(value, given_facts, Judged(Verdict.CONFIRM, why, asked))
    assert judged.verdict in {Verdict.ACCEPT, Verdict.ALREADY_ADOPTED, Verdict.REVIEW}
    standing = given_facts.standing
    if judged.verdict is Verdict.ACCEPT and standing and standing.source in {"field", "smart"}:
        assert standing.own


@given(promising_facts(), st.floats(0.5, 1))
def test_g3_a_stricter_limit_never_accepts_what_a_laxer_one_would_not(given_facts, accept):
    lax, strict = Limits(eye=Thresholds(accept, 0.3)), Limits(eye=Thresholds(1.0, 0.3), plausible=0.5)
    if rules.judge(given_facts, strict).verdict is Verdict.ACCEPT:
        assert rules.judge(given_facts, lax).verdict is Verdict.ACCEPT


@given(PROBABILITIES, st.lists(PROBABILITIES, max_size=4))
def test_more_photographs_that_agree_raise_confidence_but_never_beyond_independence(best, others):
    sure = rules.together(best, others)
    independent = 1 - best
    for other in others:
        independent *= 1 - other
    assert best - 1e-12 <= sure <= 1 - independent + 1e-12


# Numbers


@given(st.integers(0, 99_999), st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"]))
def test_a_number_means_the_same_in_every_script_with_spaces_and_leading_zeros(value, digits):
    text = " ".join(digits[int(one)] for one in f"{value:07}")
    assert numbers.parse_number(text) == value
    assert numbers.meanings(text, REGISTER) == [value]


@given(st.text(max_size=20))
def test_no_text_whatever_breaks_the_reading_of_numbers(text):
    value = numbers.parse_number(text)
    assert value is None or value >= 0
    for meaning in numbers.meanings(text, RegisterHint(5, 1)):
        assert numbers.shows(RegisterHint(5, 1), meaning)


@given(st.integers(0, 10**6), st.integers(0, 8), st.integers(0, 9))
def test_a_receipt_with_one_digit_misheard_is_not_one(number, place, digit):
    receipt = numbers.receipt("2026-11", number).replace("-", "")
    assert numbers.luhn(receipt[:-1]) == int(receipt[-1])
    assume(receipt[place] != str(digit))
    wrong = receipt[:place] + str(digit) + receipt[place + 1 :]
    assert numbers.luhn(wrong[:-1]) != int(wrong[-1])


@given(st.sampled_from("279"), st.integers(0, 9_999_999), st.sampled_from(["", "+968", "00968", "968 "]))
def test_the_short_way_to_an_omani_number_leads_where_phonenumbers_does(first, rest, prefix):
    national = f"{first}{rest:07}"
    long_way = phonenumbers.format_number(
        phonenumbers.parse(f"+968{national}", None), phonenumbers.PhoneNumberFormat.E164
    )
    assert cells.phones("phones", f"{prefix}{national[:4]} {national[4:]}") == [f"tel:{long_way}"]


# Consumption


@given(st.integers(0, 99_999), st.integers(0, 99_999))
def test_use_is_what_has_to_be_added_to_get_from_one_reading_to_the_next(one, two):
    used = used_between(Decimal(one), Decimal(two), 5)
    assert 0 <= used < 100_000
    assert (one + used) % 100_000 == two


@given(st.integers(0, 99_999), st.integers(1, 2_000), st.integers(20, 45))
def test_a_place_that_always_uses_the_same_uses_as_much_as_last_year(start, a_day, gap):
    past = [
        PastReading(NOW - timedelta(days=gap * back), Decimal((start - a_day * gap * back) % 10**6))
        for back in range(800 // gap, 0, -1)
    ]
    use = use_since(Decimal(start), NOW, digits=6, unit="kWh", past=past, earlier_meters=[])
    assume(a_day * gap < 500_000)  # beyond half its range a roll-over cannot be told from a wrong entry
    assert use.value == a_day * gap
    assert float(use.last_year_per_day) == a_day
    assert abs(use.change) < 0.001
