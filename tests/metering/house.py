"""What the tests of this room build with: a house, its meter and history, and an eye that sees what it is told."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rasd.ledger import evidence
from rasd.metering.models import Account, AccountContact, Meter, Reading, Register, ServicePoint
from rasd.vision import Candidate, Decision, Finding, PhotoReading, Severity

MUSCAT = ZoneInfo("Asia/Muscat")
SALMA = "tel:+96890000010"
NOON = datetime(2026, 11, 20, 12, tzinfo=MUSCAT)


def seen(
    value: int | str | None,
    confidence: float = 0.999,
    *,
    decision: Decision | None = None,
    reason: str | None = None,
    finding: str = "",
    serials: tuple[str, ...] = (),
    candidates: dict[int, float] | None = None,
) -> PhotoReading:
    """What the eye says of a picture: sure from 0.99, likely from 0.3, else another photograph is wanted."""
    number = None if value is None else Decimal(value)
    if decision is None:
        decision = Decision.ACCEPT if confidence >= 0.99 else Decision.CONFIRM
        decision = Decision.RETAKE if confidence < 0.3 or number is None else decision
    reasons = {Decision.ACCEPT: "sure", Decision.CONFIRM: "likely", Decision.RETAKE: "picture"}
    likely = candidates or ({} if number is None else {int(number): confidence})
    return PhotoReading(
        digits="" if number is None else f"{int(number):05}",
        decimals=0,
        value=number,
        confidence=confidence if number is not None else 0.0,
        decision=decision,
        reason=reason or reasons.get(decision, "unsure"),
        kind="roller",
        digit_readings=(),
        candidates=tuple(Candidate(f"{one:05}", Decimal(one), p) for one, p in likely.items()),
        findings=(Finding(finding, Severity.SERIOUS, finding),) if finding else (),
        counter_box=None,
        serials=serials,
        model="test-eye-1",
        milliseconds=1.0,
    )


@dataclass
class Eye:
    """Stands in for ``rasd.vision.read_photograph``: bytes → what the test said it would see. Remembers what it was told."""

    sights: dict[bytes, PhotoReading | Exception] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, data: bytes, **known: Any) -> PhotoReading:
        self.calls.append(known)
        sight = self.sights[data]
        if isinstance(sight, Exception):
            raise sight
        return sight

    def shows(self, picture: bytes, sight: PhotoReading | Exception) -> str:
        """Put ``picture`` in storage, and say what will be seen in it; its SHA-256 comes back."""
        self.sights[picture] = sight
        return evidence.keep([picture], limit=1_000)[0]


def make_house(
    number: str = "SP-1", *, phone: str = SALMA, serial: str = "", digits: int = 5, decimals: int = 0
) -> ServicePoint:
    account, _ = Account.objects.get_or_create(
        number=f"A-{phone[-4:]}", defaults={"holder_name": "Customer Ten"}
    )
    AccountContact.objects.get_or_create(account=account, identifier=phone)
    point = ServicePoint.objects.create(
        number=number, account=account, place="House 10, Way 20", district="Bawshar"
    )
    meter = Meter.objects.create(
        service_point=point, serial=serial or f"MCT{number[3:]:0>6}", installed_on=date(2024, 1, 1)
    )
    Register.objects.create(meter=meter, digits=digits, decimals=decimals)
    return point


def give_history(point: ServicePoint, *, last: int = 4000, a_month: int = 300, months: int = 13) -> None:
    """Monthly readings up to 20 October 2026, all alike, ending at ``last``."""
    register = point.current_register
    for back in range(months):
        Reading.objects.create(
            service_point=point,
            register=register,
            value=(last - a_month * back) % 10**register.digits,
            source="field",
            taken_at=NOON - timedelta(days=31 + 30 * back),
        )
