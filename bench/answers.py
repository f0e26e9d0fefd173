"""How long a customer waits from sending a photograph to the answer, at several photographs a second.

A whole Rasd as ``rasd serve`` runs it, photographs of RENDERED meters from emulated phones, the times by the emulator's
clock: from the phone's send to the first answer that tells something (not "I am reading …"). Load, emulator and Rasd share
this machine.
"""

import argparse
import json
import statistics
import time
from datetime import datetime

from bench._house import House, house
from bench.crash import FIRST_NUMBER, come_to_rest, make_customers, pictures


def measure(home: House, rate: float, seconds: float, first_number: int) -> dict:
    count = max(1, round(rate * seconds))
    home.emulator.load(
        photos=pictures(),
        messages=count,
        phones=count,
        rate=rate,
        photo_share=1.0,
        seconds=seconds * 2 + 10,
        first_number=first_number,
    )
    home.emulator.settle(timeout=300)
    unfinished = come_to_rest()
    time.sleep(1)  # the last delivery statuses
    waits = [wait for n in range(count) if (wait := waited(home, first_number + n)) is not None]
    waits.sort()
    return {
        "photographs_a_second": rate,
        "photographs": count,
        "answered": len(waits),
        "unfinished": unfinished,
        "p50_s": round(statistics.median(waits), 2),
        "p95_s": round(waits[min(len(waits) - 1, int(0.95 * len(waits)))], 2),
        "max_s": round(waits[-1], 2),
    }


def waited(home: House, number: int) -> float | None:
    """Seconds from the photograph to the first answer with buttons or a receipt; None where none came."""
    chat = home.emulator.request("GET", f"/chats/{number}")["messages"]
    sent = next((message["at"] for message in chat if message["direction"] == "in"), None)
    told = next(
        (
            m["at"]
            for m in chat
            if m["direction"] == "out" and not (m["biz_opaque_callback_data"] or "").startswith("reading:")
        ),
        None,
    )
    if sent is None or told is None:
        return None
    return (datetime.fromisoformat(told) - datetime.fromisoformat(sent)).total_seconds()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rate", type=float, action="append", help="photographs a second; may be repeated (1, 2, 5)"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="of each rate")
    options = parser.parse_args()
    rates = options.rate or [1.0, 2.0, 5.0]
    with house() as home:
        make_customers(round(sum(rates) * options.seconds) + len(rates))
        first = FIRST_NUMBER
        for rate in rates:
            figures = measure(home, rate, options.seconds, first)
            first += figures["photographs"]
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
