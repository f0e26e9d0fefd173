"""``rasd demo``: the main job on this machine, with an emulated WhatsApp and a made-up utility.

Everything else is real: the embedded PostgreSQL, the webhook with its signature, the jobs, the reader, the outbox.
It keeps its own data folder, and each demo begins anew.
"""

import os
import secrets
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click
import httpx

from rasd.config.embedded import EmbeddedPostgresError

STARTS_WITHIN = 90.0  # seconds


@click.command()
@click.option("--once", is_flag=True, help="end when the answer is delivered: status 0, or 1 with the reason")
@click.option(
    "--photo", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="any photograph of a meter"
)
@click.option("--truth", default="", help="what the meter in --photo shows, all its digits: 04521 or 04521.3")
@click.option(
    "--last", default="", help="with --photo: last month's reading; gives the meter a made-up history"
)
@click.option("--port", default=8000, show_default=True, help="of the console, or the next free one")
@click.option("--year", is_flag=True, help="instead: twelve made-up reading months, and what came of them")
def demo(once: bool, photo: Path | None, truth: str, last: str, port: int, year: bool) -> None:
    """A photograph of a meter, sent by (emulated) WhatsApp, becomes the month's adopted reading; step by step."""
    port, emulator_port = _free_port(port), _free_port(port + 81)
    _settle_environment(port, emulator_port)
    from rasd.config.options import options
    from rasd.config.running import with_database

    if options.embedded:
        try:
            options.embedded.wipe()
        except EmbeddedPostgresError as error:
            raise click.ClickException(f"a demo runs already: {error}") from error
        for own in ("media", "static"):  # of the demo before; a folder that you named may hold other things
            shutil.rmtree(options.data_dir / own, ignore_errors=True)
    if year:
        say("starting PostgreSQL")
        sys.exit(0 if with_database(_play_year)(port, once) else 1)
    say("starting PostgreSQL, web, workers and the WhatsApp emulator")
    adopted = with_database(_play)(port, emulator_port, photo, truth, last, once)
    sys.exit(0 if adopted else 1)


def _settle_environment(port: int, emulator_port: int) -> None:
    """Before any setting is read: a data folder of the demo's own, secrets of this run, and the emulator for Meta."""
    from rasd.config.options import CHECKOUT, IN_CHECKOUT

    home = CHECKOUT if IN_CHECKOUT else Path.home()
    os.environ.setdefault("RASD_DATA_DIR", str(home / ".rasd-demo"))
    os.environ["RASD_WHATSAPP_API_URL"] = f"http://127.0.0.1:{emulator_port}/v23.0"
    for name in ("TOKEN", "APP_SECRET", "VERIFY_TOKEN"):
        os.environ[f"RASD_WHATSAPP_{name}"] = secrets.token_urlsafe(24)
    os.environ.setdefault("RASD_LOG_LEVEL", "WARNING")
    os.environ.setdefault("RASD_LOG_FORMAT", "console")
    os.environ.setdefault("RASD_PUBLIC_URL", f"http://localhost:{port}")
    os.environ.setdefault("RASD_WEBHOOKS_TO_PRIVATE", "true")
    os.environ.setdefault("RASD_UTILITY_NAME", "شركة الكهرباء التجريبية")
    from rasd.config import options as module

    module.options = module.Options()


def _play(port: int, emulator_port: int, photo: Path | None, truth: str, last: str, once: bool) -> bool:
    from rasd.channels.whatsapp.emulator.client import Emulator
    from rasd.config.customers_side import show
    from rasd.config.running import ignore_signals
    from rasd.config.serve import children, keep_database_up
    from rasd.config.story import PASSWORD, STAFF, USER, Story, make_utility
    from rasd.config.supervisor import Child, Supervisor, rasd_command

    def interrupt(*_: object) -> None:
        ignore_signals()  # at once: make and the terminal may both send one
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    _begin_empty()
    customer = make_utility(photo, truth=truth, last=last, say=say)
    emulator = Child(
        "emulator",
        rasd_command(
            "emulate", "whatsapp", "--port", str(emulator_port),
            "--webhook", f"http://127.0.0.1:{port}/channels/whatsapp/webhook",
            "--phone-number-id", customer.line.external_id, "--display-number", customer.line.display_address,
            "--name", os.environ["RASD_UTILITY_NAME"],
        ),
    )  # fmt: skip
    supervisor = Supervisor([emulator, *children("127.0.0.1", port)], also=keep_database_up)
    running = threading.Thread(target=supervisor.run, name="supervisor")
    running.start()
    console, phones = f"http://127.0.0.1:{port}", Emulator(f"http://127.0.0.1:{emulator_port}")
    try:
        _wait_for(lambda: httpx.get(f"{console}/readyz").status_code == httpx.codes.OK, f"{console}/readyz")
        _wait_for(
            lambda: phones.set_webhook(f"{console}/channels/whatsapp/webhook"), "the webhook's handshake"
        )
        say("web, workers, reader and emulator are ready")
        story = Story(customer, phones, say=say)
        failed = story.run()
        click.echo()
        say(f"the console:             {console}/    login {USER}, password {PASSWORD}")
        say(f"two agents:              login {' or '.join(STAFF)}, the same password")
        say(f"the customer's phone:    {phones.url}/phone/{story.phone.key}    (an emulator, not WhatsApp)")
        if not once:
            show(customer.phone, phones, console, say=say)
            say(
                "up until you press Ctrl-C: open the phone, send a photograph of a real meter, talk to the utility"
            )
            with suppress(KeyboardInterrupt):
                while running.is_alive():
                    time.sleep(
                        0.5
                    )  # no join: Python 3.11 takes a thread for ended whose join was interrupted (bpo-45274)
        if failed:
            click.echo(f"not adopted: {failed}", err=True)
        return not failed
    finally:
        ignore_signals()
        supervisor.stop()
        running.join()


def _begin_empty() -> None:
    from rasd.config.manage import migrate_once
    from rasd.metering.models import Account

    migrate_once()
    say("database migrated")
    if Account.objects.exists():
        raise click.ClickException(
            "the demo fills an empty database, and RASD_DATABASE_URL names one that has accounts"
        )


def _play_year(port: int, once: bool) -> bool:
    from rasd.config.options import options
    from rasd.config.serve import children, keep_database_up
    from rasd.config.story import PASSWORD, USER, make_login
    from rasd.config.supervisor import Supervisor
    from rasd.config.year import play

    _begin_empty()
    make_login()
    played = play(options.data_dir / "billing", say=say)
    for line in played.told:
        say(line)
    for fault in played.faults:
        click.echo(f"must not be: {fault}", err=True)
    if not once:
        say(
            f"the console:  http://127.0.0.1:{port}/cycle/    login {USER}, password {PASSWORD}; Ctrl-C ends it"
        )
        Supervisor(children("127.0.0.1", port), also=keep_database_up).run()
    else:
        say(
            f"to look at it: RASD_DATA_DIR={options.data_dir} rasd serve    login {USER}, password {PASSWORD}"
        )
    return not played.faults


def _wait_for(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        with suppress(Exception):  # not there yet
            if ready():
                return
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"{what} is not there after {STARTS_WITHIN:.0f} s; RASD_LOG_LEVEL=INFO tells more"
            )
        time.sleep(0.2)


def _free_port(wanted: int) -> int:
    """``wanted``, or the next one on which nobody listens."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise click.ClickException(f"no free port from {wanted} on; choose another with --port")


_BEGAN = time.monotonic()


def say(words: str) -> None:
    click.echo(f"[{time.monotonic() - _BEGAN:6.2f} s] {words}")
