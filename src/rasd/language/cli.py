"""``rasd understand``: what Rasd makes of a sentence."""

from __future__ import annotations

import dataclasses
import json
import sys
from decimal import Decimal
from typing import Any

import click

from rasd.language.understanding import Understanding, understand


@click.command("understand")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def understand_command(as_json: bool) -> None:
    """Read a sentence a line on standard input and say what each means.

    Bytes that are not UTF-8 are replaced, so one bad line does not stop the rest.
    """
    for raw in sys.stdin.buffer:
        line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
        found = understand(line)
        click.echo(json.dumps(as_dict(found), ensure_ascii=False) if as_json else in_words(found))


def as_dict(found: Understanding) -> dict[str, Any]:
    """The fields of an understanding as JSON's own types; decimals as strings, so that no digit is lost."""
    return {key: _plain(value) for key, value in dataclasses.asdict(found).items()}


def in_words(found: Understanding) -> str:
    """One line for a person: the sentence, then what is not empty in it."""
    facts = []
    for name, value in as_dict(found).items():
        if name in ("text", "numbers") or value is None or (value is False and name != "yes_no"):
            continue
        if name == "reading":
            value = value["value"]
        facts.append(name if value is True and name != "yes_no" else f"{name}={value}")
    return f"{found.text}\t{' '.join(facts)}"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
