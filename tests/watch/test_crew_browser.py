"""The playing process with a real browser: one of the watch's own that is killed is the watch's own fault (G15)."""

import http.server
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Error

from rasd.watch.crew import Crew
from rasd.watch.players.browser import Browser
from rasd.watch.players.finding import Finding
from rasd.watch.players.orders import Order
from rasd.watch.verdicts import Verdict

JOURNEY = """
journey: ticket
title: A ticket
target: desk
who: {patience: 60s, language: en, network: wifi}
steps: [{open: /}, {press: Send}]
done: [{see: Ticket 42}]
"""


class _Desk(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        words = "<p>Ticket 42 is open" if self.path != "/" else "<a href=/sent>Send</a>"
        data = f"<!doctype html><html lang=en><title>Desk</title>{words}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def desk() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Desk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.browser
@pytest.mark.crash
def test_g15_a_browser_that_is_killed_is_ours_and_the_next_visit_has_another(tmp_path: Path, desk: str):
    order = Order(journey=JOURNEY, folder=tmp_path, target="desk", url=desk, box=tmp_path / "box", seed="1")
    nests, pid = Path(tempfile.mkdtemp()), 0  # a browser's socket finds no room below tmp_path

    def kill_the_browser(step: Finding) -> None:
        nonlocal pid
        if step.verb == "press":
            player = psutil.Process(crew.process.pid)
            browser = next(
                each for each in player.children(recursive=True)
                if "--remote-debugging-pipe" in each.cmdline() and "--type" not in " ".join(each.cmdline())
            )  # fmt: skip
            pid = browser.pid
            browser.kill()

    with Crew(root=nests) as crew:
        broken = crew.pay(order, begins=kill_the_browser)
        assert crew.process is None  # what it left went with its nest
        after = crew.pay(order)

    assert pid, (broken.verdict, broken.facts, broken.after.words, [each.words for each in broken.findings])
    assert (broken.verdict, broken.because) == (Verdict.OURS, ("own browser",))
    assert after.verdict in {Verdict.COMPLETED, Verdict.COMPLETED_BUT}
    assert after.before.browser is True
    assert after.presented["browser"]
    nests.rmdir()  # nothing is in it


@pytest.mark.browser
@pytest.mark.crash
def test_a_page_whose_renderer_does_nothing_any_more_is_not_waited_for_for_ever():
    browser, over = Browser(), threading.Event()

    def paralyse() -> None:
        while not over.wait(0.01):
            for each in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if "--type=renderer" in each.cmdline():
                        each.suspend()

    try:
        context = browser.open("ar").new_context()
        threading.Thread(target=paralyse, daemon=True).start()
        with pytest.raises(Error), browser.at_most(1.0):
            context.new_page()
        over.set()
        assert browser.open("ar").new_context().new_page().evaluate("1 + 1") == 2  # another browser
    finally:
        over.set()
        browser.close()
