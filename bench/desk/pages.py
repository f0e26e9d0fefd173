"""The pages of the desk one after the other, with nothing else going on: the time in the server, and at the client."""

import random
import time
from pathlib import Path

import httpx

from bench.desk.entering import cookies_of, headers_of, server_times
from bench.desk.processors import Meter
from bench.desk.saying import names
from bench.desk.size import Size, phone, username
from bench.desk.timing import Times

MONTH = "period=month"


def searches(size: Size, chance: random.Random) -> str:
    """A word that everybody uses, two words, a name, a number's end, a whole number, one only begun, one that nobody uses."""
    customer = chance.randint(1, size.customers)
    return chance.choice(
        ["فاتورة", "عداد مكسور", chance.choice(names()), phone(customer)[-5:], phone(customer), "bill", "انقط", "زرافة",
         "technician visit", str(chance.randint(1_000, 9_999_999))]
    )  # fmt: skip


def addresses(size: Size, chance: random.Random) -> dict[str, str]:
    """By name, one of each page, always another."""
    any_one, any_agent = chance.randint(1, size.conversations), chance.randint(1, size.agents)
    return {
        "inbox, all that is owed": "/conversations/",
        "inbox, mine": "/conversations/?mine=1",
        "inbox, late": "/conversations/?state=late",
        "inbox, everything": "/conversations/?state=all",
        "inbox, a queue": f"/conversations/?queue={chance.randint(1, 8)}",
        "inbox, waiting for the customer": "/conversations/?state=waiting",
        "inbox, closed, English": "/conversations/?state=closed&language=en",
        "search": f"/conversations/?state=all&q={searches(size, chance)}",
        "search, in what is owed": f"/conversations/?q={searches(size, chance)}",
        "conversation": f"/conversations/{any_one}",
        "account, everybody": f"/accountability/?{MONTH}",
        "account, queues": f"/accountability/?by=queue&{MONTH}",
        "account, one person": f"/accountability/person/{username(any_agent)}?{MONTH}",
        "account, one person's late ones": f"/accountability/person/{username(any_agent)}?{MONTH}&show=late",
        "account, one queue's late ones": f"/accountability/queue/First%20line?{MONTH}&show=late",
        "account, one obligation": f"/accountability/obligations/{any_one}",
        "standards": "/standards/",
        "team": "/team/",
        "wall": "/wall",
        "troubles": "/troubles/",
        "home": "/",
    }


def measured(
    url: str, size: Size, calls: int, log: Path, meter: Meter, seed: int = 1
) -> tuple[dict[str, Times], dict[str, Times], dict[str, float]]:
    """By page: in the server, at the client, and the mean of the processors' milliseconds."""
    from django.contrib.auth.models import User

    chance, at_client, processors = random.Random(seed), {}, {}
    lead = cookies_of(User.objects.get(username="lead"))
    since = 0
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as asking:
        for call in range(-2 if calls else 0, calls):  # the first ones compile the templates
            if call == 0:
                since = log.stat().st_size
            for name, address in addresses(size, chance).items():
                cookies = cookies_of_agent(size, chance) if name == "inbox, mine" else lead
                began, before = time.perf_counter(), meter.milliseconds()
                answer = asking.get(address, headers=headers_of(cookies, name))
                took = 1000 * (time.perf_counter() - began)
                if answer.status_code != 200:
                    raise SystemExit(f"{answer.status_code} for {address}")
                if call >= 0:
                    at_client.setdefault(name, Times()).add(took)
                    processors[name] = processors.get(name, 0.0) + (meter.milliseconds() - before) / calls
    time.sleep(0.5)  # the log's last lines
    return (server_times(log, since) if calls else {}), at_client, processors


def cookies_of_agent(size: Size, chance: random.Random) -> dict[str, str]:
    from django.contrib.auth.models import User

    return cookies_of(User.objects.get(username=username(chance.randint(1, size.agents))))
