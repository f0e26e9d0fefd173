"""What an emulator is started with."""

from dataclasses import dataclass, field

DEFAULT_TOKEN = "emulator-token"  # noqa: S105 - opens nothing but this emulator
DEFAULT_APP_SECRET = "emulator-app-secret"  # noqa: S105
DEFAULT_VERIFY_TOKEN = "emulator-verify-token"  # noqa: S105
DEFAULT_PHONE_NUMBER_ID = "106540352242922"
DEFAULT_DISPLAY_NUMBER = "+968 2400 0000"
DEFAULT_WABA_ID = "102290129340398"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def digits(number: str) -> str:
    """A telephone number as WhatsApp writes it: digits only, no plus sign (``+968 9000 0001`` -> ``96890000001``)."""
    return "".join(c for c in number if c.isdigit())


@dataclass
class Line:
    """One business number. ``display_phone_number`` is for people; webhooks carry its digits."""

    phone_number_id: str = DEFAULT_PHONE_NUMBER_ID
    display_phone_number: str = DEFAULT_DISPLAY_NUMBER
    name: str = "Rasd"
    waba_id: str = DEFAULT_WABA_ID


@dataclass
class Settings:
    """Times in seconds.

    ``max_batch`` updates go into one webhook call, waited for ``linger`` at most (1 and 0: no batching; Meta batches up to
    1,000). ``lanes`` calls run at once; the updates of one phone stay in one lane, and so in order, unless a fault says
    otherwise. ``retry_scale`` multiplies the delays between repeats (0.001 makes Meta's seven days ten minutes).
    """

    token: str = DEFAULT_TOKEN
    app_secret: str = DEFAULT_APP_SECRET
    verify_token: str = DEFAULT_VERIFY_TOKEN
    webhook_url: str = ""
    lines: list[Line] = field(default_factory=lambda: [Line()])
    templates: dict[tuple[str, str], str] = field(
        default_factory=lambda: {("hello_world", "en_US"): "Hello World. This is a test message."}
    )
    phones: list[tuple[str, str]] = field(default_factory=list)  # number and name of phones to begin with
    max_batch: int = 1
    linger: float = 0.0
    lanes: int = 8
    retry_scale: float = 1.0
    webhook_timeout: float = 20.0
    sent_after: float = 0.03
    delivered_after: float = 0.15
    read_after: float = 0.4
    kept_messages: int = 1_000  # of one phone
    kept_deliveries: int = 20_000
    kept_media: int = 20_000
    seed: int | None = None  # of the faults' randomness
    allowed_recipients: set[str] | None = None  # digits; None: everybody (131030 otherwise)
    public_url: str = ""  # set by the server: where media addresses point to
