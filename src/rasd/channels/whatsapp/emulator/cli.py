"""``rasd emulate``: stand-ins for the services of others, for trying out and for tests."""

import sys
from datetime import datetime

import click

from .clock import Clock
from .settings import (
    DEFAULT_APP_SECRET,
    DEFAULT_DISPLAY_NUMBER,
    DEFAULT_PHONE_NUMBER_ID,
    DEFAULT_TOKEN,
    DEFAULT_VERIFY_TOKEN,
    Line,
    Settings,
)

DEFAULT_WEBHOOK = "http://127.0.0.1:8000/channels/whatsapp/webhook"


@click.group()
def emulate() -> None:
    """Stand-ins for the services of others, on this machine only."""


@emulate.command()
@click.option("--port", default=8081, show_default=True, help="Port on 127.0.0.1.")
@click.option("--webhook", default=DEFAULT_WEBHOOK, show_default=True, help="Where webhooks go.")
@click.option(
    "--token", envvar="RASD_WHATSAPP_TOKEN", default=DEFAULT_TOKEN, show_default=True, show_envvar=True
)
@click.option(
    "--app-secret",
    envvar="RASD_WHATSAPP_APP_SECRET",
    default=DEFAULT_APP_SECRET,
    show_default=True,
    show_envvar=True,
)
@click.option(
    "--verify-token",
    envvar="RASD_WHATSAPP_VERIFY_TOKEN",
    default=DEFAULT_VERIFY_TOKEN,
    show_default=True,
    show_envvar=True,
)
@click.option(
    "--phone-number-id",
    "ids",
    multiple=True,
    default=[DEFAULT_PHONE_NUMBER_ID],
    show_default=True,
    help="A business line; give it again for each line.",
)
@click.option(
    "--display-number",
    "numbers",
    multiple=True,
    default=[DEFAULT_DISPLAY_NUMBER],
    show_default=True,
    help="The telephone number of each line, in the same order.",
)
@click.option(
    "--name", "names", multiple=True, default=["Rasd"], show_default=True, help="The name of each line."
)
@click.option(
    "--template",
    "templates",
    multiple=True,
    help="An approved template, NAME:LANGUAGE:BODY with {{1}} for values.",
)
@click.option("--batch", default=1, show_default=True, help="Most updates in one webhook call.")
@click.option("--linger-ms", default=0.0, show_default=True, help="How long to wait for a batch to fill.")
@click.option("--retry-scale", default=1.0, show_default=True, help="Multiplies the delays between repeats.")
@click.option(
    "--phone", "phones", multiple=True, help="A customer's phone to begin with: NUMBER or NUMBER:NAME."
)
@click.option(
    "--clock",
    "at",
    type=click.DateTime(["%Y-%m-%dT%H:%M%z"]),
    help="Begin at another time than now, like 2026-07-18T09:00+0400; messages are dated by it.",
)
@click.option("--seed", type=int, help="Makes the faults' randomness repeatable.")
def whatsapp(
    port: int,
    webhook: str,
    token: str,
    app_secret: str,
    verify_token: str,
    ids: tuple[str, ...],
    numbers: tuple[str, ...],
    names: tuple[str, ...],
    templates: tuple[str, ...],
    batch: int,
    linger_ms: float,
    retry_scale: float,
    phones: tuple[str, ...],
    at: datetime | None,
    seed: int | None,
) -> None:
    """The business side of Meta's WhatsApp Cloud API, emulated, with phones to write from in the browser.

    It is not WhatsApp and reaches nobody. Everything is in memory and gone when it ends.
    """
    from .server import serve  # here, so that `rasd --help` does not load a web server

    if len(numbers) < len(ids):
        raise click.UsageError("--display-number: give one for each --phone-number-id, in the same order.")
    settings = Settings(
        token=token,
        app_secret=app_secret,
        verify_token=verify_token,
        webhook_url=webhook,
        lines=[
            Line(phone_number_id, number, names[n] if n < len(names) else f"Rasd {n + 1}")
            for n, (phone_number_id, number) in enumerate(zip(ids, numbers, strict=False))
        ],
        max_batch=batch,
        linger=linger_ms / 1000,
        retry_scale=retry_scale,
        phones=[_pair(p) for p in phones],
        seed=seed,
    )
    for template in templates:
        name, language, body = _template(template)
        settings.templates[name, language] = body
    clock = Clock()
    if at:
        clock.set(at)
    click.echo(f"WhatsApp emulator (not WhatsApp): http://127.0.0.1:{port}/  ->  {webhook}", err=True)
    click.echo(f"RASD_WHATSAPP_API_URL=http://127.0.0.1:{port}/v23.0", err=True)
    try:
        serve(settings, port, clock)
    except OSError as e:
        click.echo(f"Port {port}: {e.strerror}. Give another one with --port.", err=True)
        sys.exit(1)


def _pair(phone: str) -> tuple[str, str]:
    number, _, name = phone.partition(":")
    return number, name


def _template(text: str) -> tuple[str, str, str]:
    parts = text.split(":", 2)
    if len(parts) < 3 or not all(parts):
        raise click.UsageError(
            f"--template {text!r}: write NAME:LANGUAGE:BODY, like notice:ar:'مرحبا {{{{1}}}}'."
        )
    return parts[0], parts[1], parts[2]
