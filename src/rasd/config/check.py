"""``rasd check``: what is wrong with this installation, and how to mend it."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click
from django.http.request import validate_host

from rasd.config.embedded import EmbeddedPostgresError

DISK_WANTED = (
    2 * 1024**3
)  # bytes: a month's photographs of a small utility, and room for PostgreSQL to recover


@dataclass(frozen=True)
class Answer:
    """One thing looked at: well where ``mend`` is empty."""

    what: str
    found: str
    mend: str = ""


@click.command()
@click.option("--port", default=8000, show_default=True, help="the port that rasd serve will listen on")
def check(port: int) -> None:
    """Look at settings, folder, disk, port and database; exit status 1 and the mend where something is wrong."""
    wrong = 0
    for answer in answers(port):
        wrong += bool(answer.mend)
        click.echo(f"{'✗' if answer.mend else '✓'} {answer.what}: {answer.found}")
        if answer.mend:
            click.echo(f"    → {answer.mend}")
    sys.exit(1 if wrong else 0)


def answers(port: int) -> Iterator[Answer]:
    """What was found, in the order in which one thing needs another; ends early where the rest cannot be asked."""
    try:
        from rasd.config.options import options
    except ValueError as error:  # pydantic's, naming each setting
        yield Answer(
            "settings", str(error), "correct the RASD_… variable or the line of rasd.toml named above"
        )
        return
    yield folder(options.data_dir)
    yield disk(options.data_dir)
    yield port_free(port)
    yield from secrets()
    yield customers_pages(options.public_url, options.allowed_hosts)
    yield from eyes(options.eye, options.shadow_eye)
    try:
        if options.embedded:
            options.embedded.hold()
            yield Answer(
                "database", f"embedded PostgreSQL {options.embedded.version} in {options.embedded.folder}"
            )
        yield from database()
    except EmbeddedPostgresError as error:
        yield Answer("database", "the embedded PostgreSQL does not run", str(error))
    finally:
        if options.embedded:
            options.embedded.release()


def folder(path: Path) -> Answer:
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".check-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        return Answer(
            "data folder",
            f"{path}: {error.strerror}",
            f"give this user the folder (chown {os.geteuid()} {path}), or set RASD_DATA_DIR to one that it may write to",
        )
    return Answer("data folder", str(path))


def disk(path: Path) -> Answer:
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    found = f"{free / 1024**3:.1f} GiB free"
    mend = "" if free >= DISK_WANTED else "free some space, or set RASD_DATA_DIR to a folder on a larger disk"
    return Answer("disk", found, mend)


def port_free(port: int) -> Answer:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return Answer(
                "port",
                f"{port}: {error.strerror}",
                f"stop what listens there (ss -ltnp 'sport = :{port}' names it), or choose another: rasd serve --port …",
            )
    return Answer("port", f"{port} is free")


def secrets() -> Iterator[Answer]:
    from rasd.config.options import options

    needed = {
        "RASD_WHATSAPP_TOKEN": options.whatsapp_token,
        "RASD_WHATSAPP_APP_SECRET": options.whatsapp_app_secret,
        "RASD_WHATSAPP_VERIFY_TOKEN": options.whatsapp_verify_token,
    }
    missing = [name for name, value in needed.items() if not value.get_secret_value()]
    if missing:
        yield Answer(
            "WhatsApp",
            f"not set: {', '.join(missing)}",
            "set them from your app's page at Meta (App settings → Basic; WhatsApp → API setup); until then every "
            "webhook call is refused and nothing is sent",
        )
    else:
        yield Answer("WhatsApp", options.whatsapp_api_url)


def customers_pages(url: str, hosts: list[str]) -> Answer:
    """Whether the links that customers are given lead here."""
    if not url:
        return Answer(
            "customers' pages",
            "RASD_PUBLIC_URL is not set: no customer is told the page of his case",
            "set RASD_PUBLIC_URL to the address under which customers reach this site, such as https://service.example.om",
        )
    host = urlsplit(url).hostname or ""
    if not validate_host(host, hosts):
        return Answer(
            "customers' pages",
            f"{url}, whose host is not served",
            f"add {host} to RASD_ALLOWED_HOSTS, or correct RASD_PUBLIC_URL",
        )
    return Answer("customers' pages", f"{url}/t/…")


def eyes(service: str, shadow: str) -> Iterator[Answer]:
    """The eye in service, and the one on trial where a folder is named."""
    from rasd.metering.eyes import opened, shadow_beside
    from rasd.vision import UnusableEye

    try:
        eye = opened(service)
    except UnusableEye as error:
        yield Answer(
            "eye", str(error), "set RASD_EYE to the folder of an eye, or unset it for the shipped one"
        )
        return
    yield Answer("eye", f"{eye.name} (version {eye.version}, {eye.checksum[:12]}) in {eye.folder}")
    if not shadow:
        return
    try:
        beside = shadow_beside(eye, shadow)
    except UnusableEye as error:
        yield Answer(
            "eye in shadow", str(error), "set RASD_SHADOW_EYE to the folder of another eye, or unset it"
        )
        return
    yield Answer("eye in shadow", f"{beside.name} (version {beside.version}, {beside.checksum[:12]})")


OLDEST_POSTGRESQL = 150000


def database() -> Iterator[Answer]:
    from rasd.config.running import close_database, set_up_django

    set_up_django()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            version = int(cursor.fetchone()[0])
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        yield Answer("database", reason, "see that the server runs and that RASD_DATABASE_URL is right")
        return
    if version < OLDEST_POSTGRESQL:
        yield Answer("database", f"PostgreSQL {version // 10000}", "Rasd needs PostgreSQL 15 or later")
        return
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    yield Answer(
        "tables",
        f"{missing} migrations missing" if missing else "as this version wants them",
        "run rasd migrate" if missing else "",
    )
    if not missing:
        yield from desk()
        yield ledger()
    close_database()


def ledger() -> Answer:
    """Whether it was verified lately, and held."""
    from django.utils import timezone

    from rasd.ledger.models import STALE_AFTER, Verification

    last, now = Verification.last(), timezone.now()
    if last is None:
        found = "not verified yet"
    else:
        found = f"verified up to entry {last.upto} on {last.at:%Y-%m-%d %H:%M} UTC, head {last.head}"
        if last.broken_at is not None:
            return Answer(
                "ledger",
                f"entry {last.broken_at} does not hold: {last.why}",
                "change nothing; compare with a backup and the published head (rasd ledger verify --head), and find out who"
                " has the database's own password",
            )
    hours = int(STALE_AFTER.total_seconds() // 3600)
    mend = f"it is verified every night, and was not for {hours} hours: see that a worker runs; rasd ledger verify does it now"
    return Answer("ledger", found, mend if Verification.is_overdue(now) else "")


def desk() -> Iterator[Answer]:
    """Whether everything owed lies with somebody, and whether those who are to hear by e-mail can."""
    from django.contrib.auth.models import Group
    from django.utils import timezone

    from rasd.config.options import options
    from rasd.desk.escalating import working
    from rasd.desk.models import EscalationStep, Obligation

    nobodys = Obligation.objects.in_nobodys_hands(timezone.now()).count()
    yield Answer(
        "in nobody's hands",
        f"{nobodys} obligations" if nobodys else "nothing",
        "put people who are on shift into the queues, the one of last resort among them, and see that a worker runs"
        if nobodys
        else "",
    )
    by_email = EscalationStep.objects.filter(by_email=True)
    if not by_email.exists():
        return
    if not options.email_url.get_secret_value():
        yield Answer(
            "e-mail",
            "escalation by e-mail is wanted, and no mail server is set: it is printed, not sent",
            "set RASD_EMAIL_URL, such as smtp://user:password@host:587, or take the e-mail out of the queues' steps",
        )
        return
    roles = Group.objects.filter(pk__in=by_email.values("role"))
    members = {role.name: working(role.user_set.all()) for role in roles}
    if empty := sorted(name for name, people in members.items() if not people):
        yield Answer(
            "e-mail",
            f"nobody at work is in {', '.join(empty)}: what is late is escalated to nobody",
            f"put somebody into {', '.join(empty)} in /admin/ (Users), or name another role in the queues' steps",
        )
    without = sorted({user.username for people in members.values() for user in people if not user.email})
    if without:
        yield Answer(
            "e-mail",
            f"no address: {', '.join(without)}",
            "give each of them an e-mail address in /admin/: they are in a role that is told by e-mail",
        )
    elif not empty:
        yield Answer("e-mail", "escalations are sent")
