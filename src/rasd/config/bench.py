"""``rasd bench NAME``: the measurements of ``bench/``, each a script of its own that prints what it measured."""

import subprocess
import sys

import click

from rasd.config.options import CHECKOUT

FOLDER = CHECKOUT / "bench"
WANTS_ARGUMENTS = {"vision"}  # a folder of photographs, which we do not ship


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, arguments: tuple[str, ...]) -> None:
    """Run a measurement: rasd bench ingest, rasd bench crash … ; rasd bench all runs each that needs no arguments."""
    if not FOLDER.is_dir():
        raise click.ClickException("measurements come with the source: run this in a checkout")
    chosen = [one for one in names() if one not in WANTS_ARGUMENTS] if name == "all" else [name]
    if unknown := set(chosen) - set(names()):
        raise click.UsageError(f"no measurement named {unknown.pop()}; there are: {', '.join(names())}")
    failed = [one for one in chosen if _run(one, arguments)]
    sys.exit(1 if failed else 0)


def _run(name: str, arguments: tuple[str, ...]) -> int:
    click.echo(f"» bench/{name}.py", err=True)
    return subprocess.run([sys.executable, "-m", f"bench.{name}", *arguments], cwd=CHECKOUT).returncode
