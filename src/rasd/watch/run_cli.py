"""``rasd watch run``: one visit, here and now, without a database."""

import json
import logging
import mimetypes
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from rasd.watch.asking import Unanswered, ask
from rasd.watch.crew import CAST, Crew
from rasd.watch.evidence.box import Box
from rasd.watch.journeys import Journey, NotAJourney, read
from rasd.watch.leave import Leave
from rasd.watch.permission import WELL_KNOWN, NotAPermission, Permission, Refusal, Why, permitted
from rasd.watch.places import NotPlain, is_loopback, place
from rasd.watch.players.finding import Exhibit, Finding, Outcome
from rasd.watch.players.orders import Order
from rasd.watch.players.report import Report
from rasd.watch.robots import UNREAD
from rasd.watch.verdicts import Verdict
from rasd.watch.watchfile import NotAWatch, TargetEntry, Watchfile, read_watchfile, read_whole

WORDS = {
    Verdict.COMPLETED: "Completed.",
    Verdict.COMPLETED_BUT: "Completed, but:",
    Verdict.THEIRS: "Not completed, and that is the service's doing:",
    Verdict.OURS: "The watch's own fault, or not to be told apart from one; nothing is held against the service:",
    Verdict.WALL: "Robots are kept out; neither for nor against the service:",
}


@click.command()
@click.argument("journey", type=click.Path(path_type=Path))
@click.option("--target", "url", default="", help="Where the service is. [default: as watch.yaml says]")
@click.option(
    "--watchfile",
    type=click.Path(path_type=Path),
    default=Path("watch.yaml"),
    show_default=True,
    help="Read where it is there: the target's address and permission, the mailbox, the places of the own network.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("watch-evidence"),
    show_default=True,
    help="Where the evidence goes.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Each finding on a line of standard output, the report on the last.",
)
@click.option("--trace", is_flag=True, help="Keep the browser's trace though it goes well.")
@click.option("--cast", default=CAST, hidden=True)
def run(journey: Path, url: str, watchfile: Path, out: Path, as_json: bool, trace: bool, cast: str) -> None:
    """Plays a journey once, here and now, without a database. JOURNEY is its file, or its name where watch.yaml knows it, as
    TARGET/NAME where several services have one of that name.

    Exit status 0: completed, "but" or not; 1: not completed, and the words tell whose doing that is; 2: it was not played.
    """
    _set_up_django()
    text, read, folder = _known_as(journey, watchfile) or (*_journey(journey), journey.absolute().parent)
    around = _watchfile(watchfile)
    entry = around.targets.get(read.target) if around else None
    where = url or (entry.url if entry else "")
    if not where:
        raise click.UsageError(
            f"where is {read.target!r}? --target URL says it, or an entry {read.target!r} under 'targets' in {watchfile}"
        )
    order = Order(
        journey=text,
        folder=folder,
        target=read.target,
        url=where,
        box=out.absolute() / "box",
        seed=secrets.token_hex(16),
        leave=_leave(where, read, entry, watchfile.absolute().parent, datetime.now(UTC)),
        mailbox=entry.mailbox if entry else None,
        own_network=tuple(around.watcher.own_network) if around else (),
        trace=trace,
    )
    click.echo(f"{read.titled('en')}, at {where}", err=True)
    with Crew(cast) as crew:
        report = crew.pay(order, tell=lambda finding: _tell(finding, as_json))
    if as_json:
        click.echo(report.model_dump_json())
    _tell_the_end(report, _laid_out(report, out, Box(order.box)))
    sys.exit(0 if report.verdict in {Verdict.COMPLETED, Verdict.COMPLETED_BUT} else 1)


def _set_up_django() -> None:
    """For its translations and what tells robots.txt; no database is asked."""
    import django
    from django.conf import settings

    if not settings.configured:
        os.environ["DJANGO_SETTINGS_MODULE"] = "rasd.watch.settings"
        django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # what it asks for is no news


def _journey(path: Path) -> tuple[str, Journey]:
    try:
        return path.read_text("utf-8"), read(path)
    except NotAJourney as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path}: cannot be read: {error}") from error


def _known_as(name: Path, watchfile: Path) -> tuple[str, Journey, Path] | None:
    """What the pages call a journey: where no such file is, and ``watch.yaml`` names it."""
    if name.exists() or name.suffix or not watchfile.exists():
        return None
    try:
        whole = read_whole(watchfile)
    except NotAWatch as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    found = {
        f"{target}/{each}": errand
        for target, errands in whole.errands.items()
        for each, errand in errands.items()
        if str(name) in {each, f"{target}/{each}"}
    }
    if len(found) > 1:
        raise click.UsageError(
            f"several services have a journey {str(name)!r}: write {' or '.join(sorted(found))}"
        )
    return next(((each.text, each.journey, each.folder) for each in found.values()), None)


def _watchfile(path: Path) -> Watchfile | None:
    if not path.exists():
        return None
    try:
        return read_watchfile(path)
    except NotAJourney as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def _leave(url: str, journey: Journey, entry: TargetEntry | None, folder: Path, now: datetime) -> Leave:
    """As ``conduct.leave_for`` gives it, but nothing of it is remembered. Ends the command where there is none."""
    from rasd.watch.conduct import own_addresses

    permission = _permission(entry, folder)
    origins = {each.origin for each in permission.signed.statement.places} if permission else set()
    addresses = [url, *own_addresses(journey, url)]
    for address in addresses:
        answer = permitted(address, permission, now)
        if isinstance(answer, Refusal):
            raise click.UsageError(f"{answer.words} (docs/watch-conduct.md; rasd watch permit)")
        with suppress(NotPlain):  # a mailbox or a messenger
            origins.add(place(address).origin)
    leave = Leave(permission=permission, robots={each: _robots(each) for each in sorted(origins)}, at=now)
    for address in addresses:
        if (refusal := leave.refusal(address)) and refusal.why is Why.UNREAD:
            raise click.UsageError(refusal.words)
    return leave


def _permission(entry: TargetEntry | None, folder: Path) -> Permission | None:
    if entry is None or entry.permission is None:
        return None
    try:
        permission = Permission(
            text=(folder / entry.permission).read_text("utf-8"), owner_key=entry.owner_key or ""
        )
        posted = {}
        for each in permission.signed.statement.places:
            with suppress(Unanswered):
                if not is_loopback(each):
                    posted[each.origin] = ask(each.origin + WELL_KNOWN).text
    except (NotAPermission, OSError) as error:
        raise click.UsageError(f"{entry.permission}: {error}") from error
    return permission.model_copy(update={"posted": posted})


def _robots(origin: str) -> str:
    try:
        return ask(f"{origin}/robots.txt").text
    except Unanswered:
        return "" if is_loopback(place(origin)) else UNREAD


def _tell(finding: Finding, as_json: bool) -> None:
    if as_json:
        click.echo(finding.model_dump_json())
    if finding.outcome is Outcome.NOT_REACHED:
        came = "not reached"
    elif finding.outcome is Outcome.DONE:
        came = f"done, {finding.seconds:.1f} s"
    else:
        came = f"{finding.outcome.value} after {finding.seconds:.1f} s: {finding.words}"
    click.echo(f"{finding.number:3}. {_of(finding.part)}{finding.says}: {came}", err=True)


def _of(part: str) -> str:
    if part == "clean_up":
        return "(tidying up) "
    look = "(second look) " if part == "done" or part.endswith(":done") else ""
    return f"(other channel) {look}" if part.startswith("otherwise") else look


def _tell_the_end(report: Report, folder: Path) -> None:
    from django.utils import translation

    from rasd.watch.reasons import said

    click.echo(WORDS[report.verdict], err=True)
    with translation.override("en"):
        for each in said(report.because, report.facts):
            click.echo(f"  - {each}", err=True)
    for words in dict.fromkeys((*report.before.words, *report.after.words)):
        click.echo(f"  (the watch itself: {words})", err=True)
    click.echo(f"Evidence: {folder}", err=True)


def _laid_out(report: Report, out: Path, box: Box) -> Path:
    """The evidence once more under names that a person finds his way by, and the report."""
    folder = out / f"{report.began:%Y-%m-%dT%H%M%SZ}-{report.journey}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(
        json.dumps(report.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    for name, exhibit in _named(report):
        source, there = box.path(exhibit.sha256), folder / name
        with suppress(FileNotFoundError):
            _link_or_copy(source, there)
    return folder


def _named(report: Report) -> Iterator[tuple[str, Exhibit]]:
    for finding in report.findings:
        for n, exhibit in enumerate(finding.exhibits):
            again = f"-{n}" if any(each.kind == exhibit.kind for each in finding.exhibits[:n]) else ""
            yield f"{finding.number:02}-{finding.verb}-{exhibit.kind.value}{again}{_suffix(exhibit)}", exhibit
    for n, exhibit in enumerate(report.exhibits, 1):
        yield f"visit-{n}-{exhibit.kind.value}{_suffix(exhibit)}", exhibit


def _suffix(exhibit: Exhibit) -> str:
    return mimetypes.guess_extension(exhibit.media_type.partition(";")[0]) or ""


def _link_or_copy(source: Path, there: Path) -> None:
    there.unlink(missing_ok=True)
    try:
        os.link(source, there)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(source, there)
