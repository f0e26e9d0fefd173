"""The playing process: whatever is killed, no visit is lost, and nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rasd.watch.crew import Crew, longest
from rasd.watch.nest import CARRIED_AS, PREFIX, clear_what_was_left
from rasd.watch.players.finding import Outcome, Trouble
from rasd.watch.players.orders import Order
from rasd.watch.verdicts import Verdict
from tests.watch.visits import errand

CAST = "tests.watch.stand_ins:StandIns"


@pytest.fixture(autouse=True)
def _the_playing_process_finds_the_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.fixture
def nests(tmp_path: Path) -> Path:
    (tmp_path / "nests").mkdir()
    return tmp_path / "nests"


@pytest.fixture
def crew(nests: Path) -> Iterator[Crew]:
    with Crew(CAST, root=nests, margin=0) as crew:
        yield crew
    assert_nothing_is_left(nests)


def an_order(tmp_path: Path, *presses: str, patience: str = "30s") -> Order:
    steps = ", ".join(f"{{press: {each}}}" for each in presses)
    journey = f"""
journey: ticket
title: A ticket
target: desk
who: {{patience: {patience}}}
steps: [{steps}]
done: [{{see: My ticket}}]
clean_up: [{{press: Delete}}]
"""
    return Order(
        journey=journey,
        folder=tmp_path,
        target="desk",
        url="http://127.0.0.1:9/",
        box=tmp_path / "box",
        seed="1",
    )


def processes_of(nests: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(CARRIED_AS, "").startswith(str(nests)) and process.status() != "zombie":
                found.append(process)
        except psutil.Error:
            continue
    return found


def eventually(true: Callable[[], object], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def assert_nothing_is_left(nests: Path) -> None:
    assert processes_of(nests) == []
    assert list(nests.iterdir()) == []


def player_of(crew: Crew) -> psutil.Process:
    assert crew.process
    [player] = psutil.Process(crew.process.pid).children()
    return player


def test_a_visit_comes_back_judged_with_each_step_told_at_once(crew, tmp_path):
    began, told = [], []
    report = crew.pay(an_order(tmp_path, "Send"), told.append, began.append)

    assert report.verdict is Verdict.COMPLETED
    assert tuple(told) == report.findings
    assert [each.says for each in began] == ["press: Send", "see: My ticket", "press: Delete"]
    assert report.presented["email"].endswith("@example.org")
    assert all(
        (tmp_path / "box" / exhibit.sha256[:2] / exhibit.sha256).exists()
        for each in report.findings
        for exhibit in each.exhibits
    )


def test_the_browser_is_held_between_visits_and_replaced_after_so_many(nests, tmp_path):
    with Crew(CAST, root=nests, visits=2) as crew:
        crew.pay(an_order(tmp_path, "Send"))
        first = crew.process
        assert first
        assert clear_what_was_left(nests) == []  # it is held
        crew.pay(an_order(tmp_path, "print"))  # what a step prints does not spoil what is said
        assert crew.process is None
        assert not first.lives
        assert_nothing_is_left(nests)


def test_one_that_has_grown_too_big_is_replaced(nests, tmp_path):
    with Crew(CAST, root=nests, megabytes=1) as crew:
        crew.pay(an_order(tmp_path, "litter"))
        assert crew.process is None
        assert_nothing_is_left(nests)


@pytest.mark.crash
@pytest.mark.parametrize("who", ["player", "keeper"])
def test_g15_a_visit_whose_process_is_killed_is_reported_as_ours_with_what_is_known(
    crew, nests, tmp_path, who
):
    def kill(finding):
        if finding.says == "press: hang":
            assert len(processes_of(nests)) >= 4
            (player_of(crew) if who == "player" else psutil.Process(crew.process.pid)).kill()

    report = crew.pay(an_order(tmp_path, "litter", "hang", "Send"), begins=kill)

    assert_nothing_is_left(nests)
    assert (report.verdict, report.because[0]) == (Verdict.OURS, "died")
    assert [each.outcome for each in report.findings] == [
        Outcome.DONE, Outcome.FAILED, *[Outcome.NOT_REACHED] * 3,
    ]  # fmt: skip
    assert report.findings[1].trouble is Trouble.BROWSER
    assert "signal 9" in report.findings[1].words
    assert report.findings[-1].part == "clean_up"
    assert crew.pay(an_order(tmp_path, "Send")).verdict is Verdict.COMPLETED


@pytest.mark.crash
def test_a_player_that_is_killed_between_two_visits_spoils_none(crew, tmp_path):
    crew.pay(an_order(tmp_path, "Send"))
    player = player_of(crew)
    player.kill()
    eventually(lambda: not crew.process.lives)

    assert crew.pay(an_order(tmp_path, "Send")).verdict is Verdict.COMPLETED


@pytest.mark.crash
def test_g15_a_visit_that_outlasts_every_patience_is_ended_and_ours(crew, nests, tmp_path, monkeypatch):
    monkeypatch.setattr("rasd.watch.crew.MARGIN_PER_STEP", 0.3)
    report = crew.pay(an_order(tmp_path, "litter", "hang", patience="0.1s"))

    assert_nothing_is_left(nests)
    assert (report.verdict, report.because[0]) == (Verdict.OURS, "hung")


@pytest.mark.crash
def test_nothing_survives_the_watcher_however_it_is_killed(nests, tmp_path):
    order = an_order(tmp_path, "litter", "hang")
    program = (
        "import sys; from pathlib import Path; from rasd.watch.crew import Crew; from rasd.watch.players.orders import Order\n"
        f"crew = Crew({CAST!r}, root=Path({str(nests)!r}))\n"
        "crew.pay(Order.model_validate_json(sys.stdin.readline()), begins=lambda step: print(step.says, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        assert watcher.stdin
        assert watcher.stdout
        watcher.stdin.write(order.model_dump_json() + "\n")
        watcher.stdin.flush()
        assert [watcher.stdout.readline() for _ in range(2)][1] == "press: hang\n"
        assert len(processes_of(nests)) >= 4
        watcher.send_signal(signal.SIGKILL)

    eventually(lambda: not processes_of(nests) and not list(nests.iterdir()))


@pytest.mark.crash
def test_what_a_killed_watcher_and_a_killed_keeper_left_the_next_crew_clears_away(nests):
    nest = nests / f"{PREFIX}left"
    nest.mkdir()
    (nest / "held").touch()
    sleeper = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], env=os.environ | {CARRIED_AS: str(nest)}
    )
    eventually(lambda: processes_of(nests))

    assert clear_what_was_left(nests) == [nest]
    assert sleeper.poll() is not None
    assert_nothing_is_left(nests)


def test_the_longest_that_a_visit_can_take_is_all_of_his_patience():
    assert longest(errand()) == 100 + 50 + 100
