"""Who really plays: the browser, kept between visits, and of each visit the players anew."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import CDPSession, Error, Page

from rasd.watch.journeys import Channel, Journey
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.browser import Browser
from rasd.watch.players.chat import ChatPlayer
from rasd.watch.players.http import HttpPlayer
from rasd.watch.players.mail import MailPlayer
from rasd.watch.players.orders import Order
from rasd.watch.players.playing import CHANNEL_OF, Players
from rasd.watch.players.voice import VoicePlayer
from rasd.watch.players.web import WebPlayer

IN_A_BROWSER = {Channel.WEB, Channel.CHAT}
DRAWN_WITHIN = 10.0
"""Seconds that a browser has to draw an empty page: a healthy one takes some hundredths."""


NOTHING_YET = "Unable to capture screenshot"
"""What Chromium says at once in the moments after its start, before it has drawn anything: at a load of 5 on two cores
nine of 25 did, and two of these once more when started anew."""


class RealCast:
    """A ``visiting.Cast``."""

    def __init__(self) -> None:
        self.browser = Browser()
        self._mirror: Page | None = None
        self._glass: CDPSession | None = None
        """The mirror's."""
        self._web: WebPlayer | None = None
        self._http: HttpPlayer | None = None

    def draws(self, journey: Journey) -> Callable[[], bool] | None:
        return (lambda: self._drawn(journey.who.language)) if needs_a_browser(journey) else None

    def _drawn(self, language: str) -> bool:
        """The browser is started for it, where it is not there. The page is kept: to make a new one each time costs ten times
        what drawing it does."""
        try:
            browser = self.browser.open(language)
            if (
                self._mirror is None
                or self._mirror.is_closed()
                or self._mirror.context.browser is not browser
            ):
                self._mirror = browser.new_page(viewport={"width": 100, "height": 100})
                self._mirror.goto("about:blank")
                self._glass = None
            self._glass = self._glass or self._mirror.context.new_cdp_session(self._mirror)
            return self._captured(self._mirror, self._glass)
        except (Error, CannotPlay):
            self.browser.close()
            return False

    def _captured(self, mirror: Page, glass: CDPSession) -> bool:
        """Raises Error where nothing was drawn within DRAWN_WITHIN."""
        until = time.monotonic() + DRAWN_WITHIN
        while True:
            try:
                left = max(0.1, until - time.monotonic())
                return bool(
                    glass.send("Page.captureScreenshot", {"format": "jpeg"}, timeout=left * 1000)["data"]
                )
            except Error as error:
                if NOTHING_YET not in error.message or time.monotonic() > until:
                    raise
                mirror.wait_for_timeout(100)

    def players(self, order: Order, errand: Errand) -> Players:
        web = self._web = WebPlayer(self.browser, order.folder, traces=1.0 if order.trace else 0.0)
        http = self._http = HttpPlayer(self.browser, order.folder)
        began = errand.clock.now()
        return {
            Channel.WEB: lambda: web,
            Channel.CHAT: lambda: ChatPlayer(web),
            Channel.HTTP: lambda: http,
            Channel.MAIL: lambda: MailPlayer(order.mailbox, began, order.folder),
            Channel.VOICE: VoicePlayer,
        }

    def presented(self, errand: Errand) -> dict[str, Any]:
        came = [each.presented for each in (self._web, self._http) if each]
        return next((each for each in came if each), {})

    def close(self) -> None:
        self.browser.close()


def needs_a_browser(journey: Journey) -> bool:
    """Whether a step of it is played in one."""
    channels = {journey.channel, *(other.channel for other in journey.otherwise)}
    for step in journey.every_step():
        channels |= {getattr(step, "go", None), CHANNEL_OF.get(step.verb)}  # type: ignore[arg-type]
    return bool(channels & IN_A_BROWSER)
