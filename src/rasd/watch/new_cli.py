"""``rasd watch new``: a ``watch.yaml`` and one journey to begin with."""

from pathlib import Path

import click

STARTING = Path(__file__).parent / "starting"
"""The files as they are written: read by the tests, so that they stay what the watch accepts."""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def new(folder: Path) -> None:
    """Writes watch.yaml and a first journey into FOLDER, with what each line means beside it. [default: here]

    Nothing is written where one of them is there already: exit status 2.
    """
    files = {each.relative_to(STARTING): each for each in sorted(STARTING.rglob("*.yaml"))}
    if there := [str(folder / each) for each in files if (folder / each).exists()]:
        raise click.UsageError(f"{', '.join(there)}: there already, and left as it is; name another folder")
    for name, source in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source.read_text("utf-8"), "utf-8")
        click.echo(f"{folder / name}", err=True)
    click.echo(
        f"Next: write into {folder / 'watch.yaml'} what is to be tried, record a journey of it "
        "(rasd watch record URL), and try it (rasd watch run FILE). Then: rasd watch serve",
        err=True,
    )
