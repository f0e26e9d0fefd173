"""Running an emulator: in a thread for tests, in the foreground for the command."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from .app import make_app
from .client import Emulator
from .clock import Clock
from .settings import Settings

HOST = "127.0.0.1"  # an emulator never listens anywhere else
START_SECONDS = 10.0
# Longer than clients keep idle connections (httpx: 5 s): closed first by the server, a send would fail now and then.
KEEP_ALIVE_SECONDS = 65


def serve(settings: Settings, port: int, clock: Clock | None = None) -> None:
    """Runs in the foreground until interrupted.

    Raises:
        OSError: the port is taken.
    """
    with _bound(port) as listener:
        _server(settings, listener, clock).run(sockets=[listener])


@contextmanager
def run_emulator(
    settings: Settings | None = None, *, port: int = 0, clock: Clock | None = None, **fields: object
) -> Iterator[Emulator]:
    """An emulator in a thread of this process, on a free port unless told, stopped at the end.

    Args:
        settings: what it is started with; or give single ``fields`` of ``Settings`` by name.
        port: 0 takes a free one.
        clock: real time unless told.

    Yields:
        The client; ``emulator.url`` is the address, ``emulator.settings`` what it runs with.

    Raises:
        OSError: the port is taken.
        RuntimeError: it did not start within 10 seconds.
    """
    settings = settings or Settings(**fields)  # type: ignore[arg-type]
    with _bound(port) as listener:
        server = _server(settings, listener, clock)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="emulator", daemon=True
        )
        thread.start()
        try:
            deadline = time.monotonic() + START_SECONDS
            while not server.started:
                if time.monotonic() > deadline or not thread.is_alive():
                    raise RuntimeError(f"The emulator did not start within {START_SECONDS:.0f} seconds.")
                time.sleep(0.01)
            with Emulator(settings.public_url, settings=settings) as emulator:
                yield emulator
        finally:
            server.should_exit = True
            thread.join(START_SECONDS)


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        yield listener
    finally:
        listener.close()


def _server(settings: Settings, listener: socket.socket, clock: Clock | None) -> uvicorn.Server:
    settings.public_url = f"http://{HOST}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        make_app(settings, clock),
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return uvicorn.Server(config)
