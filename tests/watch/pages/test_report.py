"""A visit's report: what, who, when, from where, as whom; and evidence that runs nothing."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils.html import escape

from rasd.watch.evidence.box import Box
from rasd.watch.evidence.chain import digest_of
from rasd.watch.journeys.steps import VERBS
from rasd.watch.models import Alert, Probe, Shown, Skip
from rasd.watch.pages import words
from rasd.watch.players.finding import ExhibitKind, Outcome, Trouble
from rasd.watch.verdicts import Verdict
from tests.watch.making import NOW, a_transcript, make_journey, make_probe, make_target

pytestmark = pytest.mark.django_db
RULE = "default-src 'none'; sandbox; frame-ancestors 'self'"
HOSTILE = '<script>alert("خذ")</script>'


def page(client: Client, probe: Probe) -> str:
    answer = client.get(f"/probes/{probe.token}")
    assert answer.status_code == 200
    return answer.content.decode()


def exhibit(client: Client, probe: Probe, row: Shown):
    return client.get(f"/probes/{probe.token}/exhibits/{row.sha256}")


@pytest.fixture
def failed(box: Box) -> Probe:
    return make_probe(make_journey(make_target()), how="theirs", box=box, words="الصفحة تقول: حدث خطأ")


def test_the_first_sentence_says_whether_he_got_what_he_came_for_and_the_next_why_not(
    salma: Client, failed: Probe
):
    said = page(salma, failed)
    assert "The visitor did not get what he came for." in said
    assert "The service answered step" in said
    assert "الصفحة تقول: حدث خطأ" in said


def test_a_report_tells_when_by_the_clock_there_and_by_utc_and_how_far_the_watchs_own_clock_was_off(
    salma: Client, failed: Probe
):
    said = page(salma, failed)
    assert "Sunday 22 November 2026, 09:30:00" in said  # Muscat
    assert "2026-11-22 05:30:00 UTC" in said
    assert "off by +0.04 s" in said
    assert "somebody who speaks Arabic, on a phone, over a 4G network, with 3 min of patience" in said


def test_g15_a_fault_of_the_watch_is_told_as_its_own(salma: Client):
    said = page(salma, make_probe(make_journey(make_target()), how="ours"))
    assert "This visit says nothing about the service: the watch itself was at fault." in said.replace(
        "&#x27;", "'"
    )
    assert "did not get" not in said


def test_a_second_visit_and_the_first_point_to_each_other_and_change_nothing_of_each_other(
    salma: Client, failed: Probe
):
    second = make_probe(
        failed.journey, NOW - timedelta(minutes=30), why=Probe.Why.CONFIRMATION, confirms=failed
    )
    assert f"/probes/{failed.token}" in page(salma, second)
    first = page(salma, failed)
    assert f"/probes/{second.token}" in first
    assert "The visitor did not get what he came for." in first


def test_a_strangers_words_are_words(salma: Client, box: Box):
    talk = box.put(
        ExhibitKind.TRANSCRIPT,
        json.dumps({"lines": [{"who": HOSTILE, "seconds": "soon", "words": HOSTILE}, 7]}).encode(),
        "application/json",
    )
    failures = box.put(
        ExhibitKind.NETWORK, json.dumps([{"url": HOSTILE, "status": 404}, None]).encode(), "application/json"
    )
    unreadable = box.put(ExhibitKind.CONSOLE, b"\xff{", "application/json")
    letter = box.put(ExhibitKind.LETTER, HOSTILE.encode(), "text/plain")
    probe = make_probe(
        make_journey(make_target()),
        how="theirs",
        words=HOSTILE,
        box=box,
        exhibits=[talk, failures, unreadable, letter],
    )
    said = page(salma, probe)
    assert HOSTILE not in said
    assert said.count(escape(HOSTILE)) >= 5


def test_evidence_is_served_as_nothing_that_runs(salma: Client, box: Box):
    html = box.put(ExhibitKind.WORDS, HOSTILE.encode(), "text/html")
    drawing = box.put(ExhibitKind.PICTURE, b"<svg onload='alert(1)'/>", "image/svg+xml")
    trace = box.put(ExhibitKind.TRACE, b"PK\x05\x06", "application/zip")
    probe = make_probe(make_journey(make_target()), box=box, exhibits=[html, drawing, trace])
    served = {row.media_type: exhibit(salma, probe, row) for row in probe.exhibits.all()}
    assert {
        kind: (each["Content-Type"], each["Content-Disposition"].split(";")[0])
        for kind, each in served.items()
    } == {
        "image/png": ("image/png", "inline"),
        "text/plain": ("text/plain; charset=utf-8", "inline"),
        "text/html": ("text/plain; charset=utf-8", "inline"),
        "image/svg+xml": ("application/octet-stream", "attachment"),
        "application/zip": ("application/zip", "attachment"),
    }
    assert {each["Content-Security-Policy"] for each in served.values()} == {RULE}
    assert {each["X-Content-Type-Options"] for each in served.values()} == {"nosniff"}


def test_what_was_thrown_away_by_rule_is_gone_and_says_when_and_by_which_rule_and_keeps_its_hash(
    salma: Client, failed: Probe
):
    row = failed.exhibits.filter(kind="picture").first()
    Shown.objects.filter(pk=row.pk).update(thrown_away_at=NOW)
    answer = exhibit(salma, failed, row)
    assert answer.status_code == 410
    assert row.sha256 in answer.content.decode()
    assert "22 November 2026" in answer.content.decode()
    assert "thrown away by rule" in page(salma, failed)


def test_bytes_that_are_not_those_of_their_hash_are_not_shown(salma: Client, failed: Probe, box: Box):
    row = failed.exhibits.filter(kind="words").first()
    box.path(row.sha256).write_bytes(b"something else")
    answer = exhibit(salma, failed, row)
    assert answer.status_code == 409
    assert b"something else" not in answer.content


def test_evidence_of_one_visit_is_not_found_under_another_nor_without_a_login(
    salma: Client, failed: Probe, box: Box
):
    other = make_probe(failed.journey, NOW)
    row = failed.exhibits.first()
    assert salma.get(f"/probes/{other.token}/exhibits/{row.sha256}").status_code == 404
    assert exhibit(Client(), failed, row)["Location"].startswith("/login")
    box.path(row.sha256).unlink()
    assert exhibit(salma, failed, row).status_code == 404


def test_a_seal_that_is_broken_is_said_to_be_on_the_page(salma: Client, failed: Probe):
    assert "the record is as it was sealed" in page(salma, failed)
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL session_replication_role = replica"
        )  # the triggers that forbid it do not hear of it
        cursor.execute("UPDATE watch_probe SET verdict = 'completed' WHERE id = %s", [failed.pk])
    said = page(salma, failed)
    assert "This record was changed after it was sealed." in said
    assert "the record is as it was sealed" not in said


def test_whoever_has_no_rasd_can_check_the_seal_from_the_record(salma: Client, failed: Probe):
    record = json.loads(salma.get(f"/probes/{failed.token}/document.json").content)
    assert digest_of(record["document"]) == record["digest"] == failed.digest


def test_what_was_said_stands_there_as_a_talk_with_a_person_told_from_a_machine(salma: Client, box: Box):
    probe = make_probe(make_journey(make_target()), box=box, exhibits=[a_transcript(box)])
    said = page(salma, probe)
    assert "معك سالم من خدمة المشتركين، تفضل." in said
    assert all(f'class="bubble {who}"' in said for who in ("he", "machine", "person"))


def test_every_code_that_a_page_can_show_has_words():
    for of, codes in {
        "VERDICTS": Verdict,
        "SENTENCES": Verdict,
        "OUTCOMES": Outcome,
        "TROUBLES": Trouble,
        "EXHIBITS": ExhibitKind,
        "WHY": Probe.Why.values,
        "WHYS": Probe.Why.values,
        "SKIPS": Skip.Reason.values,
        "WINDOWS": Alert.Window.values,
        "VERBS": VERBS,
    }.items():
        assert not set(codes) - set(getattr(words, of)), of


def test_a_step_is_told_in_the_headline_as_in_the_list_without_the_languages_own_keys() -> None:
    says = r"hear: words: your bill, keep: amount: ([\d.]+) (within: 30s)"
    assert words.step(says) == f"{words.VERBS['hear']} your bill"
    assert words.step("press: Send") == f"{words.VERBS['press']} Send"
