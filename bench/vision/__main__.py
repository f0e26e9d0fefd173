"""``rasd bench vision DIR``: how well the eye reads labelled photographs (docs/eye.md tells how to read the tables)."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

import click

from bench.vision import runner
from bench.vision.history import made_up
from bench.vision.labels import Labelled, UnusableFolder, read_labels
from bench.vision.report import EYE, HISTORY, Measured, as_text, gap, tables, write_folder

PEERS = ("rapidocr", "tesseract")
MOST_TOLD = 20  # problems named on the terminal; all of them stand in the folder's page
INTERRUPTED = 130


@click.command(context_settings={"show_default": True})
@click.argument(
    "folders", nargs=-1, required=True, metavar="DIR...",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Read only so many pictures, chosen by --seed.")
@click.option(
    "--peer-limit", type=click.IntRange(1), help="Give the peers only so many of these, chosen by --seed."
)
@click.option(
    "--eye",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another eye than the shipped one: the folder of its weights.",
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write tables, charts, every error."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of tables.")
@click.option("--without-peers", is_flag=True, help="Leave out RapidOCR and Tesseract, which are slow.")
@click.option("--with-history", is_flag=True, help="Read again with a MADE-UP history that fits the label.")
@click.option("--seed", default=1, help="For the choice of pictures and the made-up histories.")
def main(
    folders: tuple[Path, ...],
    limit: int | None,
    peer_limit: int | None,
    eye: Path | None,
    out: Path | None,
    as_json: bool,
    without_peers: bool,
    with_history: bool,
    seed: int,
) -> None:
    """Measure the eye on folders that hold labels.csv (path, reading; optional: kind, source, meter).

    An empty reading says that there is nothing to read. Several folders are compared with the first. Ctrl-C tells what
    is done.
    """
    measured, interrupted = [], False
    for folder in folders:
        try:
            found = measure(
                folder,
                limit,
                peer_limit,
                peers=() if without_peers else PEERS,
                history=with_history,
                seed=seed,
                eye=eye,
            )
        except UnusableFolder as error:
            raise click.UsageError(str(error)) from error
        except runner.Missing as error:
            raise click.ClickException(f"the eye {error}") from error
        measured.append(found)
        _tell(found, as_json=as_json)
        if interrupted := any(not run.finished for run in found.runs.values()):
            break
    beside = gap(measured)
    if beside and not as_json:
        click.echo(as_text(beside))
    if out:
        for found in measured:
            where = out / found.name if len(folders) > 1 else out
            write_folder(found, where, [beside] if beside else [])
            click.echo(f"pictures and tables: {where / 'index.html'}", err=True)
    sys.exit(INTERRUPTED if interrupted else 0)


def measure(
    folder: Path,
    limit: int | None = None,
    peer_limit: int | None = None,
    *,
    eye: Path | None = None,
    peers: tuple[str, ...] = PEERS,
    history: bool = False,
    seed: int = 1,
) -> Measured:
    """Rasd over the folder, then again with histories, then the peers.

    Raises UnusableFolder, and runner.Missing where the eye cannot be started.
    """
    labels = read_labels(folder)
    if not labels.pictures:
        raise UnusableFolder(
            f"{folder / 'labels.csv'} names no picture that can be measured"
            + (f"; the first row left out: {labels.problems[0]}" if labels.problems else "")
        )
    labels.pictures = _chosen(labels.pictures, limit, seed)
    measured = Measured(labels, cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    before = os.getloadavg()[0]
    wanted = [(EYE, "eye", labels.pictures)]
    if history:
        wanted.append((HISTORY, "eye", [picture for picture in labels.pictures if picture.reading]))
    wanted += [(peer, peer, _chosen(labels.pictures, peer_limit, seed)) for peer in peers]
    for name, reader, pictures in wanted:
        histories = None
        if name == HISTORY:
            histories = lambda label: made_up(label.reading, label.kind, f"{seed}:{label.name}")  # noqa: E731
        try:
            run = runner.run(
                reader, pictures, folder=eye if reader == "eye" else None, histories=histories, title=name
            )
        except runner.Missing as error:
            if reader == "eye":
                raise
            measured.missing[name] = str(error)
            continue
        measured.add(name, run)
        if not run.finished:
            break
    measured.load = before, os.getloadavg()[0]
    return measured


def _chosen(pictures: list[Labelled], limit: int | None, seed: int) -> list[Labelled]:
    if limit is None or limit >= len(pictures):
        return pictures
    numbers = sorted(random.Random(seed).sample(range(len(pictures)), limit))
    return [pictures[number] for number in numbers]


def _tell(measured: Measured, *, as_json: bool) -> None:
    labels = measured.labels
    unopened = [
        f"{outcome.label.name}: {outcome.error}"
        for outcome in measured.outcomes.get(EYE, [])
        if outcome.error
    ]
    for what, rows in (("left out", labels.problems), ("counted as not read", unopened)):
        for row in rows[:MOST_TOLD]:
            click.echo(f"{what}: {row}", err=True)
        if len(rows) > MOST_TOLD:
            click.echo(f"{what}: and {len(rows) - MOST_TOLD} more", err=True)
    if as_json:
        for row in measured.rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    read = f"{len(measured.outcomes[EYE])} of {len(labels.pictures)} pictures read"
    click.echo(
        f"{measured.name}: {read}, {len(labels.problems)} rows left out, {labels.unlabelled} unlabelled, "
        f"{len(unopened)} could not be opened\n"
    )
    for table in tables(measured):
        click.echo(as_text(table))


if __name__ == "__main__":
    main(prog_name="rasd bench vision")
