"""The one command. Each room brings its own subcommands; they are imported when called, so that ``rasd read`` starts fast."""

import importlib
import sys

import click

from rasd.config.embedded import EmbeddedPostgresError
from rasd.config.running import with_database, with_watch_database

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
    "cycle": ("rasd.metering.cli:cycle", True),
    "emulate": ("rasd.channels.whatsapp.emulator.cli:emulate", False),
    "api": ("rasd.api.cli:api", True),
    "person": ("rasd.person.cli:person", True),
    "ledger": ("rasd.ledger.cli:ledger", True),
    "watch": ("rasd.watch.cli:watch", False),
    "bench": ("rasd.config.bench:bench", False),
}


class Rasd(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        where, needs_database = COMMANDS[name]
        module, attribute = where.split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        if name == "watch":
            for sub in command.commands.values():  # type: ignore[attr-defined]
                if getattr(sub.callback, "needs_database", False):
                    sub.callback = with_watch_database(sub.callback)
        elif needs_database and not isinstance(command, click.Group):
            command.callback = with_database(command.callback)
        elif needs_database:
            for sub in command.commands.values():  # type: ignore[attr-defined]
                sub.callback = with_database(sub.callback)
        return command


@click.group(cls=Rasd)
@click.version_option(package_name="rasd")
def rasd() -> None:
    """Rasd (رصد): customer service that can prove itself."""


def main() -> None:
    try:
        rasd()
    except EmbeddedPostgresError as error:
        click.echo(f"rasd: {error}", err=True)
        sys.exit(1)
