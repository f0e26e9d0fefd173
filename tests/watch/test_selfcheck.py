"""G15: the watch looks at itself before it speaks about others."""

import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from rasd.watch.selfcheck import (
    Asked,
    Beside,
    OwnNetwork,
    _Measure,
    _Processors,
    clock_off,
    kept_within,
    look,
)
from rasd.watch.verdicts import CLOCK_OFF

NOBODY_LISTENS = "http://127.0.0.1:9"


class _Place(http.server.BaseHTTPRequestHandler):
    """Answers anything with 404, by a clock of its own."""

    ahead = timedelta()

    def do_HEAD(self) -> None:
        self.send_response_only(404)
        self.send_header("Date", format_datetime(datetime.now(UTC) + self.ahead, usegmt=True))
        self.end_headers()

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def place() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Place) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_any_answer_of_any_place_means_that_the_own_network_works(place):
    asked = OwnNetwork([NOBODY_LISTENS, place]).ask()

    assert asked.reached is True
    assert NOBODY_LISTENS in asked.words[0]


def test_no_answer_of_any_means_that_it_does_not_and_none_named_that_nobody_knows():
    assert OwnNetwork([NOBODY_LISTENS]).ask().reached is False
    assert OwnNetwork([]).ask().reached is None


def test_a_clock_that_is_fast_is_seen_by_the_places_dates(place):
    def fast():
        return datetime.now(UTC) + timedelta(minutes=1)

    asked = OwnNetwork([place, place], now=fast).ask()

    assert asked.ahead == pytest.approx((60, 60), abs=1.5)  # it asked another one before it believed that


def test_ntp_outranks_a_place_whose_clock_is_wrong():
    assert clock_off(Asked(True, (90.0, 88.0, 91.0)), kept=None) == 90.0
    assert clock_off(Asked(True, (90.0,)), kept=0.05) == 0.0
    assert clock_off(Asked(True, (0.4,)), kept=0.05) == 0.4
    assert clock_off(Asked(True, (90.0,)), kept=CLOCK_OFF + 1) == 90.0
    assert clock_off(Asked(None), kept=None) is None


def test_the_kernel_says_within_what_ntp_keeps_its_clock_or_that_nothing_does():
    within = kept_within()

    assert within is None or 0 <= within < 60


def test_a_look_at_oneself_tells_all_that_a_verdict_needs(tmp_path, place):
    check = look(OwnNetwork([place]), tmp_path / "not" / "there yet", lambda: False, kept=lambda: 0.01)

    assert (check.network, check.clock_off, check.browser) == (True, pytest.approx(0, abs=1.5), False)
    assert 0 <= check.load <= 1
    assert 0 < check.memory_free <= 1
    assert check.disk_free > 0
    assert check.words == ("own browser",)


def test_what_the_visit_itself_uses_is_no_load_of_the_host():
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    with Beside(OwnNetwork([])) as beside:
        after = beside()
        start = beside._measure()
        subprocess.run([sys.executable, "-c", busy], check=True)
        used = beside._measure().ours - start.ours
        moment = after(True)

    assert used >= 0.18  # ended and waited for, and still counted
    assert 0 <= moment.load <= 1
    assert moment.network is None


def test_g15_the_load_beside_a_step_of_no_time_is_that_of_the_time_before_it(monkeypatch):
    """One busy hundredth of a second is no overloaded host."""
    beside = Beside(OwnNetwork([]))
    beside._marks[0] = measured(at=0.0, total=0.0, busy=0.0)
    measures = iter([measured(at=1.0, total=2.0, busy=0.4), measured(at=1.001, total=2.01, busy=0.41)])
    monkeypatch.setattr(beside, "_measure", lambda: next(measures))

    assert beside()(True).load == pytest.approx(0.41 / 2.01, abs=0.001)


def measured(at: float, total: float, busy: float) -> _Measure:
    return _Measure(at, _Processors(total, busy, 0.0), 0.0)


def test_a_host_that_stood_still_is_seen_by_a_timer_that_was_late():
    with Beside(OwnNetwork([])) as beside:
        after = beside()
        beside._beat -= 3  # as if the host had slept since the last beat
        assert after(True).late >= 2.9


def test_g15_a_line_that_fails_at_the_moment_of_the_step_is_seen_then(place):
    line = OwnNetwork([place])
    with Beside(line) as beside:
        assert beside()(False).network is True
        line.places = (NOBODY_LISTENS,)
        assert beside()(False).network is False


def test_a_line_that_failed_while_he_waited_is_seen_though_it_works_again(place):
    line = OwnNetwork([NOBODY_LISTENS])
    with Beside(line, every=0.01) as beside:
        after = beside()
        until = time.monotonic() + 5
        while not beside._answers and time.monotonic() < until:
            threading.Event().wait(0.005)
        line.places = (place,)
        assert after(False).network is False
