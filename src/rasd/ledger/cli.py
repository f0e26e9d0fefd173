import sys

import click


@click.group()
def ledger() -> None:
    """The record of who did what, when and why."""


@ledger.command()
@click.option(
    "--head", default="", help="the hash published for the last entry: finds entries cut off at the end"
)
def verify(head: str) -> None:
    """Walk the whole chain; exit status 1 and the first broken link's number where it does not hold."""
    from rich.progress import Progress

    from rasd.ledger.models import Entry
    from rasd.ledger.models import verify as verify_chain

    try:
        published = bytes.fromhex(head) or None
    except ValueError as error:
        raise click.UsageError(f"--head {head!r} is not a hash in hexadecimal") from error
    total = Entry.objects.count()
    with Progress(transient=True) as progress:
        task = progress.add_task("verifying", total=total)
        broken = verify_chain(on_entry=lambda: progress.advance(task), head=published)
    if broken:
        click.echo(f"broken at entry {broken.number}: {broken.why}")
        sys.exit(1)
    last = Entry.objects.order_by("-number").first()
    click.echo(f"{total} entries hold; head {bytes(last.hash).hex() if last else '(none yet)'}")
