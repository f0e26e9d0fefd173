"""Pages looked at as people do: in both languages, on a phone and a desk, light and dark.

Nothing is wider than the screen, axe-core finds nothing serious, no script fails. Each of language, size and scheme meets
each of the others, which takes half of all looks, and every page is read by axe-core in two of them; with RASD_SHOTS=FOLDER
it is all looks, each photographed for people to look at.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, sync_playwright

from tests.console.browsing import DESKTOP, PHONE, launched, page_of, served, shoot

SMALL = (320, 640)
"""The smallest telephone that WCAG 2.2 (1.4.10, reflow) asks for."""

WIDER_THAN_THE_SCREEN = """() => [...document.querySelectorAll('main *')]
    .filter(e => { const r = e.getBoundingClientRect();
        return r.width && r.height && (r.right > innerWidth + 1 || r.left < -1)
            && !e.closest('.frame, .scroll, .hidden, .skip, .window, svg') && getComputedStyle(e).position !== 'fixed'; })
    .slice(0, 5).map(e => e.outerHTML.slice(0, 160))"""
"""The bar is everybody's, and has a test of its own (``test_navigation.py``)."""

Size = tuple[int, int]


@dataclass(frozen=True)
class Look:
    language: str
    size: Size
    dark: bool

    def __str__(self) -> str:
        return f"{self.language}-{self.size[0]}{'-dark' if self.dark else ''}"


def looks(*sizes: Size) -> Iterator[Look]:
    everything = bool(os.environ.get("RASD_SHOTS"))
    for n, size in enumerate(sizes):
        for dark in (False, True):
            for language, odd in (("ar", 0), ("en", 1)):
                if everything or dark == bool((n + odd) % 2):
                    yield Look(language, size, dark)


def errors_of(page: Page) -> list[str]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def serious_faults(page: Page) -> list[str]:
    return [
        f"{fault['id']}: {node['html'][:200]}"
        for fault in Axe().run(page).response["violations"]
        if fault["impact"] in {"serious", "critical"}
        for node in fault["nodes"][:3]
    ]


def look_at(
    user: User | None, pages: dict[str, str], *sizes: Size, site: Any = None, sparing: bool = False
) -> None:
    """``pages``: the name of its picture and its path, in which ``{language}`` stands for the look's. ``site``: an ASGI
    application other than the console's. ``sparing``: each page in half of the looks, its neighbour in the others; axe in all."""
    found = []
    with (
        pytest.MonkeyPatch.context() as patch,
        served(site) as url,
        sync_playwright() as playwright,
        launched(playwright) as browser,
    ):
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop in this thread
        for n, look in enumerate(looks(*(sizes or (PHONE, DESKTOP)))):
            with page_of(browser, url, user, look.size, look.language, dark=look.dark) as page:
                wrong = errors_of(page)
                for m, (name, path) in enumerate(pages.items()):
                    if sparing and (n + m) % 2 and not os.environ.get("RASD_SHOTS"):
                        continue
                    answer = page.goto(path.format(language=look.language))
                    shoot(page, f"{name}-{look}")
                    faults = page.evaluate(WIDER_THAN_THE_SCREEN)
                    written = page.evaluate(
                        "document.documentElement.lang + ' ' + document.documentElement.dir"
                    )
                    if answer is None or answer.status >= 500:
                        faults.append("the server failed")
                    if written not in {"ar rtl", "en ltr"}:
                        faults.append(f"written {written}")
                    if sparing or (n + m) % 2 or os.environ.get("RASD_SHOTS"):
                        faults += serious_faults(page)
                    found += [f"{name}-{look}: {fault}" for fault in faults + wrong]
                    wrong.clear()
    assert not found, "\n".join(found)
