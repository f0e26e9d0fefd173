"""The one command. Each room brings its own subcommands; they are imported when called, so that ``rasd read`` starts fast."""

import sys

import click

from rasd.config.embedded import EmbeddedPostgresError
from rasd.config.running import with_database, with_watch_database
from rasd.lazily import Lazily

# name → (where it is, whether it needs Django and the database)
COMMANDS: dict[str, tuple[str, bool]] = {
    "serve": ("rasd.config.serve:serve", True),
    "web": ("rasd.config.serve:web", True),
    "worker": ("rasd.config.worker:worker", True),
    "check": ("rasd.config.check:check", False),
    "manage": ("rasd.config.manage:manage", True),
    "migrate": ("rasd.config.manage:migrate", True),
    "demo": ("rasd.config.demo:demo", False),
    "read": ("rasd.vision.cli:read", False),
    "understand": ("rasd.language.cli:understand_command", False),
    "import": ("rasd.metering.cli:import_", True),
    "cycle": ("rasd.metering.closing_cli:cycle", True),
    "estimate": ("rasd.metering.estimate_cli:estimate", True),
    "export": ("rasd.metering.billing_cli:export", True),
    "trace": ("rasd.metering.billing_cli:trace", True),
    "emulate": ("rasd.channels.whatsapp.emulator.cli:emulate", False),
    "api": ("rasd.api.cli:api", True),
    "person": ("rasd.person.cli:person", True),
    "ledger": ("rasd.ledger.cli:ledger", True),
    "watch": ("rasd.watch.cli:watch", False),
    "bench": ("rasd.config.bench:bench", False),
}


def _ready(name: str, command: click.Command) -> None:
    """What needs the database gets it first. The watch has one of its own, and its commands say which of them need it."""
    if isinstance(command, Lazily):
        command.ready = _of_the_watch
    elif COMMANDS[name][1]:
        every = command.commands.values() if isinstance(command, click.Group) else [command]
        for each in every:
            each.callback = with_database(each.callback)


def _of_the_watch(name: str, command: click.Command) -> None:
    if command.callback and getattr(command.callback, "needs_database", False):
        command.callback = with_watch_database(command.callback)


@click.group(cls=Lazily, where={name: where for name, (where, _) in COMMANDS.items()}, ready=_ready)
@click.version_option(package_name="rasd")
def rasd() -> None:
    """Rasd (رصد): customer service that can prove itself."""


def main() -> None:
    try:
        rasd()
    except EmbeddedPostgresError as error:
        click.echo(f"rasd: {error}", err=True)
        sys.exit(1)
