"""``rasd watch``: the stranger's commands."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from rasd.lazily import Lazily
from rasd.watch.journeys import Journey, NotAJourney, read
from rasd.watch.lacking import without_leave
from rasd.watch.watchfile import NotAWatch, read_whole

WATCHFILE = "watch.yaml"


COMMANDS = {
    "new": "rasd.watch.new_cli:new",
    "record": "rasd.watch.recorder.cli:record",
    "check": "rasd.watch.cli:check",
    "schema": "rasd.watch.cli:schema",
    "run": "rasd.watch.run_cli:run",
    "permit": "rasd.watch.permit_cli:permit",
    "serve": "rasd.watch.serving:serve",
    "login": "rasd.watch.cli:login",
    "plan": "rasd.watch.plan_cli:plan",
    "audit": "rasd.watch.plan_cli:audit_command",
    "verify": "rasd.watch.record_cli:verify",
    "export": "rasd.watch.record_cli:export",
}


@click.group(cls=Lazily, where=COMMANDS)
def watch() -> None:
    """A stranger who tries a service at every hour of the week."""


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Reads journeys, or folders of them, and tells what is wrong: line, column, mend. Exit status 2 where anything is.

    Of a watch.yaml, all journeys that it names are read too, whether they fit it, and whether the permissions hold.
    """
    wrong = 0
    for path in _every(files):
        try:
            if path.name == WATCHFILE or _names_targets(path):
                whole = read_whole(path)
                if lacking := list(without_leave(whole, datetime.now(UTC))):
                    raise NotAWatch([NotAJourney(lacking, str(path))])
                many = sum(map(len, whole.errands.values()))
                click.echo(f"{path}: {many} journey{'s' * (many != 1)}", err=True)
                continue
            journey = read(path)
        except (NotAJourney, NotAWatch) as error:
            wrong += 1
            click.echo(str(error), err=True)
        except OSError as error:
            wrong += 1
            click.echo(f"{path}: cannot be read: {error.strerror}", err=True)
        else:
            click.echo(
                f"{path}: {journey.titled('en')}: {(many := len(journey.every_step()))} step{'s' * (many != 1)}",
                err=True,
            )
    sys.exit(2 if wrong else 0)


def _names_targets(path: Path) -> bool:
    """A watch.yaml of another name."""
    return any(
        line.startswith("targets:") for line in path.read_bytes().decode("utf-8", "replace").splitlines()
    )


def _every(files: tuple[Path, ...]) -> list[Path]:
    return [each for path in files for each in (sorted(path.rglob("*.yaml")) if path.is_dir() else [path])]


@click.command()
def schema() -> None:
    """Prints the JSON Schema of journeys, for editors."""
    click.echo(json.dumps(Journey.model_json_schema(), indent=2, ensure_ascii=False))


@click.command()
@click.argument("name")
@click.option("--site", default="", help="Where the pages are. [default: RASD_WATCH_SITE]")
def login(name: str, site: str) -> None:
    """Prints a link that logs NAME in: once, within 15 minutes. Whoever is new is made."""
    from rasd.watch.options import options
    from rasd.watch.pages.door import login_link

    click.echo(login_link(name, site or options.site))


login.callback.needs_database = True  # type: ignore[union-attr]
