"""How fast webhook messages are stored and acknowledged: at a fixed rate, and as fast as one process takes them.

    python bench/ingest.py                      # a database and a web process of its own, in a temporary folder
    python bench/ingest.py --url http://127.0.0.1:8000   # a server that runs, with this installation's RASD_* settings

At a fixed rate each call has its moment, and its time is counted from that moment on, so that a server that falls behind cannot
hide it. Load and server share the machine: what is measured is a lower bound. Part 1; photograph to answer is part 2.
"""

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PATH = "/channels/whatsapp/webhook"
PHONE_NUMBER_ID = "100000000000001"  # made up


@dataclass
class Result:
    """``times``: milliseconds from the moment a call was due to its answer, of those answered 200."""

    name: str
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    other_answers: int = 0
    stored: int = 0

    def as_dict(self) -> dict:
        ordered = sorted(self.times) or [float("nan")]

        def percentile(p: float) -> float:
            return round(ordered[min(len(ordered) - 1, int(len(ordered) * p))], 2)

        return {
            "run": self.name,
            "acknowledged": len(self.times),
            "stored": self.stored,
            "other_answers": self.other_answers,
            "seconds": round(self.seconds, 2),
            "per_second": round(len(self.times) / self.seconds, 1) if self.seconds else 0.0,
            "p50_ms": percentile(0.50),
            "p95_ms": percentile(0.95),
            "p99_ms": percentile(0.99),
            "max_ms": round(ordered[-1], 2),
        }


def message(number: int, run: str) -> bytes:
    """One text message as Meta delivers it; number and names are made up."""
    sender = f"9687{number % 5000:07d}"
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "96824000000", "phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"profile": {"name": f"Customer {number % 5000}"}, "wa_id": sender}],
        "messages": [
            {
                "from": sender,
                "id": f"wamid.bench.{run}.{number}",
                "timestamp": str(int(time.time())),
                "type": "text",
                "text": {"body": f"القراءة {number}"},
            }
        ],
    }
    entry = {"id": "1", "changes": [{"value": value, "field": "messages"}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


class Connection:
    """One HTTP/1.1 connection kept alive. A whole HTTP client would cost the load more than the server's own work."""

    def __init__(self, host: str, port: int, secret: str) -> None:
        self._host, self._port, self._secret = host, port, secret.encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> int:
        """Returns the HTTP status."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nX-Hub-Signature-256: sha256={signature}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next(
            (int(h.split(":")[1]) for h in answer.split("\r\n") if h.startswith("content-length:")), 0
        )
        if length:
            await reader.readexactly(length)
        if "transfer-encoding: chunked" in answer:  # an error's page: its end is not looked for
            self._streams = None
            writer.close()
        return int(answer.split(" ", 2)[1])

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()


async def at_rate(
    result: Result, pool: list[Connection], rate: float, seconds: float, run: str, most: int
) -> None:
    """Open loop: ``rate`` calls a second for ``seconds``, whether or not earlier ones are answered."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in pool:
        free.put_nowait(connection)
    start = time.perf_counter() + 0.2

    async def one(number: int) -> None:
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        connection = await free.get()
        try:
            status = await connection.post(message(number, run))
        finally:
            free.put_nowait(connection)
        if status == 200:
            result.times.append((time.perf_counter() - due) * 1000)
        else:
            result.other_answers += 1

    await asyncio.gather(*(one(number) for number in range(min(most, int(rate * seconds)))))
    result.seconds = time.perf_counter() - start


async def at_most(result: Result, pool: list[Connection], seconds: float, run: str, most: int) -> None:
    """Closed loop: each connection calls again as soon as it is answered."""
    start = time.perf_counter()
    numbers = iter(range(most))

    async def lane(connection: Connection) -> None:
        for number in numbers:
            began = time.perf_counter()
            if began - start >= seconds:
                return
            status = await connection.post(message(number, run))
            if status == 200:
                result.times.append((time.perf_counter() - began) * 1000)
            else:
                result.other_answers += 1

    await asyncio.gather(*(lane(connection) for connection in pool))
    result.seconds = time.perf_counter() - start


@contextlib.contextmanager
def own_server(processes: int) -> Iterator[str]:
    """A web server with a new database in a temporary folder. Sets RASD_* for this process too."""
    from rasd.config.embedded import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="rasd-bench-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {
            "RASD_DATA_DIR": folder,
            "RASD_WHATSAPP_APP_SECRET": secrets.token_hex(16),
            "RASD_LOG_LEVEL": os.environ.get("RASD_LOG_LEVEL", "WARNING"),
        }
        os.environ.pop("RASD_DATABASE_URL", None)
        with EmbeddedPostgres(Path(folder) / "postgres").held():
            set_up(migrate=True)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            command = [sys.executable, "-m", "uvicorn", "rasd.config.asgi:application", "--port", str(port)]
            command += [
                "--lifespan",
                "off",
                "--log-level",
                "warning",
                "--no-access-log",
                "--workers",
                str(processes),
            ]
            server = subprocess.Popen(command)
            try:
                wait_for(port)
                yield f"http://127.0.0.1:{port}"
            finally:
                server.terminate()
                server.wait(10)
                from django.db import connection

                connection.close()
                connection.close_pool()


def set_up(*, migrate: bool) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rasd.config.settings")
    import django

    django.setup()
    if migrate:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)


def wait_for(port: int, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def measure(url: str, options: argparse.Namespace) -> list[Result]:
    from django.conf import settings

    from rasd.channels.models import Channel, Delivery, Line

    Line.objects.get_or_create(
        channel=Channel.WHATSAPP,
        external_id=PHONE_NUMBER_ID,
        defaults={"purpose": Line.Purpose.READINGS, "name": "Bench", "display_address": "+968 2400 0000"},
    )
    address = urlsplit(url)
    run = secrets.token_hex(4)

    async def all_of_it() -> list[Result]:
        pool = [
            Connection(address.hostname or "127.0.0.1", address.port or 80, settings.WHATSAPP["APP_SECRET"])
            for _ in range(options.connections)
        ]
        warm = Result("warm-up")
        await at_rate(warm, pool, 50, 2, f"{run}w", 100)
        results = []
        for rate in options.rate:
            result = Result(f"{rate:g} a second")
            results.append(result)
            before = await Delivery.objects.acount()
            await at_rate(result, pool, rate, options.seconds, f"{run}r{rate:g}", options.messages)
            result.stored = await Delivery.objects.acount() - before
        result = Result(f"as fast as it goes, {len(pool)} connections")
        results.append(result)
        before = await Delivery.objects.acount()
        await at_most(result, pool, options.seconds, f"{run}m", options.messages)
        result.stored = await Delivery.objects.acount() - before
        for connection in pool:
            connection.close()
        return results

    return asyncio.run(all_of_it())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", help="a running server; without it one is started")
    parser.add_argument(
        "--rate", type=float, action="append", help="messages a second; may be repeated (100)"
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run")
    parser.add_argument("--messages", type=int, default=20_000, help="of each run at most")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--processes", type=int, default=1, help="of the web server that is started")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each run")
    options = parser.parse_args()
    options.rate = options.rate or [100.0]
    if options.url:
        set_up(migrate=False)
        results = measure(options.url, options)
    else:
        with own_server(options.processes) as url:
            results = measure(url, options)
    for result in results:
        print(json.dumps(result.as_dict()) if options.json else row(result.as_dict()))
    lost = any(r.stored != len(r.times) for r in results)
    if lost:
        print("acknowledged and stored differ: something was lost or doubled", file=sys.stderr)
    return 1 if lost or any(r.other_answers for r in results) else 0


def row(figures: dict) -> str:
    return (
        f"{figures['run']:<40} {figures['acknowledged']:>7} acknowledged {figures['stored']:>7} stored "
        f"{figures['per_second']:>8}/s   p50 {figures['p50_ms']} ms  p95 {figures['p95_ms']} ms  "
        f"p99 {figures['p99_ms']} ms  max {figures['max_ms']} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
