"""The recorder's page, where no screen is: the live picture of a browser, and what is done to it. Served on loopback.

Whoever has the link may use it: the token in it is all that lets him in, and nothing is served without it.
"""

import base64
import hmac
import json
import secrets
import sys
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LARGEST = 30 * 1024 * 1024
"""Bytes of a file that is attached."""
BEATS = 10.0
"""Seconds after which a line that says nothing is kept alive."""
POLICY = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; connect-src 'self'"

Render = Callable[[str, str], str]
"""Given a language and a nonce, the page."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that is closed or reloaded drops its lines: that is no news."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Remote:
    """``orders``: what he asked for, in order. ``page``: what is served as ``page``, once it is done."""

    def __init__(self, render: Render, language: str, port: int = 0) -> None:
        self.render, self.language = render, language
        self.orders: deque[dict[str, Any]] = deque()
        self.page = ""
        self.watched = threading.Event()
        """He has opened the link, and sees the browser: his time begins."""
        self.fetched = threading.Event()
        """He has the page before him."""
        self.token = secrets.token_urlsafe(18)
        self._news = threading.Condition()
        self._frame, self._frames = b"", 0
        self._state, self._states = "{}", 0
        self._over = False
        self._server = Server(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{self.token}/"

    def show(self, frame: bytes) -> None:
        with self._news:
            self._frame, self._frames = frame, self._frames + 1
            self._news.notify_all()

    def tell(self, state: dict[str, Any]) -> None:
        """Where it changed."""
        text = json.dumps(state, ensure_ascii=False)
        if text == self._state:
            return
        with self._news:
            self._state, self._states = text, self._states + 1
            self._news.notify_all()

    def close(self) -> None:
        with self._news:
            self._over = True
            self._news.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        remote = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_GET(self) -> None:
                match self._path():
                    case "":
                        nonce = secrets.token_urlsafe(12)
                        asked = parse_qs(urlsplit(self.path).query).get("lang", [remote.language])[0]
                        language = asked if asked in {"ar", "en"} else remote.language
                        self._answer(200, remote.render(language, nonce), POLICY.format(nonce=nonce))
                    case "live":
                        remote.watched.set()
                        remote._live(self)
                    case "page" if remote.page:
                        self._answer(
                            200, remote.page, "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
                        )
                        remote.fetched.set()
                    case _:
                        self._answer(404, "")

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                path = self._path()
                if (
                    path is None
                    or length > LARGEST
                    or self.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
                ):
                    self.close_connection = True
                    return self._answer(413 if length > LARGEST else 404, "")
                body = self.rfile.read(length)
                if path == "orders":
                    try:
                        remote.orders.extend(
                            each for each in json.loads(body) if isinstance(each, dict) and "do" in each
                        )
                    except (ValueError, TypeError):
                        return self._answer(400, "")
                elif path == "file":
                    name = unquote(self.headers.get("X-Name", ""))
                    remote.orders.append({"do": "file", "name": name, "data": body or None})
                else:
                    return self._answer(404, "")
                return self._answer(204, "")

            def _path(self) -> str | None:
                """Below the token; None without it."""
                _, token, *rest = urlsplit(self.path).path.split("/")
                return "/".join(rest) if hmac.compare_digest(token.encode(), remote.token.encode()) else None

            def _answer(self, status: int, text: str, policy: str = "") -> None:
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.send_header("X-Content-Type-Options", "nosniff")
                if policy:
                    self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                if status != 204:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _live(self, handler: BaseHTTPRequestHandler) -> None:
        """Server-sent events: the newest picture and the state, each when it is new; what he is too slow for is left out."""
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Cache-Control", "no-store")
        handler.end_headers()
        frames = states = -1
        try:
            while True:
                with self._news:
                    self._news.wait_for(lambda f=frames, s=states: self._newer(f, s), BEATS)  # type: ignore[misc]
                    frame = self._frame if self._frames != frames else b""
                    state = self._state if self._states != states else ""
                    frames, states, over = self._frames, self._states, self._over
                text = f"event: state\ndata: {state}\n\n" if state else ""
                text += f"event: frame\ndata: {base64.b64encode(frame).decode()}\n\n" if frame else ""
                handler.wfile.write((text or ": still here\n\n").encode())
                if over:
                    break
        except OSError:  # he has closed the page
            pass
        handler.close_connection = True

    def _newer(self, frames: int, states: int) -> bool:
        return self._over or self._frames != frames or self._states != states
