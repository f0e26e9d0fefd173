"""Evidence lies in the box as long as some probe needs it; hashes stay for ever."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rasd.watch.evidence.box import Box
from rasd.watch.models import Shown
from rasd.watch.players.finding import ExhibitKind
from tests.watch import reports
from tests.watch.reports import NOON, finding, record

DAY = timedelta(days=1)


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def put(box, data, at=NOON):
    exhibit = box.put(ExhibitKind.WORDS, data, "text/plain")
    os.utime(box.path(exhibit.sha256), (at.timestamp(), at.timestamp()))
    return exhibit


def throw_away(box, at, watcher=None):
    return Shown.objects.throw_away(at, box, watcher or reports.watcher())


@pytest.mark.django_db
def test_bytes_go_when_their_time_is_over_and_their_hash_stays(box):
    exhibit = put(box, b"a page")
    probe = record(findings=(finding(1, exhibits=(exhibit,)),))
    assert throw_away(box, NOON + 29 * DAY) == 0
    assert box.get(exhibit.sha256) == b"a page"
    at = NOON + 31 * DAY
    assert throw_away(box, at) == 1
    assert not box.path(exhibit.sha256).exists()
    shown = probe.exhibits.get()
    assert (shown.sha256, shown.thrown_away_at) == (exhibit.sha256, at)
    assert probe.changed() == ""
    assert throw_away(box, at + DAY) == 0


@pytest.mark.django_db
def test_bytes_that_a_failure_needs_too_stay_as_long_as_the_failures(box):
    exhibit = put(box, b"[]")
    well = record(findings=(finding(1, exhibits=(exhibit,)),))
    badly = record("theirs", findings=(finding(1, exhibits=(exhibit, exhibit)),))
    assert throw_away(box, NOON + 31 * DAY) == 0
    assert box.get(exhibit.sha256) == b"[]"
    assert throw_away(box, NOON + 401 * DAY) == 1
    assert not Shown.objects.filter(probe__in=[well, badly], thrown_away_at=None).exists()


@pytest.mark.django_db
def test_bytes_that_a_visit_has_just_put_again_are_left_for_it(box):
    exhibit = put(box, b"a page")
    probe = record(findings=(finding(1, exhibits=(exhibit,)),))
    at = NOON + 31 * DAY
    put(box, b"a page", at=at - timedelta(hours=1))
    assert throw_away(box, at) == 0
    assert probe.exhibits.get().thrown_away_at is None
    assert throw_away(box, at + DAY) == 1


@pytest.mark.django_db
def test_what_another_watcher_keeps_elsewhere_is_not_said_to_be_gone(box):
    record(findings=(finding(1, exhibits=(put(box, b"a page"),)),))
    assert throw_away(box, NOON + 500 * DAY, reports.watcher("there")) == 0
    assert Shown.objects.get().thrown_away_at is None


@pytest.mark.django_db
def test_what_a_visit_left_that_died_before_it_was_recorded_is_swept_after_a_day(box):
    kept, orphan = put(box, b"of a probe"), put(box, b"of nobody")
    record(findings=(finding(1, exhibits=(kept,)),))
    unfinished = box.path(kept.sha256).with_name(f".{kept.sha256}.4711")
    unfinished.write_bytes(b"half")
    os.utime(unfinished, (NOON.timestamp(), NOON.timestamp()))
    assert Shown.objects.sweep(NOON + DAY - timedelta(seconds=1), box) == 0
    assert unfinished.exists()
    assert Shown.objects.sweep(NOON + DAY + timedelta(seconds=1), box) == 1
    assert not box.path(orphan.sha256).exists()
    assert not unfinished.exists()
    assert box.get(kept.sha256) == b"of a probe"


def test_a_writer_who_comes_while_bytes_are_thrown_away_finds_them_or_writes_them_anew(box, monkeypatch):
    """The touch falls between the look at the file and its renaming."""
    exhibit = put(box, b"a page")
    path, rename = box.path(exhibit.sha256), Path.rename

    def touched_just_before(each, to):
        if each == path:
            box.put(ExhibitKind.WORDS, b"a page", "text/plain")
        return rename(each, to)

    monkeypatch.setattr(Path, "rename", touched_just_before)
    assert not box.discard(exhibit.sha256, datetime.now(UTC) - timedelta(hours=1))
    assert box.get(exhibit.sha256) == b"a page"


def test_bytes_that_are_not_those_of_their_hash_are_never_given_out(box):
    exhibit = put(box, b"a page")
    box.path(exhibit.sha256).write_bytes(b"another page")
    with pytest.raises(ValueError, match="was changed"):
        box.get(exhibit.sha256)
