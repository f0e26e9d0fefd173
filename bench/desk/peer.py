"""Beside ours, in the same run, on the same PostgreSQL server and with the same client: django-helpdesk's three pages."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from bench._others import installed, running
from bench.desk.saying import sentences
from bench.desk.timing import Times

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "peer-requirements.txt"
PORT = 8792
TABLE = re.compile(r"/datatables_ticket_list/[\w+/=]*")
ROWS = 25  # that its page asks for


@contextmanager
def helpdesk(folder: Path, tickets: int) -> Iterator[httpx.Client]:
    """Installed once into ``folder``, filled once, served; a client that is logged in."""
    from django.db import connection

    python = str(installed(REQUIREMENTS, folder / "peer") / "python")
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = 'peer'")
        if not cursor.rowcount:
            cursor.execute("CREATE DATABASE peer")
    words = folder / "peer-words.txt"
    words.write_text("\n".join(sentences()))
    environment = {
        "PATH": os.environ["PATH"],
        "PEER_DATABASE": connection.get_connection_params()["host"],
        "PEER_WORDS": str(words),
        "PYTHONPATH": str(HERE),
    }
    filled = subprocess.run(
        [python, HERE / "peer_site.py", str(tickets)], env=environment, capture_output=True, text=True
    )
    if filled.returncode:
        raise SystemExit(f"django-helpdesk could not be filled:\n{filled.stderr[-3000:]}")
    with connection.cursor() as cursor, suppress(Exception):
        cursor.execute("VACUUM ANALYZE")
    command = [python, "-m", "uvicorn", "peer_site:application", "--port", str(PORT), "--lifespan", "off", "--no-access-log",
               "--log-level", "warning"]  # fmt: skip
    with (
        httpx.Client(
            base_url=f"http://127.0.0.1:{PORT}",
            cookies={"sessionid": filled.stdout.split()[-1]},
            timeout=60,
            trust_env=False,
        ) as client,
        running(command, folder / "peer.log", lambda: _answers(client), env=environment),
    ):
        yield client


def _answers(client: httpx.Client) -> bool:
    with suppress(httpx.HTTPError):
        return client.get("/tickets/1/").status_code == 200
    return False


def measured(client: httpx.Client, tickets: int, calls: int, words: list[str]) -> dict[str, Times]:
    """Milliseconds at the client of its list (the page and the rows that it fetches), of a search, of one ticket."""
    found = {name: Times() for name in ("list", "search", "ticket")}
    for call in range(-2, calls):  # the first ones compile its templates
        word, ticket = words[call % len(words)], tickets - (call * 7919) % tickets
        for name, took in (
            ("list", _list(client, "")),
            ("search", _list(client, f"?q={word}&search_type=header")),
            ("ticket", _timed(client, f"/tickets/{ticket}/")[0]),
        ):
            if call >= 0:
                found[name].add(took)
    return found


def _list(client: httpx.Client, query: str) -> float:
    """Milliseconds of the page and of the rows that it fetches."""
    took, page = _timed(client, f"/tickets/{query}")
    table = TABLE.search(page)
    if table is None:
        raise SystemExit("django-helpdesk's list names no address of its rows: it is another version")
    return took + _timed(client, f"{table[0]}?draw=1&start=0&length={ROWS}&search[value]=")[0]


def _timed(client: httpx.Client, address: str) -> tuple[float, str]:
    began = time.perf_counter()
    answer = client.get(address)
    took = 1000 * (time.perf_counter() - began)
    if answer.status_code != 200:
        raise SystemExit(f"django-helpdesk answered {answer.status_code} to {address}")
    return took, answer.text
