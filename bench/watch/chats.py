"""Chat journeys a minute, evidence on: an errand of three messages with a service that answers at once.

    rasd bench watch chats [--visits 20] [--crews 1]

A made-up chat on loopback, so that what is measured is the watch: the page is opened as by a phone, three messages are typed
key by key, three answers heard, the last of them a person's; of each step a picture and the page's words, and the transcript.
``--crews``: so many at once, each with its own browser, as ``rasd watch serve --watchers`` has them. Of each journey: seconds;
those of the steps that say and hear, in which he types and listens as people do; and CPU-seconds of the watch and its browser,
where one crew plays. The first of each crew, which starts the browser, is not counted. One JSON object a line; Linux only.
"""

import argparse
import http.server
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from rasd.watch.crew import Crew
from rasd.watch.players.orders import Order
from rasd.watch.verdicts import Verdict

MESSAGES = ("السلام عليكم", "كم فاتورة الحساب 12345؟", "أبغى أكلم موظف")
ANSWERS = (
    "وعليكم السلام، كيف نساعدك؟",
    "فاتورة الحساب 12345 لهذا الشهر 12.500 ريال.",
    "انضم إليك موظف من خدمة العملاء.",
)
PAGE = """<!doctype html><html lang=ar dir=rtl><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>خدمة العملاء</title><h1>خدمة العملاء</h1><div role=log></div>
<form><input aria-label="رسالتك" autocomplete=off><button>أرسل</button></form><script>
const log = document.querySelector("[role=log]"), box = document.querySelector("input");
const add = (words, whose) => {
  const p = document.createElement("p"); p.className = whose; p.textContent = words; log.append(p);
};
document.querySelector("form").addEventListener("submit", async event => {
  event.preventDefault();
  const words = box.value; box.value = ""; add(words, "his");
  add(await (await fetch("/answer", {method: "POST", body: words})).text(), "theirs");
});
</script>"""
JOURNEY = f"""
journey: chat
title: A chat
target: bench
channel: chat
who: {{patience: 60s, network: wifi}}
chat: {{box: رسالتك, person: انضم إليك موظف}}
steps:
  - open: /
  - say: {MESSAGES[0]}
  - hear: وعليكم
  - say: {MESSAGES[1]}
  - hear: {{words: 'الحساب 12345', keep: {{amount: '([\\d.]+) ريال'}}}}
done:
  - say: {MESSAGES[2]}
  - hear: {{person: true}}
"""
SPOKEN = ("say", "hear")


class _Chat(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._tell(PAGE if self.path == "/" else "")

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._tell(dict(zip(MESSAGES, ANSWERS, strict=True)).get(said, "لم أفهم."))

    def _tell(self, words: str) -> None:
        data = words.encode()
        self.send_response(200 if data else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def chat() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Chat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def spent() -> float:
    """CPU-seconds of everything below this process, and of what was below it and has ended."""
    total = 0.0
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            total += sum(each.cpu_times()[:4])
    return total


def paid(url: str, folder: Path, name: str, visits: int, begins: threading.Barrier) -> list[dict[str, float]]:
    """By one crew, one after the other; each must be completed."""
    found: list[dict[str, float]] = []
    with Crew() as crew:
        for n in range(visits + 1):
            order = Order(
                journey=JOURNEY,
                folder=folder,
                target="bench",
                url=url,
                box=folder / "box",
                seed=f"{name}-{n}",
            )
            before, began = spent(), time.monotonic()
            report = crew.pay(order)
            if report.verdict not in (Verdict.COMPLETED, Verdict.OURS):
                raise SystemExit(f"a journey did not go well: {report.verdict} {report.facts}")
            if n == 0:
                begins.wait()
                continue
            found.append(
                {
                    "seconds": time.monotonic() - began,
                    "spoken": sum(each.seconds for each in report.findings if each.verb in SPOKEN),
                    "cpu_seconds": spent() - before,
                    "completed": report.verdict is Verdict.COMPLETED,
                }
            )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visits", type=int, default=20, help="of each crew, after one that is not counted")
    parser.add_argument("--crews", type=int, default=1)
    options = parser.parse_args()
    began = 0.0

    def started() -> None:
        nonlocal began
        began = time.monotonic()

    begins = threading.Barrier(options.crews, action=started)
    with tempfile.TemporaryDirectory() as folder, chat() as url, ThreadPoolExecutor(options.crews) as pool:
        playing = [
            pool.submit(paid, url, Path(folder), f"crew-{n}", options.visits, begins)
            for n in range(options.crews)
        ]
        rows = [row for each in playing for row in each.result()]
        minutes = (time.monotonic() - began) / 60
    told: dict[str, object] = {
        "chats": len(rows),
        "completed": sum(int(row["completed"]) for row in rows),
        "crews": options.crews,
        "a_minute": round(len(rows) / minutes, 1),
    }
    for unit in ("seconds", "spoken", *(("cpu_seconds",) if options.crews == 1 else ())):
        values = sorted(row[unit] for row in rows)
        told |= {
            unit: round(statistics.median(values), 2),
            f"{unit}_from_to": [round(values[0], 2), round(values[-1], 2)],
        }
    print(json.dumps(told | {"load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}), flush=True)
    sys.exit(0 if told["completed"] == len(rows) else 1)


if __name__ == "__main__":
    main()
