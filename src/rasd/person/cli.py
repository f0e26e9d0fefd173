from pathlib import Path

import click


@click.group()
def person() -> None:
    """One person's data: given to him."""


@person.command()
@click.argument("identifier")
@click.option(
    "--to",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="the ZIP file to write",
)
def export(identifier: str, file: Path) -> None:
    """Write all that is known of a person to a ZIP file.

    IDENTIFIER: a telephone number, a user id of the channel, or contact:17. That it was exported is an entry of the ledger.
    """
    from django.db import transaction
    from django.utils import timezone
    from rich.console import Console
    from rich.progress import Progress

    from rasd.ledger.models import record
    from rasd.person.gathering import parts_of, write
    from rasd.person.whole import Person

    found = Person.found(identifier)
    if found is None:
        raise click.UsageError(f"{identifier!r}: nobody is known by it; give a number such as +96891234567")
    now = timezone.now()
    with transaction.atomic():
        record("machine:cli", "person.exported", str(found), at=now, facts={"file": file.name})
    with file.open("xb") as out, Progress(transient=True, console=Console(stderr=True)) as progress:
        file.chmod(0o600)
        task = progress.add_task("exporting", total=parts_of(found))
        files = write(found, out, at=now, by="machine:cli", on_part=lambda: progress.advance(task))
    click.echo(f"{found}: {len(files)} files in {file}", err=True)
