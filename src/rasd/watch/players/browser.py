"""One Chromium, kept for several visits: a fresh context of it has as cold a cache as a fresh browser, for less."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Error, Playwright, sync_playwright

from rasd.watch.journeys.language import Persona
from rasd.watch.players.base import CannotPlay
from rasd.watch.players.finding import Trouble
from rasd.watch.players.persona import LANGUAGES, Profile
from rasd.watch.players.systems import the_systems, version_of

# A browser with a window, of which the window is drawn nowhere: "--headless" would write HeadlessChrome into every request.
ANNOUNCES_NOTHING = ("--ozone-platform=headless", "--disable-blink-features=AutomationControlled")
ANNOUNCES = ["--enable-automation"]  # of Playwright's own arguments


class Browser:
    """Started when first needed and after a crash; anew where the next person reads another language, because Chrome's languages
    are the whole browser's. Belongs to the thread that first used it."""

    def __init__(self, path: str = "", *, screen: bool = False) -> None:
        """``screen``: its window is drawn on this machine's screen, for who does an errand by hand."""
        self.path, self.screen = path or the_systems(), screen
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None
        self._language = ""

    def context(self, persona: Persona) -> tuple[BrowserContext, Profile]:
        """A context for one visit: nothing in it is of a visit before. Raises CannotPlay (BROWSER)."""
        try:
            chromium = self.open(persona.language)
            profile = Profile(persona, chromium.version)
            return chromium.new_context(**profile.context()), profile
        except Error as error:
            self.close()  # what does not give a context is of no use to the next visit either
            raise CannotPlay(Trouble.BROWSER, f"the browser did not start: {_first_line(error)}") from error

    def open(self, language: str = "ar") -> Chromium:
        """Raises playwright's Error; CannotPlay (BROWSER) where there is no browser."""
        if self._chromium and self._chromium.is_connected() and language == self._language:
            return self._chromium
        if not self.path:
            raise CannotPlay(
                Trouble.BROWSER,
                "there is no Chromium or Chrome: install one, or name it in RASD_WATCH_BROWSER",
            )
        self.close()
        self._playwright = sync_playwright().start()
        self._language = language
        self._chromium = self._playwright.chromium.launch(
            executable_path=self.path,
            headless=False,
            args=[
                *(ANNOUNCES_NOTHING[1:] if self.screen else ANNOUNCES_NOTHING),
                f"--accept-lang={LANGUAGES[language]}",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium does not start as root with one
            ],
            ignore_default_args=ANNOUNCES,
        )
        return self._chromium

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """What is asked of it meanwhile ends. Where a renderer is killed just as its page is made, Playwright waits for
        that page for ever: the whole browser is killed then, and playwright's Error raised."""
        watchdog = threading.Timer(seconds, _kill_browsers)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        except Error:
            self.close()
            raise
        finally:
            watchdog.cancel()

    def close(self) -> None:
        """Ends it, and Playwright's driver. Raises nothing: what does not end is the crew's to kill."""
        chromium, playwright = self._chromium, self._playwright
        self._chromium = self._playwright = None
        for end in (chromium and chromium.close, playwright and playwright.stop):
            try:
                if end:
                    end()
            except Exception:  # noqa: S110  its driver was killed: there is nothing to end
                pass

    @property
    def version(self) -> str:
        """Of the browser that runs, or of its file: for who comes without one and still as its user. Empty: not known."""
        if self._chromium:
            return self._chromium.version
        return version_of(self.path)


def _kill_browsers() -> None:
    """All that this process has started, with Playwright's drivers: a driver waits for whoever else has the browser's pipes."""
    for driver in psutil.Process().children():
        below = driver.children(recursive=True)
        if any("chrom" in _name(each) for each in below):
            for each in (driver, *below):
                with suppress(psutil.Error):
                    each.kill()


def _name(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return process.name()
    return ""  # it just ended


def _first_line(error: Error) -> str:
    return error.message.strip().split("\n")[0]
