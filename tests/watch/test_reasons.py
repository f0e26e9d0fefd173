"""Each reason of a verdict is a sentence that a manager can read."""

import pytest
from django.utils import translation
from hypothesis import given

from rasd.watch.reasons import SENTENCES, said, sentence
from rasd.watch.verdicts import Reason, judge
from tests.watch.test_verdicts import visits
from tests.watch.visits import errand, well


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_its_sentence_even_where_a_report_tells_little(reason):
    with translation.override("en"):
        assert sentence(reason.value, {}).endswith(".")


def test_there_are_no_sentences_without_a_reason():
    assert set(SENTENCES) == set(Reason)


@given(visits())
def test_the_facts_of_a_verdict_are_all_that_its_sentences_need(findings):
    judgement = judge(findings, well(clock_off=9.0, memory_free=0.01, disk_free=1), well(), errand())
    judgement_of_them = judge(findings, well(), well(), errand())
    with translation.override("en"):
        for told in (judgement, judgement_of_them):
            sentences = said(told.because, told.facts)
            assert len(sentences) == len(told.because)
            assert not any("–" in each or "%" in each.replace("1 %", "") for each in sentences)
