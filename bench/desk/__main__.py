"""A big desk: its pages, alone and with two hundred at work while messages pour in, and a neighbour's beside them.

    rasd bench desk                                    a million conversations, built in some minutes
    rasd bench desk --keep FOLDER                      the database is built once and used again; each run adds its messages
    rasd bench desk --conversations 20000 --agents 20 --seconds 20 --rate 5 --browsers 0
    rasd bench desk --peer                             django-helpdesk's pages on 100,000 tickets, and the ratio

A whole Rasd as ``rasd serve`` runs it (one web process, one worker), database, agents, browsers and messages on this machine,
over 127.0.0.1; it ends by itself. One JSON object a line; milliseconds.

server      what the request log says
client      the same, and waiting for the web process
processor   what the web process and the database took of the processors, in the mean; milliseconds_a_second: each, at work

What is sent to customers is accepted at once by a stand-in.
"""

import argparse
import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench._house import serving
from bench.desk.size import SPREAD, Size, username
from bench.desk.timing import Times, ratio

if TYPE_CHECKING:
    from bench.desk.processors import Meter

PAGES_UNDER, SCREEN_UNDER = 100, 500  # milliseconds, at the 95th of a hundred
PEER = {"list": "inbox, all that is owed", "search": "search", "ticket": "conversation"}
SITTING_DOWN = (
    SPREAD + 10.0
)  # seconds before which nothing is measured: nobody opens two hundred pages at once all day
AFTER = 3.0  # seconds in which the last messages reach their screens


def tell(name: str, **what: object) -> None:
    print(
        json.dumps({"measured": name, "load": round(os.getloadavg()[0], 1), **what}, ensure_ascii=False),
        flush=True,
    )


def main() -> int:
    options = _options()
    size = Size(options.conversations, options.agents)
    with ExitStack() as leaving:
        folder = Path(
            options.keep or leaving.enter_context(tempfile.TemporaryDirectory(prefix="rasd-bench-"))
        )
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        os.environ["RASD_DATA_DIR"] = str(folder / "data")
        os.environ.pop("RASD_DATABASE_URL", None)
        from rasd.config.running import with_database

        return with_database(lambda: _measure(options, size, folder))() or 0


def _measure(options: argparse.Namespace, size: Size, folder: Path) -> int:
    from django.core.management import call_command

    from bench.desk import claiming, pages
    from bench.desk.filling import fill, is_filled
    from bench.desk.processors import Meter
    from bench.desk.sink import sink

    call_command("migrate", verbosity=0)
    if not is_filled(size):
        fill(size, tell)
    tell("machine", processors=psutil.cpu_count(),
         memory_gib=round(psutil.virtual_memory().total / 2**30),
         conversations=size.conversations, messages=size.messages, agents=size.agents)  # fmt: skip
    secret, url, log = secrets.token_urlsafe(16), f"http://127.0.0.1:{options.port}", folder / "serve.log"
    with sink() as whatsapp:
        environment = {"RASD_WHATSAPP_API_URL": whatsapp, "RASD_WHATSAPP_TOKEN": "bench", "RASD_WHATSAPP_APP_SECRET": secret,
                       "RASD_LOG_LEVEL": "INFO"}  # fmt: skip
        with serving(options.port, folder, environment) as serve:
            meter = Meter(serve)
            at_server, at_client, processors = pages.measured(url, size, options.calls, log, meter)
            for name, times in at_server.items():
                tell("page", page=name, **times.row, client_median=round(at_client[name].at(0.5), 1),
                     processor=round(processors[name], 1),
                     holds=times.at(0.95) < PAGES_UNDER)  # fmt: skip
            tell("claim", **claiming.contested(url, size, options.claims))
            if options.peer:
                _beside(options, folder, at_client)
            if options.seconds:
                asyncio.run(_at_work(options, size, url, secret, log, meter))
    return 0


def _beside(options: argparse.Namespace, folder: Path, at_client: dict[str, Times]) -> None:
    from bench.desk import peer

    with peer.helpdesk(folder, options.tickets) as client:
        theirs = peer.measured(
            client, options.tickets, options.calls, ["bill", "فاتورة", "عداد", "technician"]
        )
    for name, times in theirs.items():
        ours = at_client[PEER[name]]
        tell("beside", page=f"django-helpdesk: {name}", tickets=options.tickets, **times.row, ours=round(ours.at(0.5), 1),
             **ratio(ours, times))  # fmt: skip


async def _at_work(
    options: argparse.Namespace, size: Size, url: str, secret: str, log: Path, meter: "Meter"
) -> None:
    from asgiref.sync import sync_to_async
    from django.contrib.auth.models import User

    from bench.desk.entering import cookies_of, errors_in, server_times
    from bench.desk.screens import browsers, times_of
    from bench.desk.working import Agent, Board, open_client, pour

    def cookies() -> dict[str, tuple[int, dict[str, str]]]:
        people = User.objects.filter(username__in=[username(n) for n in range(1, size.agents + 1)])
        return {user.username: (user.pk, cookies_of(user)) for user in people}

    people = await sync_to_async(cookies)()
    board = Board()
    in_browsers = range(1, min(options.browsers, size.agents) + 1)
    shown = {size.of_agent(n)[0]: people[username(n)][1] for n in in_browsers}
    async with open_client(url) as asking, browsers(url, shown) as opened:
        agents = [
            Agent(n, size, people[username(n)][1], people[username(n)][0], board, asking)
            for n in range(len(in_browsers) + 1, size.agents + 1)
        ]
        ends = time.monotonic() + SITTING_DOWN + options.seconds
        working = asyncio.gather(*(agent.work(ends, options.pace) for agent in agents))
        await asyncio.sleep(SITTING_DOWN)
        began, since = time.time(), await sync_to_async(lambda: log.stat().st_size)()
        board.begin()
        psutil.cpu_times_percent(interval=None)
        before, measured = meter.by_process(), time.monotonic()
        await pour(url, secret, size, board, options.rate, options.seconds, dict.fromkeys(shown, 1))
        await asyncio.sleep(AFTER)
        await working
        measured, after = time.monotonic() - measured, meter.by_process()
        busy = psutil.cpu_times_percent(interval=None)
        in_browser = await times_of(opened, board.sent, began)
    for name, times in sorted(server_times(log, since).items()):
        if name != "live":
            tell("page at work", page=name, **times.row, holds=times.at(0.95) < PAGES_UNDER)
    unsorted = await sync_to_async(_unfinished)()
    tell("messages", a_second=options.rate, sent=len(board.sent), refused=board.refused, not_yet_in_their_conversation=unsorted,
         **board.acknowledged.row)  # fmt: skip
    tell("webhook to screen", of="agents", **board.screens.row, holds=board.screens.at(0.95) < SCREEN_UNDER)
    if opened:
        due = sum(1 for _ in board.sent) * len(shown) // max(1, round(options.rate))
        tell(
            "webhook to screen",
            of="browsers",
            sent=due,
            **in_browser.row,
            holds=in_browser.at(0.95) < SCREEN_UNDER,
        )
    tell(
        "machine at work",
        processor_percent=round(100 - busy.idle),
        milliseconds_a_second={name: round((after[name] - before[name]) / measured) for name in after},
        failed_requests=board.failed,
        numbers_told=board.numbers,
        errors_logged=errors_in(log, since),
    )


def _unfinished() -> int:
    from procrastinate.contrib.django.models import ProcrastinateJob

    waiting = ProcrastinateJob.objects.filter(
        status__in=["todo", "doing"], task_name__regex=r"\.(sort|receive)$"
    )
    return waiting.count()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="rasd bench desk", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--conversations", type=int, default=1_000_000)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--calls", type=int, default=100, help="of each page, with nothing else going on")
    parser.add_argument("--claims", type=int, default=20, help="conversations that twenty reach for at once")
    parser.add_argument("--seconds", type=float, default=120.0, help="at work; 0: not at all")
    parser.add_argument("--rate", type=float, default=50.0, help="messages a second")
    parser.add_argument(
        "--pace", type=float, default=20.0, help="seconds between two deeds of an agent, in the mean"
    )
    parser.add_argument(
        "--browsers", type=int, default=2, help="of the agents; RASD_BROWSER names another than Playwright's"
    )
    parser.add_argument(
        "--peer",
        action="store_true",
        help="measure django-helpdesk too (installed apart, from the package index)",
    )
    parser.add_argument("--tickets", type=int, default=100_000, help="django-helpdesk's")
    parser.add_argument("--keep", help="a folder for the database: built once, used again")
    parser.add_argument("--port", type=int, default=8791)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
