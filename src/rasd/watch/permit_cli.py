"""``rasd watch permit``: keys, signatures, and what a permission permits."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from rasd.watch import permission
from rasd.watch.permission import WELL_KNOWN, NotAPermission, Permission, Refusal, Statement, permitted

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def permit() -> None:
    """The owner's signed permission, without which nothing outside loopback is touched."""


@permit.command("new-key")
@click.argument("file", type=click.Path(path_type=Path))
def new_key(file: Path) -> None:
    """The owner's: makes a private key in FILE, which stays with him, and prints the public one."""
    key = permission.new_key()
    try:
        file.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise click.UsageError(f"{file} is there already: a key that is overwritten is lost") from None
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    click.echo(permission.key_of(key))
    click.echo(
        f"Publish this line at https://YOUR-SITE{WELL_KNOWN}, or hand it over in person. Keep {file} to yourself.",
        err=True,
    )


@permit.command()
@click.argument("statement", type=FILE)
@click.option("--key", required=True, type=FILE, help="The owner's private key.")
def sign(statement: Path, key: Path) -> None:
    """The owner's: prints STATEMENT signed. What is to be in it: docs/watch-conduct.md."""
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise click.UsageError(f"{key} is no private key as 'rasd watch permit new-key' makes it") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise click.UsageError(f"{key} is no Ed25519 key")
    try:
        click.echo(permission.sign(_text(statement), private), nl=False)
    except NotAPermission as error:
        click.echo(f"{statement}: {error}", err=True)
        sys.exit(2)


@permit.command()
@click.argument("file", type=FILE)
@click.option("--key", "owner_key", default="", help="The public key that the owner handed over.")
@click.option(
    "--published", is_flag=True, help=f"Asks each origin for what its owner publishes at {WELL_KNOWN}."
)
@click.option(
    "--url", "urls", multiple=True, help="Whether this address may be asked for; more than once, if you like."
)
def show(file: Path, owner_key: str, published: bool, urls: tuple[str, ...]) -> None:
    """Says what FILE permits, and to whom. Exit status 1, with the reason, where it permits nothing now."""
    now = datetime.now(UTC)
    try:
        granted = Permission(text=_text(file), owner_key=owner_key)
        signed = granted.signed
    except NotAPermission as error:
        _invalid(file, str(error))
    if published:
        granted = granted.model_copy(update={"posted": _posted(signed.statement)})
    click.echo(_words(signed.statement, signed.key), nl=False)
    if refusal := permission.out_of_time(signed.statement, now):
        _invalid(file, refusal.words)
    if not (owner_key or published):
        click.echo("The signature is good. Whose key it is, --key or --published would tell.", err=True)
        urls_asked: tuple[str, ...] = urls
    else:
        urls_asked = urls or tuple(signed.statement.origins)
    refused = False
    for url in urls_asked:
        answer = permitted(url, granted, now)
        no = isinstance(answer, Refusal)
        refused |= no
        click.echo(
            f"{'no ' if no else 'yes'} {url}" + (f": {answer.words}" if isinstance(answer, Refusal) else "")
        )
    sys.exit(1 if refused else 0)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file} is not UTF-8: save it as UTF-8") from error


def _invalid(file: Path, reason: str) -> None:
    click.echo(f"{file}: {reason}", err=True)
    sys.exit(1)


def _posted(statement: Statement) -> dict[str, str]:
    from rasd.watch.asking import Unanswered, ask

    found = {}
    for origin in sorted(statement.publishers):
        try:
            found[origin] = ask(origin + WELL_KNOWN).text
        except Unanswered as error:
            click.echo(f"{origin}{WELL_KNOWN}: {error}", err=True)
    return found


def _words(statement: Statement, key: str) -> str:
    zone = ZoneInfo(statement.zone)
    quiet = [f"{','.join(each.days)} {each.since:%H:%M}-{each.until:%H:%M}" for each in statement.not_during]
    rows = {
        "service": statement.service,
        "granted by": statement.granted_by,
        "asked by": statement.asked_by,
        "call": statement.call,
        "from": f"{statement.begins.astimezone(zone):%Y-%m-%d %H:%M} {statement.zone}",
        "until": f"{statement.ends.astimezone(zone):%Y-%m-%d %H:%M} {statement.zone}",
        "where": ", ".join([*statement.origins, *statement.mail, *statement.chat]),
        "visits a day": statement.visits_a_day,
        "not during": "; ".join(quiet) or "-",
        "may submit": "; ".join(statement.may_submit) or "nothing",
        "key": key,
    }
    return "".join(f"{name:<13} {value}\n" for name, value in rows.items())
