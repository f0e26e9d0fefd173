"""A real server on a port of its own, and the system's browser before it."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, Playwright

from tests.chrome import chrome

PHONE, DESKTOP = (390, 844), (1280, 800)


@contextmanager
def served(site: Any = None) -> Iterator[str]:
    """The site under uvicorn, as it is served in earnest, in a thread of this process. ``site``: another ASGI application."""
    from rasd.config.asgi import application

    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(site or application, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[door])), daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            time.sleep(
                0.3
            )  # requests that a closed browser abandoned come to their end, and close their connections
            server.should_exit = True
            thread.join(timeout=10)


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chrome(), args=["--no-sandbox"])
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def page_of(
    browser: Browser,
    url: str,
    user: User | None,
    size: tuple[int, int] = DESKTOP,
    language: str = "ar",
    *,
    dark: bool = False,
    script: bool = True,
) -> Iterator[Page]:
    """A page in which ``user`` is logged in; nothing is shared with another page of the same browser.

    It asks for reduced motion, as people may: what fades in would be read by axe-core half there, on a slow machine.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale="ar-OM" if language == "ar" else "en-GB",
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
        base_url=url,
        java_script_enabled=script,
    )
    try:
        if user is not None:
            client = Client()
            client.force_login(user)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": url}])
        context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": url}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        yield page
    finally:
        context.close()
        connection.close()  # inside Playwright's loop Django has a connection of its own, which nobody else would close


@contextmanager
def opened(
    playwright: Playwright,
    url: str,
    user: User | None,
    *,
    size: tuple[int, int] = DESKTOP,
    language: str = "ar",
    dark: bool = False,
) -> Iterator[Page]:
    """A page in a browser of its own."""
    with (
        launched(playwright) as browser,
        page_of(browser, url, user, size, language, dark=dark) as page,
    ):
        yield page


def shoot(page: Page, name: str) -> None:
    """A picture of the page where RASD_SHOTS names a folder for them."""
    if folder := os.environ.get("RASD_SHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))
