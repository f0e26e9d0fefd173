"""``rasd bench NAME``: the measurements of ``bench/``, each a script of its own that prints what it measured."""

import os
import subprocess
import sys

import click

from rasd.config.options import CHECKOUT

FOLDER = CHECKOUT / "bench"
WANTS_ARGUMENTS = {"recaptured", "vision"}  # folders of photographs, which we do not ship
WANTS_ROOM = {"cycle", "desk"}  # up to 20 GB and half an hour: where somebody asks for it


def names() -> list[str]:
    """Modules of ``bench/``, and packages that can be run."""
    found = [*FOLDER.glob("*.py"), *(main.parent for main in FOLDER.glob("*/__main__.py"))]
    return sorted(path.stem for path in found if not path.stem.startswith("_"))


# What follows the name belongs to the measurement, --help too.
@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, arguments: tuple[str, ...]) -> None:
    """Run a measurement: rasd bench ingest, rasd bench crash … ; rasd bench all runs each that is neither asked for nor big."""
    if not FOLDER.is_dir():
        raise click.ClickException("measurements come with the source: run this in a checkout")
    chosen = [one for one in names() if one not in WANTS_ARGUMENTS | WANTS_ROOM] if name == "all" else [name]
    if unknown := set(chosen) - set(names()):
        raise click.UsageError(f"no measurement named {unknown.pop()}; there are: {', '.join(names())}")
    statuses = [_run(one, arguments) for one in chosen]
    sys.exit(next((status for status in statuses if status), 0))


def _run(name: str, arguments: tuple[str, ...]) -> int:
    click.echo(f"» bench/{name}", err=True)
    # In the folder where it was called, so that a relative path means what the caller means.
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", f"bench.{name}", *arguments]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path})
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # it got the Ctrl-C as well, and may still tell what is done
