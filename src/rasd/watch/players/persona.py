"""As what a person comes: his device, his network, his language. Nothing in it announces a machine (G13).

The browser is the machine's own, and says so: its version is in the user agent, its brand in the client hints. What a phone
changes in them is changed consistently; what can still be told apart by who wants to is in docs/journeys.md ("As whom").
"""

from dataclasses import dataclass
from typing import Any

from rasd.watch.journeys.language import Persona

LANGUAGES = {"ar": "ar-OM,ar,en-US,en", "en": "en-GB,en-US,en"}
"""Accept-Language as Chrome makes it of the languages of a telephone that is set to Arabic (Oman) or to English."""
LOCALES = {"ar": "ar-OM", "en": "en-GB"}
"""How dates and numbers are written."""


@dataclass(frozen=True)
class Network:
    """``down`` and ``up`` in bits a second, ``delay`` in milliseconds from a request to the first byte of its answer."""

    down: float
    up: float
    delay: float
    kind: str

    def conditions(self) -> dict[str, Any]:
        """For ``Network.emulateNetworkConditions`` of the DevTools protocol, which counts in bytes."""
        return {
            "offline": False,
            "latency": self.delay,
            "downloadThroughput": self.down / 8,
            "uploadThroughput": self.up / 8,
            "connectionType": self.kind,
        }


NETWORKS: dict[str, Network | None] = {
    "wifi": None,
    "4g": Network(9_000_000, 9_000_000, 170, "cellular4g"),
    "3g": Network(1_600_000, 768_000, 300, "cellular3g"),
    "slow": Network(400_000, 400_000, 400, "cellular3g"),
}
"""WebPageTest's profiles "4G", "3G" and "3G Slow" (its ``settings/connectivity.ini.sample``). wifi is the machine's own line."""


@dataclass(frozen=True)
class Device:
    """Sizes in CSS pixels. ``agent`` and ``platform``: Chrome's reduced user agent (chromium.org, "User-Agent Reduction"), in
    which every Android phone is ``Android 10; K`` and the version is the major one."""

    screen: tuple[int, int]
    window: tuple[int, int]
    scale: float
    agent: str
    platform: str
    hints: dict[str, Any]
    mobile: bool
    fingers: int


PHONE = Device(
    # A screen of 1080 × 2400 as Playwright's device registry has it (Pixel 7): the window is what Chrome's bars leave of it.
    screen=(412, 915),
    window=(412, 839),
    scale=2.625,
    agent="Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Mobile Safari/537.36",
    platform="Linux armv81",
    hints={
        "platform": "Android",
        "platformVersion": "14.0.0",
        "architecture": "",
        "model": "",
        "mobile": True,
    },
    mobile=True,
    fingers=5,
)
DESKTOP = Device(
    screen=(1920, 1080),
    window=(1920, 953),
    scale=1,
    agent="",  # the browser's own, whatever the machine is
    platform="",
    hints={},
    mobile=False,
    fingers=0,
)


@dataclass(frozen=True)
class Profile:
    """A persona before one browser."""

    persona: Persona
    version: str
    """The browser's, whole: 156.0.8078.79."""

    @property
    def device(self) -> Device:
        return PHONE if self.persona.device == "phone" else DESKTOP

    @property
    def network(self) -> Network | None:
        return NETWORKS[self.persona.network]

    @property
    def user_agent(self) -> str:
        return self.device.agent.format(major=self.version.partition(".")[0])

    def context(self) -> dict[str, Any]:
        """For ``Browser.new_context``. Its locale is not set here: Playwright would send Accept-Language without the ``q`` and in
        another place than Chrome; the language is of the whole browser (``browser.py``)."""
        device = self.device
        return {
            "viewport": {"width": device.window[0], "height": device.window[1]},
            "screen": {"width": device.screen[0], "height": device.screen[1]},
            "device_scale_factor": device.scale,
            "is_mobile": device.mobile,
            "has_touch": device.fingers > 0,
            "timezone_id": self.persona.place,
            **({"user_agent": self.user_agent} if self.user_agent else {}),
        }

    def overrides(self) -> list[tuple[str, dict[str, Any]]]:
        """Commands of the DevTools protocol for each page: what a context does not set."""
        device = self.device
        commands: list[tuple[str, dict[str, Any]]] = [
            ("Emulation.setLocaleOverride", {"locale": LOCALES[self.persona.language]})
        ]
        if device.mobile:
            agent = {
                "userAgent": self.user_agent,
                "platform": device.platform,
                "userAgentMetadata": device.hints,
            }
            commands += [
                ("Emulation.setUserAgentOverride", agent),
                ("Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": device.fingers}),
            ]
        if self.network:
            commands.append(("Network.emulateNetworkConditions", self.network.conditions()))
        return commands

    def presented(self) -> dict[str, Any]:
        """For the report: as what he came."""
        network = self.network
        return {
            "browser": self.version,
            "device": self.persona.device,
            "viewport": list(self.device.window),
            "scale": self.device.scale,
            "languages": LANGUAGES[self.persona.language],
            "locale": LOCALES[self.persona.language],
            "zone": self.persona.place,
            "network": self.persona.network,
            "rates": network and {"down": network.down, "up": network.up, "delay_ms": network.delay},
        }


def asks(language: str, user_agent: str) -> dict[str, str]:
    """What his browser sends with a question for a page, for who asks without one."""
    first, *rest = LANGUAGES[language].split(",")
    return {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Language": ",".join([first, *(f"{each};q=0.{9 - n}" for n, each in enumerate(rest))]),
        "User-Agent": user_agent,
    }
