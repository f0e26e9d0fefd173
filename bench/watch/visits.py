"""What a web visit costs: CPU-seconds and megabytes of evidence, beside plain Playwright on the same journey in the same run.

    rasd bench watch visits [--visits 12]

Five steps on a made-up service on this machine (``_site.py``, a process of its own, not counted): open, press, fill, press, see.

plain    Playwright as its manual has it: a fresh headless browser for each visit, a phone's context, a trace with
         screenshots, snapshots and sources, kept. Playwright's driver is kept between visits. Nothing else is looked at.
ours     a visit as the watch pays it, whole: the looks at itself, the persona, leave asked at each door, things found by
         their words, of each step a picture, the page's words and what failed, a trace that is begun and thrown away.
traced   the same, and the trace is kept, as of each failure and of a share of the others.

They take turns, so that whatever else the machine does is shared. CPU-seconds are of the player and of all that it started
(Python, Playwright's driver, every process of the browser, those that ended too), until nothing of the visit is left. One JSON
object a line; Linux only.
"""

import argparse
import ctypes
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path

import psutil
from playwright.sync_api import Playwright, sync_playwright

from rasd.watch.players.browser import the_systems
from rasd.watch.players.cast import RealCast
from rasd.watch.players.orders import Order
from rasd.watch.players.persona import PHONE
from rasd.watch.players.visiting import play
from rasd.watch.verdicts import Verdict

PR_SET_CHILD_SUBREAPER = 36  # prctl(2): what loses its parent comes to us, and is counted
ENDS = 0.4  # seconds in which the last processes of a visit end
JOURNEY = """
journey: ticket
title: A ticket
target: bench
who: {patience: 60s, network: wifi}
steps:
  - open: /
  - press: تقديم بلاغ
  - fill: {الاسم: سالم, البريد الإلكتروني: salim@example.org, المشكلة: انقطع الماء}
  - press: إرسال
done:
  - see: تم استلام بلاغكم
"""


class Player:
    """A process of its own that pays visits of one kind: two of Playwright's do not live in one."""

    def __init__(self, kind: str, url: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.watch.visits", "--player", kind, "--url", url, "--folder", folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def visit(self) -> tuple[float, float, float]:
        """CPU-seconds, megabytes, seconds."""
        before, began = self._spent(), time.monotonic()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a player ended: see above")
        seconds = time.monotonic() - began
        return self._spent() - before, float(line), seconds

    def _spent(self) -> float:
        """CPU-seconds of its whole life, and of all that ever was below it."""
        time.sleep(ENDS)
        player, total = psutil.Process(self.process.pid), 0.0
        for process in [player, *player.children(recursive=True)]:
            try:
                total += sum(process.cpu_times()[:4])  # its own, and of those of its children that ended
            except psutil.Error:
                continue
        return total

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=30)


def pay(kind: str, url: str, folder: Path) -> None:
    """In a player's process: a visit for each line that comes in, its megabytes for each line out."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with ExitStack() as stack:
        if kind == "plain":
            playwright = stack.enter_context(sync_playwright())
            visit = partial(plain, playwright, url, folder)
        else:
            cast = stack.enter_context(closing(RealCast()))
            number = itertools.count()
            visit = partial(ours, cast, url, folder, number, trace=kind == "traced")
        for _ in sys.stdin:
            megabytes = visit()
            _reap()
            print(megabytes, flush=True)


def _reap() -> None:
    """What lost its parent came to us: once it has ended, its time is counted as our children's."""
    time.sleep(ENDS)
    for process in psutil.Process().children():
        with suppress(psutil.Error, ChildProcessError):
            if process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)


def plain(playwright: Playwright, url: str, folder: Path) -> float:
    """Gives the trace's megabytes."""
    trace = folder / "trace.zip"
    browser = playwright.chromium.launch(
        executable_path=the_systems(), args=["--no-sandbox"] if os.geteuid() == 0 else []
    )
    context = browser.new_context(
        viewport={"width": PHONE.window[0], "height": PHONE.window[1]},
        device_scale_factor=PHONE.scale,
        is_mobile=True,
        has_touch=True,
        locale="ar-OM",
        timezone_id="Asia/Muscat",
    )
    context.tracing.start(screenshots=True, snapshots=True, sources=True)
    page = context.new_page()
    page.goto(url)
    page.get_by_role("link", name="تقديم بلاغ").tap()
    page.get_by_label("الاسم").fill("سالم")
    page.get_by_label("البريد الإلكتروني").fill("salim@example.org")
    page.get_by_label("المشكلة").fill("انقطع الماء")
    page.get_by_role("button", name="إرسال").tap()
    page.get_by_text("تم استلام بلاغكم").wait_for()
    context.tracing.stop(path=trace)
    browser.close()
    return trace.stat().st_size / 1e6


def ours(cast: RealCast, url: str, folder: Path, number: Iterator[int], *, trace: bool) -> float:
    """Gives the megabytes of its evidence."""
    order = Order(
        journey=JOURNEY,
        folder=folder,
        target="bench",
        url=url,
        box=folder / "box",
        seed=f"{next(number)}",
        trace=trace,
    )
    report = play(order, cast, lambda *_: None)
    if report.verdict is not Verdict.COMPLETED:
        raise SystemExit(f"a visit did not go well: {report.model_dump_json(indent=1)}")
    kept = {
        each.sha256: each.size
        for each in [*report.exhibits, *(e for f in report.findings for e in f.exhibits)]
    }
    return sum(kept.values()) / 1e6


Rows = list[tuple[float, float, float]]


def measured(visits: int) -> dict[str, Rows]:
    """By kind, of each visit: CPU-seconds, megabytes, seconds. The first of ours, which starts the browser, apart."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        site = subprocess.Popen(
            [sys.executable, "-m", "bench.watch._site"], stdout=subprocess.PIPE, text=True
        )
        stack.enter_context(site)
        stack.callback(site.kill)
        url = f"http://127.0.0.1:{site.stdout.readline().strip()}"
        players = {kind: Player(kind, url, folder) for kind in ("plain", "ours", "traced")}
        for player in players.values():
            stack.callback(player.close)
        first = {kind: player.visit() for kind, player in players.items()}
        found: dict[str, Rows] = {"first": [first["ours"]], **{kind: [] for kind in players}}
        for _ in range(visits):
            for kind, player in players.items():
                found[kind].append(player.visit())
        return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visits", type=int, default=12, help="of each kind, after one that is not counted")
    parser.add_argument("--player", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.player:
        return pay(arguments.player, arguments.url, arguments.folder)
    found = measured(arguments.visits)
    medians = {}
    for kind, rows in found.items():
        line: dict[str, object] = {"visit": kind, "visits": len(rows)}
        for place, unit in enumerate(("cpu_seconds", "megabytes", "seconds")):
            values = sorted(row[place] for row in rows)
            medians[kind, unit] = statistics.median(values)
            line |= {
                unit: round(medians[kind, unit], 3),
                f"{unit}_from_to": [round(values[0], 3), round(values[-1], 3)],
            }
        print(json.dumps(line), flush=True)
    ratios = {
        unit: round(medians["ours", unit] / medians["plain", unit], 2)
        for unit in ("cpu_seconds", "megabytes")
    }
    print(json.dumps({"ours_to_plain": ratios, "load": os.getloadavg()[0], "cores": os.cpu_count()}))
    sys.exit(0 if max(ratios.values()) < 1 else 1)


if __name__ == "__main__":
    main()
