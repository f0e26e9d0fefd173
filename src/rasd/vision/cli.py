"""`rasd read PHOTO…`: what the eye makes of photographs on this machine's disk."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from rasd.vision.eye import read_photograph
from rasd.vision.types import REASONS, Decision, History, NotAPhotograph, PhotoReading, RegisterHint

MOST_DAYS = 3660  # ten years: an older reading says nothing of what the counter shows now


@click.command()
@click.argument("photos", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PHOTO...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output.")
@click.option("--digits", type=click.IntRange(1, 12), help="Integer digits that the register shows.")
@click.option("--decimals", type=click.IntRange(0, 6), help="Decimals that it shows; none if not given.")
@click.option("--last", type=click.FloatRange(min=0), help="The last actual reading.")
@click.option("--days", type=click.FloatRange(1, MOST_DAYS), help="Days since the last reading.")
@click.option("--usual", type=click.FloatRange(min=0), help="What is usually used in as many days.")
def read(
    photos: tuple[Path, ...],
    as_json: bool,
    digits: int | None,
    decimals: int | None,
    last: float | None,
    days: float | None,
    usual: float | None,
) -> None:
    """Read meter photographs.

    Ends with status 0 when each was read (accepted, or to be confirmed), 1 when one was not, 2 on wrong usage.
    """
    if decimals is not None and digits is None:
        raise click.UsageError("--decimals needs --digits: how many integer digits the register shows")
    history = _history(last, days, usual, digits, decimals or 0)
    register = RegisterHint(digits, decimals or 0) if digits else None
    unread = False
    for photo in photos:
        row = _row(photo, register, history)
        unread = unread or row["decision"] not in {Decision.ACCEPT, Decision.CONFIRM}
        if as_json:
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(_sentence(row))
    if unread:
        click.get_current_context().exit(1)


def _history(
    last: float | None, days: float | None, usual: float | None, digits: int | None, decimals: int
) -> History | None:
    given = {"--last": last, "--days": days, "--usual": usual}
    if all(value is None for value in given.values()):
        return None
    for option, value in given.items():
        # click's ranges let nan through, and an open one infinity.
        if value is not None and not math.isfinite(value):
            raise click.UsageError(f"{option} {value} is not a number to reckon with: give one such as 350")
    if last is None or days is None or usual is None:
        raise click.UsageError("--last, --days and --usual belong together: give all three or none")
    if digits is None:
        raise click.UsageError("--last needs --digits: how many integer digits the register shows")
    if last >= 10**digits:
        raise click.UsageError(f"--last {last:g} does not fit a register of {digits} digits")
    if usual >= 10**digits:
        raise click.UsageError(
            f"--usual {usual:g} is more than a register of {digits} digits can count: "
            "give what is usually used in --days days"
        )
    # str() keeps the decimal that was typed; a float's own expansion has fifty places.
    return History.from_usual(
        str(last), days, str(usual), at=datetime.now(UTC), digits=digits, decimals=decimals
    )


def _row(photo: Path, register: RegisterHint | None, history: History | None) -> dict[str, Any]:
    try:
        data = photo.read_bytes()
    except OSError as error:
        raise click.UsageError(f"{photo}: {error.strerror}") from error
    try:
        reading = read_photograph(data, register=register, history=history)
    except NotAPhotograph as error:
        click.echo(f"{photo}: {error}", err=True)
        return {
            "path": str(photo), "digits": "", "decimals": 0, "reading": None, "confidence": 0.0,
            "decision": str(Decision.RETAKE), "reason": error.code, "kind": "none", "milliseconds": 0.0,
            "findings": [], "candidates": [], "serials": [],
        }  # fmt: skip
    return {"path": str(photo), **as_row(reading)}


def as_row(reading: PhotoReading) -> dict[str, Any]:
    """A reading as JSON's own types: what `rasd read --json` prints, less the path. Values are strings, so that
    no decimal is lost."""
    return {
        "digits": reading.digits,
        "decimals": reading.decimals,
        "reading": None if reading.value is None else str(reading.value),
        "confidence": round(reading.confidence, 4),
        "decision": str(reading.decision),
        "reason": reading.reason,
        "kind": reading.kind,
        "milliseconds": round(reading.milliseconds, 1),
        "findings": [{"code": f.code, "severity": str(f.severity)} for f in reading.findings],
        "candidates": [
            {"digits": c.digits, "reading": str(c.value), "probability": round(c.probability, 4)}
            for c in reading.candidates
        ],
        "serials": list(reading.serials),
        "counter_box": reading.counter_box,
        "digit_readings": [asdict(place) for place in reading.digit_readings],
        "model": reading.model,
    }


def _sentence(row: dict[str, Any]) -> str:
    shown = row["reading"] if row["reading"] is not None else "-"
    why = REASONS.get(row["reason"], NotAPhotograph.REASONS.get(row["reason"], row["reason"]))
    return f"{row['path']}: {shown} ({row['decision']}, {row['confidence']:.3f}) {why}"
