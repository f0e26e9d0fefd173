"""G13: a real browser goes nowhere without leave, however it is led: links, forms, scripts, redirects, new windows."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

from rasd.watch.permission import Refusal, Why
from rasd.watch.places import NotPlain, place
from rasd.watch.players.guard import keep_within
from tests.console.browsing import launched

PAGE = """<!doctype html><title>{path}</title><a href="{out}/link">link</a> <a href="/redirect">redirect</a>
<a href="{out}/window" target="_blank">window</a> <a href="/inside">inside</a>
<form method="post" action="{out}/form"><button>send out</button></form>
<form method="post" action="/sent"><button>send in</button></form><img alt="" src="{out}/picture">"""


@contextmanager
def serving(out: str = "") -> Iterator[tuple[str, list[str]]]:
    """A site that leads to ``out`` in every way; what it was asked for."""
    asked: list[str] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = PAGE.format(path=self.path, out=out).encode()
            self.send_response(302 if self.path == "/redirect" else 200)
            if self.path == "/redirect":
                self.send_header("Location", f"{out}/redirected")
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.browser
def test_g13_a_browser_is_held_at_every_door_that_it_has_no_leave_for() -> None:
    with (
        serving() as (out, asked),
        serving(out) as (here, asked_here),
        sync_playwright() as playwright,
        launched(playwright) as browser,
    ):
        context = browser.new_context(reduced_motion="reduce")
        refused = keep_within(
            context, lambda url, sends: Refusal(Why.ELSEWHERE, url) if url.startswith(out) else None
        )
        page = context.new_page()
        stopped = expect(page.get_by_text("inside", exact=True))
        for name in ("link", "redirect", "send out"):
            page.goto(here)
            page.get_by_text(name, exact=True).click()
            stopped.to_have_count(0)  # the browser's own page says that it was stopped
        page.goto(here)
        page.evaluate("url => { location.href = url }", f"{out}/script")
        stopped.to_have_count(0)
        page.goto(here)
        with pytest.raises(Error, match="ERR_BLOCKED_BY_CLIENT"):
            page.goto(f"{here}/redirect")
        stopped.to_have_count(0)
        told = [each.words.removeprefix(out) for each in refused]
        assert told == ["/link", "/redirected", "/form", "/script", "/redirected"]
        assert set(asked) == {"GET /picture"}  # what any browser draws with a page, and nothing else
        for name, path in (("inside", "/inside"), ("send in", "/sent")):
            page.goto(here)
            page.get_by_text(name, exact=True).click()
            expect(page).to_have_title(path)
        assert "POST /sent" in asked_here
        page.goto(here)
        with context.expect_page() as opened:
            page.get_by_text("window", exact=True).click()
        assert opened.value.is_closed() or opened.value.wait_for_event("close")
        assert refused[-1].words == f"{out}/window"
        _reads_addresses_as_the_browser_does(page)
        context.close()


PIECES = [
    "https://", "http:", "//", "example.org", "EXAMPLE.org", "مثال.example.org", "faß.de", "１２７.0.0.1", "127.0.0.1",
    "127.1", "0x7f", "[::1]", "[::ffff:1.2.3.4]", ":443", ":8080", ":0", "@", "\\", "/", "?", "#", "..", "%2e", "%2F", "%5c",
    "a", "。", "xn--", "xn--mgbh0fb", "_", "-", "|", "^", "𝐞xample.org", "ﬀ", "K", "ſ", "۱", "09", "example.1", ".", "user:pw@",
    "\t", " ", "\u200b", "\u00ad", "\u202e",
]  # fmt: skip


def _reads_addresses_as_the_browser_does(page: Page) -> None:
    """Whatever we read at all, the browser reads as the same host, port and path, or not at all."""
    draw = random.Random(20261122)
    read = []
    for _ in range(20_000):
        url = "https://" + "".join(draw.choices(PIECES, k=draw.randint(1, 5)))
        try:
            read.append((url, place(url)))
        except NotPlain:
            continue
    theirs = page.evaluate(
        """urls => urls.map(url => {
            try { const read = new URL(url); return [read.origin, read.pathname] } catch { return null } })""",
        [url for url, _ in read],
    )
    assert len(read) > 500
    for (url, ours), their in zip(read, theirs, strict=True):
        if their is not None:
            assert their[0] == ours.origin, url
            assert place(their[0] + their[1]).path == ours.path, url
