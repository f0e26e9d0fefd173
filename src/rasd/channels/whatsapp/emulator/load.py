"""Many messages at once, from made-up phones, bounded by count and time."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from .customer import Customer
from .network import Network
from .settings import LOOPBACK

MOST_MESSAGES = 100_000
LONGEST_SECONDS = 3600.0
FIRST_NUMBER = 96870000000  # made-up numbers: 968 7000 0000 and up


@dataclass
class Plan:
    """``messages`` from ``phones`` phones in turn, ``rate`` a second (0: as fast as it goes), ``photo_share`` of them with one
    of the photographs given. ``duplicate_rate`` and ``reorder`` (seconds) are set as faults for the time of the load.
    It ends after ``seconds`` even if messages are left.
    """

    messages: int = 100
    phones: int = 20
    rate: float = 20.0
    photo_share: float = 0.0
    duplicate_rate: float = 0.0
    reorder: float = 0.0
    seconds: float = 120.0
    text: str = "رسالة تجريبية {n}"
    line: str = ""
    first_number: int = FIRST_NUMBER

    def check(self, photos: list, webhook_url: str) -> None:
        """Raises ValueError naming the field that is out of bounds, or where the webhook is not on this machine."""
        if webhook_url and urlsplit(webhook_url).hostname not in LOOPBACK:
            raise ValueError(
                f"webhook: {webhook_url} is not on this machine (127.0.0.1). Loads go nowhere else."
            )
        bounds = {
            "messages": (1, MOST_MESSAGES),
            "phones": (1, 10_000),
            "rate": (0, 10_000),
            "photo_share": (0, 1),
            "duplicate_rate": (0, 1),
            "reorder": (0, 600),
            "seconds": (0.1, LONGEST_SECONDS),
        }
        for name, (least, most) in bounds.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
                raise ValueError(f"{name}: {value!r} is not a number from {least} to {most}.")
        if self.photo_share and not photos:
            raise ValueError("photo: photo_share is set, but no photograph was given. Give at least one.")


async def run(network: Network, plan: Plan, photos: list[tuple[bytes, str]], progress: dict) -> None:
    """Sends what the plan says; ``progress`` is kept up to date and says in the end what was done."""
    world, random = network.world, network.world.random
    before = world.faults.duplicate_rate, world.faults.reorder
    world.faults.duplicate_rate, world.faults.reorder = plan.duplicate_rate, plan.reorder
    with_photo = set(random.sample(range(plan.messages), round(plan.messages * plan.photo_share)))
    people = [world.add_phone(str(plan.first_number + n), name=f"Load {n + 1}") for n in range(plan.phones)]
    began = time.perf_counter()
    ids = []
    try:
        for n in range(plan.messages):
            if time.perf_counter() - began > plan.seconds:
                progress["cut_short"] = f"{plan.seconds} seconds were over"
                break
            customer = Customer(network, people[n % plan.phones], plan.line)
            if n in with_photo:
                data, mime_type = photos[progress["photos"] % len(photos)]
                ids.append(customer.upload(data, mime_type).id)
                progress["photos"] += 1
            else:
                ids.append(customer.text(plan.text.format(n=n + 1)).id)
            progress["sent"] = n + 1
            progress["seconds"] = round(time.perf_counter() - began, 3)
            due = began + (n + 1) / plan.rate if plan.rate else 0.0
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
    finally:
        world.faults.duplicate_rate, world.faults.reorder = before
        progress["state"] = "done"
        progress["message_ids"] = ids
