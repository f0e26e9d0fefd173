"""What the watch leaves behind: hundreds of visits in real browsers, with processes killed at random in the midst of them.

    rasd bench watch leaks [--visits 500] [--kills 0.2] [--seed 1] [--stand-ins]

A little site on loopback is visited again and again as ``rasd watch serve`` does it: one crew, a playing process of 50 visits. In
the given share of visits a random process of it is killed (SIGKILL) at a random moment: the keeper, the player, Playwright's
driver, the browser, one of its helpers. Killed, a visit may be ours or, where it did without what was killed, completed; never
the service's fault. So may the next one in the same browser: without its zygote, Chromium opens no further page. One JSON
object a line; exit status 1 where anything is left behind, lost or blamed wrongly.

Counted is whatever is new in the temporary folder and in shared memory: where others work on the machine, give it its own, as
root: ``unshare --mount sh -c 'mount -t tmpfs none /tmp; mount -t tmpfs none /dev/shm; rasd bench watch leaks'``.

``--stand-ins``: players that use no browser, but start processes and leave files as one does; a tenth of the time.
"""

import argparse
import http.server
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from rasd.watch.crew import CAST, Crew
from rasd.watch.nest import CARRIED_AS
from rasd.watch.players.orders import Order
from rasd.watch.verdicts import Verdict

PAGES = {
    "/": '<title>Desk</title><form action="/sent"><label>Your name <input name="n"></label><button>Send</button></form>',
    "/sent": '<title>Sent</title><p>Ticket 42 is open</p><a href="/list">My tickets</a>',
    "/list": "<title>My tickets</title><p>Ticket 42</p>",
}
JOURNEY = """
journey: ticket
title: A ticket
target: desk
who: {patience: 20s, language: en, network: wifi}
steps: [{open: /}, {fill: {Your name: "{someone.name}"}}, {press: Send}]
done: [{press: My tickets}, {see: Ticket 42}]
"""
WITH_STAND_INS = """
journey: ticket
title: A ticket
target: desk
who: {patience: 20s}
steps: [{press: litter}, {wait: 0.05s}]
done: [{see: Ticket 42}]
"""
EVERY = 50  # visits between two looks at the memory


class _Desk(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path.partition("?")[0])
        data = f"<!doctype html><html lang=en><body>{page or 'nothing here'}".encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def desk() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Desk) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def of_the_watch(nests: Path) -> list[psutil.Process]:
    """Every process that carries the name of a nest, wherever it hangs."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(CARRIED_AS, "").startswith(str(nests)):
                found.append(process)
    return found


class Killer(threading.Thread):
    """Kills one process of the crew's, some time from now."""

    def __init__(self, crew: Crew, after: float, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.crew, self.after, self.chance, self.killed, self.at = crew, after, chance, "", 0.0

    def run(self) -> None:
        time.sleep(self.after)
        with suppress(psutil.Error, AttributeError):
            keeper = psutil.Process(self.crew.process.pid)  # type: ignore[union-attr]
            below = keeper.children(recursive=True)
            player = keeper.children()[:1]
            victim = self.chance.choice([keeper, *player, *below])
            name = "keeper" if victim == keeper else "player" if victim in player else victim.name()
            victim.kill()
            self.killed, self.at = name, time.monotonic()


def left_behind(nests: Path, temporary: Path, box: Path, before: set[str]) -> dict[str, int]:
    return {
        "processes": len(of_the_watch(nests)),
        "nests": len(list(nests.iterdir())),
        "temporary_files": len({each.name for each in temporary.iterdir()} - before),
        "unfinished_evidence": len(list(box.glob("??/.*"))),
        "shared_memory": sum(each.name.startswith((".org.chromium", "org.chromium")) for each in Path("/dev/shm").iterdir()),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="rasd bench watch leaks")
    parser.add_argument("--visits", type=int, default=500)
    parser.add_argument(
        "--kills", type=float, default=0.2, help="the share of visits in which something is killed"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stand-ins", action="store_true")
    options = parser.parse_args()
    chance, me = random.Random(options.seed), psutil.Process()
    cast, journey = (
        ("tests.watch.stand_ins:StandIns", WITH_STAND_INS) if options.stand_ins else (CAST, JOURNEY)
    )
    longest = 0.6 if options.stand_ins else 3.0
    temporary = Path(tempfile.gettempdir())
    before = {each.name for each in temporary.iterdir()}
    verdicts: Counter[str] = Counter()
    odd: list[dict[str, Any]] = []
    told = aged = 0
    with tempfile.TemporaryDirectory(prefix="bench-leaks-") as folder, desk() as url:
        nests, box = Path(folder) / "nests", Path(folder) / "box"
        nests.mkdir()
        began = time.monotonic()
        with Crew(cast, root=nests) as crew:
            process, late, before_it = None, "", ""
            for n in range(1, options.visits + 1):
                order = Order(
                    journey=journey, folder=Path(folder), target="desk", url=url, box=box, seed=f"{options.seed}-{n}"
                )  # fmt: skip
                killer = None
                if chance.random() < options.kills:
                    killer = Killer(crew, chance.uniform(0.0, longest), chance)
                    killer.start()
                report, paid = crew.pay(order), time.monotonic()
                killed, late, before_it = late or before_it, "", ""
                if killer:
                    killer.join()
                    if killer.killed and killer.at > paid:
                        late = f"before it: {killer.killed}"
                    else:
                        killed = killer.killed or killed
                        before_it = f"before it: {killed}" if killer.killed and crew.process else ""
                verdicts[f"{killed or 'nothing'} killed: {report.verdict.value}"] += 1
                told += 1
                aged = aged + 1 if crew.process is process else 1
                process = crew.process
                if report.verdict in {Verdict.THEIRS, Verdict.WALL} or (
                    not killed and report.verdict is Verdict.OURS
                ):
                    odd.append({"killed": killed, "verdict": report.verdict, "facts": report.facts})
                if n % EVERY == 0 or n == 1:
                    playing = crew.process.megabytes() if crew.process else None
                    print(json.dumps({
                        "visits": n, "seconds": round(time.monotonic() - began),
                        "watcher_mb": round(me.memory_info().rss / 1024**2, 1),
                        "playing_mb": playing and round(playing, 1), "of_visits": aged,
                        "watcher_files": me.num_fds(), "processes": len(of_the_watch(nests)), "nests": len(list(nests.iterdir())),
                    }), flush=True)  # fmt: skip
        left = left_behind(nests, temporary, box, before | {Path(folder).name})
    print(json.dumps({"verdicts": dict(sorted(verdicts.items()))}))
    print(json.dumps({"left_behind": left}))
    for each in odd[:10]:
        print(json.dumps({"blamed_wrongly": each}))
    print(json.dumps({"visits": told, "blamed_wrongly": len(odd), "lost": options.visits - told}))
    return 1 if any(left.values()) or odd else 0


if __name__ == "__main__":
    sys.exit(main())
