import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.progress import Progress

    from rasd.ledger.export import Proof


@click.group()
def ledger() -> None:
    """The record of who did what, when and why."""


@ledger.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--head", default="", help="the hash published for the last entry: finds what was cut off at the end"
)
@click.option(
    "--before",
    default="",
    help="of a FILE: the hash published before its period: finds what was cut off in front",
)
def verify(file: Path | None, head: str, before: str) -> None:
    """Walk the whole chain, or that of an exported FILE, which needs no database.

    Exit status 1 and the first broken link's number where it does not hold.
    """
    for option, text in (("--head", head), ("--before", before)):
        if text and not _is_hash(text):
            raise click.UsageError(f"{option} {text!r} is not a hash: 64 hexadecimal digits")
    if file is not None:
        _verify_file(file, head.lower(), before.lower())
    elif before:
        raise click.UsageError("--before goes with a FILE: the ledger itself begins with entry 1")
    else:
        _verify_database(head)


def _without_file(**typed: Any) -> bool:
    return typed.get("file") is None


verify.callback.needs_database = _without_file  # type: ignore[union-attr]


@ledger.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option(
    "--from",
    "begins",
    default="",
    help="a day (2026-11-01) or a moment, in the utility's time zone; none: the first entry",
)
@click.option(
    "--to",
    "ends",
    default="",
    help="a day, which is included, or a moment, which is not; none: the last entry there is",
)
def export(file: str, begins: str, ends: str) -> None:
    """Write a period to FILE (-: standard output) as JSON lines that anyone can verify with the published head.

    All entries from the first of the period to its last, in the chain's order.
    """
    from rasd.ledger.export import lines
    from rasd.ledger.models import Entry

    entries = Entry.objects.all()
    since, until = _moment("--from", begins), _moment("--to", ends, day_is_included=True)
    first = entries.filter(at__gte=since) if since else entries
    last = entries.filter(at__lt=until) if until else entries
    one, other = first.order_by("number").first(), last.order_by("-number").first()
    if one is None or other is None or one.number > other.number:
        raise click.ClickException("the ledger has no entry of that period")
    told = lines(one.number, other.number)
    opening = next(told)
    with click.open_file(file, "w", encoding="utf-8", atomic=file != "-") as out, _progress() as progress:
        task = progress.add_task("exporting", total=other.number - one.number + 2)
        out.write(opening)
        for line in told:
            out.write(line)
            progress.advance(task)
    click.echo(f"entries {one.number} to {other.number}", err=True)
    click.echo(f"hash before the first: {json.loads(opening)['before']}", err=True)
    click.echo(f"hash of the last:      {bytes(other.hash).hex()}", err=True)


@ledger.command()
def head() -> None:
    """The last entry's number, hash and time: what to publish, where you cannot take it back."""
    from rasd.ledger.models import head as head_

    click.echo(json.dumps(head_()))


@ledger.command()
@click.option(
    "--check", is_flag=True, help="change nothing: say where what is kept is not what the ledger says"
)
def rebuild(check: bool) -> None:
    """Make what is drawn from the ledger (the account of who owed what) anew. Exit status 1 where a check finds a difference."""
    from django.utils import timezone

    from rasd.ledger.projections import KNOWN

    differ = False
    for projection in KNOWN:
        if check:
            found = projection.differs()
            differ |= bool(found)
            click.echo(f"{projection.name}: {found or 'is what the ledger says'}")
        else:
            click.echo(f"{projection.name}: {projection.rebuild(timezone.now())} rows")
    if differ:
        sys.exit(1)


def _verify_database(head: str) -> None:
    from django.utils import timezone

    from rasd.ledger.chain import ERASED
    from rasd.ledger.models import Entry, Verification

    total = Entry.objects.count()
    with _progress() as progress:
        task = progress.add_task("verifying", total=total)
        found = Verification.run(timezone.now(), whole=True, on_entry=lambda: progress.advance(task))
    if found.broken_at is not None:
        click.echo(f"broken at entry {found.broken_at}: {found.why}")
        sys.exit(1)
    if head and head.lower() != found.head:
        click.echo(
            f"broken at entry {found.upto}: the chain does not end in the published head: entries are missing at its end"
        )
        sys.exit(1)
    click.echo(f"{found.upto} entries hold; head {found.head if found.upto else '(none yet)'}")
    for erasure in Entry.objects.filter(action=ERASED).order_by("number"):
        click.echo(
            f"erased on {erasure.at:%Y-%m-%d} at the request of {erasure.subject} by {erasure.actor}, entry {erasure.number}:"
            f" parts of {erasure.facts['entries']} entries",
            err=True,
        )


def _verify_file(file: Path, head: str, before: str) -> None:
    from rasd.ledger.export import NotProven, prove

    with file.open(encoding="utf-8", newline="\n") as lines, _progress() as progress:
        task = progress.add_task("verifying", total=None)
        try:
            proof = prove(lines, head=head, before=before, on_entry=lambda: progress.advance(task))
        except (NotProven, UnicodeDecodeError) as found:
            click.echo(f"{file.name} does not hold: {found}")
            sys.exit(1)
    click.echo("\n".join(_in_words(proof)))


def _in_words(proof: "Proof") -> Iterator[str]:
    """What it proves, and what not."""
    yield f"Entries {proof.first} to {proof.last} ({proof.first_at} to {proof.last_at}): {proof.entries} in one unbroken chain."
    yield f"Hash before the first: {proof.before}"
    yield f"Hash of the last:      {proof.head}"
    if proof.proven_upto is None:
        yield "PROVES LITTLE: without --head and a hash that was published, all of it could have been written anew."
    else:
        yield (
            f"PROVEN: entries {proof.first} to {proof.proven_upto} are, to the letter, those that the published head stood for:"
            " none of them was changed, removed, added or reordered after it was published."
        )
        if proof.proven_upto < proof.last:
            yield (
                f"NOT PROVEN: entries {proof.proven_upto + 1} to {proof.last} came after the published head; they only fit"
                " each other."
            )
    if proof.front_is_proven:
        yield f"PROVEN: nothing is missing between the head published before the period and entry {proof.first}."
    elif proof.first > 1:
        yield f"NOT PROVEN: that the period begins with entry {proof.first} (give --before and the hash published before it)."
    if proof.erased:
        yield (
            f"ERASED at people's request: parts of {proof.erased} entries; each says by which entry, which says when and why."
            + (f" Of {proof.erased_later} that entry came after this period." if proof.erased_later else "")
        )
    yield "NEVER PROVEN by a chain: that what was written down is true, and that everything that happened was written down."


def _moment(option: str, text: str, *, day_is_included: bool = False) -> datetime | None:
    from django.utils import timezone

    if not text:
        return None
    try:
        if len(text) == len("2026-11-01"):
            day = date.fromisoformat(text) + timedelta(days=int(day_is_included))
            return timezone.make_aware(datetime.combine(day, time.min))
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(
            f"{option} {text!r}: write a day as 2026-11-01 or a moment as 2026-11-01T07:30"
        ) from error
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _is_hash(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == 32
    except ValueError:
        return False


@contextmanager
def _progress() -> "Iterator[Progress]":
    """On standard error, where somebody looks."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(transient=True, console=Console(stderr=True)) as progress:
        yield progress
