"""Applications that none of us wrote, on loopback, for the watch to try: a help desk, a shop in Arabic and a chat.

Each is installed from its pinned requirements into an environment of its own, set up as its documentation says, and served by a
process that ends with the ``with``. What is ours is only how they are set up, and what the chat's robot answers.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bench._others import installed, running

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Application:
    """``fill``: a script run once in its environment; ``serve``: the command's arguments, with ``{port}``."""

    name: str
    title: str
    serve: tuple[str, ...]
    path: str
    fill: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


HELPDESK = Application(
    "helpdesk",
    "django-helpdesk",
    serve=("waitress-serve", "--listen=127.0.0.1:{port}", "--threads=4", "helpdesk_site:application"),
    fill=("python", "helpdesk_site.py"),
    path="/",
)
SHOP = Application(
    "shop",
    "pretix",
    serve=("waitress-serve", "--listen=127.0.0.1:{port}", "--threads=4", "shop_site:application"),
    fill=("python", "shop_site.py"),
    path="/souq/museum/",
)
CHAT = Application(
    "chat",
    "Chainlit",
    serve=("chainlit", "run", str(HERE / "chat_robot.py"), "--headless", "--host=127.0.0.1", "--port={port}"),
    path="/",
)
APPLICATIONS = {each.name: each for each in (HELPDESK, SHOP, CHAT)}


@contextmanager
def served(application: Application, folder: Path, port: int, **settings: str) -> Iterator[str]:
    """Its address on ``port``, installed and filled in ``folder`` the first time (a minute or two).

    ``settings`` become ``TARGET_…`` in its environment: ``public`` (the address that it believes to have, of a proxy before it),
    ``smtp`` (the port of the mail server that it sends by). Raises SystemExit with the end of its log where it does not start.
    """
    home = folder / application.name
    home.mkdir(parents=True, exist_ok=True)
    binaries = installed(HERE / f"{application.name}-requirements.txt", home)
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "HOME": str(home),
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TARGET_FOLDER": str(home),
        "TARGET_PUBLIC": url,
        **{f"TARGET_{name.upper()}": value for name, value in settings.items()},
        **application.environment,
    }
    if application.fill and not (home / "filled").exists():
        _fill(application, binaries, environment, home)
    command = [
        str(binaries / application.serve[0]),
        *(part.format(port=port) for part in application.serve[1:]),
    ]
    log = home / "server.log"
    with running(
        command,
        log,
        lambda: _answers(url + application.path),
        env=environment,
        cwd=home,
        start_new_session=True,
    ):
        yield url


def _fill(application: Application, binaries: Path, environment: dict[str, str], home: Path) -> None:
    print(f"» setting {application.title} up", file=sys.stderr)
    command = [str(binaries / application.fill[0]), str(HERE / application.fill[1])]
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{application.title} could not be set up:\n{done.stderr[-3000:]}")
    (home / "filled").touch()


def _answers(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(url, timeout=10, trust_env=False, follow_redirects=True).status_code < 500
    return False
