"""A small made-up utility in Muscat, for the demo and for tests. No person, number or place in it is real.

Every holder's family name is *at-Tajribi* ("the trial one"), every phone number lies in 9000 0001 to 9001 9999.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
from django.db import transaction
from django.utils import timezone

from rasd.metering.models import Account, AccountContact, Meter, Reading, Register, ServicePoint

DISTRICTS = {  # the six wilayat of Muscat governorate: name, roughly where, share of the points
    "مسقط": (23.614, 58.592, 0.06),
    "مطرح": (23.616, 58.566, 0.16),
    "بوشر": (23.578, 58.400, 0.26),
    "السيب": (23.670, 58.190, 0.34),
    "العامرات": (23.525, 58.499, 0.13),
    "قريات": (23.264, 58.914, 0.05),
}
FIRST_NAMES = (
    "سالم", "أحمد", "محمد", "خالد", "سعيد", "حمد", "ناصر", "علي", "يوسف", "عبدالله",
    "فاطمة", "مريم", "عائشة", "سلمى", "زينب", "شيخة", "موزة", "أسماء", "نورة", "هدى",
)  # fmt: skip
FAMILY_NAME = "التجريبي"

AC_SEASON = (1.0, 1.0, 1.15, 1.6, 2.3, 2.8, 3.0, 2.9, 2.5, 1.9, 1.2, 1.0)
"""January to December, January 1: electricity of a home cooled in summer; July is three times January. Made up."""

WATER_SEASON = (1.0, 1.0, 1.05, 1.1, 1.2, 1.25, 1.3, 1.3, 1.2, 1.1, 1.0, 1.0)

WATER_SHARE = 0.12
EMPTY_SHARE, VILLA_SHARE = 0.04, 0.08
SEVERAL_POINTS = 20  # every twentieth account has two
MONTHLY_NOISE = 0.12  # deviation of the log of a month's use
READING_DAY = 20  # of the month, give or take two
DEMO = "SP-000001"


@dataclass(frozen=True)
class MadeUpCustomer:
    """Who the demo plays. ``next_reading``: what the meter would show now."""

    phone: str
    name: str
    service_point: ServicePoint
    meter_serial: str
    next_reading: Decimal


@dataclass
class _House:
    point: ServicePoint
    meter: Meter
    register: Register
    per_day: float  # in January
    season: tuple[float, ...]
    start: float


def make_utility(*, points: int = 300, months: int = 24, until: date, seed: int) -> None:
    """Make ``points`` service points and a reading a month of each, for the ``months`` months before that of ``until``.

    The same ``seed`` makes the same utility. Makes nothing where it is made already.
    """
    if ServicePoint.objects.filter(number=DEMO).exists():
        return
    chance = np.random.default_rng(seed)
    with transaction.atomic():
        houses = _make_houses(points, until, months, chance)
        Reading.objects.bulk_create(
            [reading for house in houses for reading in _readings(house, until, months, chance)],
            batch_size=5_000,
        )


def _make_houses(points: int, until: date, months: int, chance: np.random.Generator) -> list[_House]:
    since = date(until.year - months // 12 - 1, 1, 1)
    owners = [index if index == 0 or index % SEVERAL_POINTS else index - 1 for index in range(points)]
    accounts = {
        owner: Account(
            number=f"{100_000 + owner}",
            holder_name=_name(chance),
            customer_class="commercial" if owner % 30 == 7 else "residential",
            language="en" if owner % 10 == 9 else "ar",
        )
        for owner in dict.fromkeys(owners)
    }
    Account.objects.bulk_create(accounts.values())
    # Every fiftieth account is looked after by the phone of the account before it as well.
    phones = [(owner, _phone(owner + 1)) for owner in accounts]
    phones += [(owner, _phone(owner - 1)) for owner in accounts if owner % 50 == 12]
    AccountContact.objects.bulk_create(
        AccountContact(account=accounts[owner], identifier=f"tel:{phone}") for owner, phone in phones
    )
    names, shares = list(DISTRICTS), [share for _, _, share in DISTRICTS.values()]
    houses = []
    for index, owner in enumerate(owners):
        district = str(chance.choice(names, p=shares))
        latitude, longitude, _ = DISTRICTS[district]
        water = index > 0 and chance.random() < WATER_SHARE
        digits, decimals = (5, 0) if water else (5, 1) if index == 0 or chance.random() < 0.5 else (6, 0)
        point = ServicePoint(
            number=f"SP-{index + 1:06}",
            account=accounts[owner],
            commodity=ServicePoint.Commodity.WATER if water else ServicePoint.Commodity.ELECTRICITY,
            place=f"{district}، سكة {chance.integers(1000, 6999)}، منزل {chance.integers(1, 400)}",
            district=district,
            latitude=round(latitude + float(chance.normal(0, 0.02)), 5),
            longitude=round(longitude + float(chance.normal(0, 0.02)), 5),
        )
        meter = Meter(
            service_point=point,
            serial=f"{'W' if water else 'E'}{70_000_000 + index * 37}",
            installed_on=since,
        )
        register = Register(meter=meter, digits=digits, decimals=decimals, unit="m³" if water else "kWh")
        register.name = "8-0:1.0.0" if water else "1.8.0"
        per_day = 0.6 if water else float(chance.lognormal(np.log(14), 0.35))
        if index:
            kind = chance.random()
            per_day *= 0.005 if kind < EMPTY_SHARE else 5 if kind < EMPTY_SHARE + VILLA_SHARE else 1
        start = 12_000.0 if index == 0 else float(chance.uniform(0, 0.97 * 10**digits))
        houses.append(_House(point, meter, register, per_day, WATER_SEASON if water else AC_SEASON, start))
    ServicePoint.objects.bulk_create(house.point for house in houses)
    Meter.objects.bulk_create(house.meter for house in houses)
    Register.objects.bulk_create(house.register for house in houses)
    return houses


def _name(chance: np.random.Generator) -> str:
    first, father = chance.choice(FIRST_NAMES), chance.choice(FIRST_NAMES[:10])
    daughter = first in FIRST_NAMES[10:]
    family = "التجريبية" if daughter else FAMILY_NAME
    return f"{first} {'بنت' if daughter else 'بن'} {father} {family}"


def _phone(number: int) -> str:
    return f"+9689000{number:04}"


def _readings(house: _House, until: date, months: int, chance: np.random.Generator) -> list[Reading]:
    zone = timezone.get_default_timezone()
    size = Decimal(10) ** house.register.digits
    shown, before, readings = house.start, None, []
    for back in range(months, 0, -1):
        day = _month_before(until, back) + timedelta(days=int(chance.integers(-2, 3)))
        if before is not None:
            shown += _used(house, before, day) * float(chance.lognormal(0, MONTHLY_NOISE))
        before = day
        moment = datetime.combine(
            day, time(int(chance.integers(7, 14)), int(chance.integers(0, 60))), _zone(zone)
        )
        readings.append(
            Reading(
                service_point=house.point,
                register=house.register,
                value=Decimal(shown).quantize(Decimal(1).scaleb(-house.register.decimals), "ROUND_FLOOR")
                % size,
                source=Reading.Source.FIELD,
                taken_at=moment,
                recorded_at=moment,
            )
        )
    return readings


def _zone(zone: object) -> ZoneInfo:
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo(str(zone))


def _month_before(until: date, back: int) -> date:
    month = until.year * 12 + until.month - 1 - back
    return date(month // 12, month % 12 + 1, READING_DAY)


def _used(house: _House, start: date, end: date) -> float:
    """Without noise, from the day ``start`` until the day ``end``."""
    days = (end - start).days
    return sum(house.per_day * house.season[(start + timedelta(days=day)).month - 1] for day in range(days))


def demo_customer(at: datetime | None = None) -> MadeUpCustomer:
    """The customer of the demo, and what their meter shows at ``at`` (now where none is given): as much more than at the last
    reading as in the same days last year, and 4 percent.

    Raises:
        ServicePoint.DoesNotExist: before :func:`make_utility`.
    """
    at = at or timezone.now()
    point = ServicePoint.objects.select_related("account").get(number=DEMO)
    register = point.current_register
    history = point.history(at)
    if register is None or history is None or not history.readings:
        raise ServicePoint.DoesNotExist(f"{DEMO} has no meter or no readings: it is not made_up's")
    last = history.readings[-1]
    same = point.consumption(last.value, at)
    per_day = same.last_year_per_day if same and same.last_year_per_day else Decimal(10)
    days = Decimal(max((at - last.taken_at).total_seconds() / 86400, 0))
    step = Decimal(1).scaleb(-register.decimals)
    shows = (last.value + days * per_day * Decimal("1.04")).quantize(step) % Decimal(10) ** register.digits
    return _customer(point, shows)


def new_customer(*, digits: int, decimals: int, last: Decimal | None, at: datetime) -> MadeUpCustomer:
    """One more customer, whose meter has ``digits`` and ``decimals`` and showed ``last`` a month before ``at``.

    Its history goes back from there at ``USUAL_MONTH`` a month, two years or to the day when it showed zero. Without
    ``last`` the meter was hung up in this month and nothing is known of it.
    """
    number = ServicePoint.objects.count() + 1
    phone = f"+9689001{number % 10_000:04}"
    today = timezone.localdate(at, timezone.get_default_timezone())
    with transaction.atomic():
        account = Account.objects.create(
            number=f"{200_000 + number}", holder_name=f"زائر رقم {number} {FAMILY_NAME}"
        )
        AccountContact.objects.create(account=account, identifier=f"tel:{phone}")
        point = ServicePoint.objects.create(
            number=f"SP-{number:06}", account=account, place=f"بوشر، سكة 1000، منزل {number}", district="بوشر"
        )
        installed = today.replace(day=1) if last is None else today - timedelta(days=3 * 365)
        meter = Meter.objects.create(
            service_point=point, serial=f"E{80_000_000 + number}", installed_on=installed
        )
        register = Register.objects.create(meter=meter, digits=digits, decimals=decimals)
        if last is not None:
            _give_history(register, last, at)
    return _customer(point, last if last is not None else Decimal(0))


USUAL_MONTH = 600  # kWh in a mean month


def _give_history(register: Register, last: Decimal, at: datetime) -> None:
    value, taken_at = last, at - timedelta(days=30)
    step = Decimal(1).scaleb(-register.decimals)
    mean = sum(AC_SEASON) / 12
    readings: list[Reading] = []
    while value >= 0 and len(readings) < 24:
        readings.append(
            Reading(
                service_point=register.meter.service_point,
                register=register,
                value=value.quantize(step, "ROUND_FLOOR"),
                source=Reading.Source.FIELD,
                taken_at=taken_at,
                recorded_at=taken_at,
            )
        )
        taken_at -= timedelta(days=30)
        value -= Decimal(USUAL_MONTH * AC_SEASON[taken_at.month - 1] / mean)
    Reading.objects.bulk_create(readings)


def _customer(point: ServicePoint, shows: Decimal) -> MadeUpCustomer:
    contact = point.account.contacts.order_by("id").first()
    meter = point.current_meter
    if contact is None or meter is None:
        raise ServicePoint.DoesNotExist(f"{point.number} has no phone or no meter: it is not made_up's")
    return MadeUpCustomer(
        phone=contact.identifier.removeprefix("tel:"),
        name=point.account.holder_name,
        service_point=point,
        meter_serial=meter.serial,
        next_reading=shows,
    )
