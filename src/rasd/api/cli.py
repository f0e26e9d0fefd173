import sys
from datetime import datetime

import click


@click.group()
def api() -> None:
    """Tokens of the API, by which other programs come in."""


@api.command()
@click.argument("name")
@click.option("--user", required=True, help="as whom it acts: it may do what this user may, and no more")
@click.option(
    "--scope", "scopes", multiple=True, required=True, help="again for each, such as conversations:read"
)
@click.option("--line", "lines", multiple=True, help="by its name: it sees this line only; again for each")
@click.option("--queue", "queues", multiple=True, help="by its name: it sees this queue only; again for each")
@click.option(
    "--expires", default="", help="a moment such as 2027-01-31T12:00, in the utility's time zone; none: never"
)
@click.option(
    "--per-minute", type=click.IntRange(min=1), default=600, show_default=True, help="calls a minute"
)
def token(
    name: str,
    user: str,
    scopes: tuple[str, ...],
    lines: tuple[str, ...],
    queues: tuple[str, ...],
    expires: str,
    per_minute: int,
) -> None:
    """Make a token called NAME and print its secret, once, on standard output."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from rasd.api.models import ApiToken
    from rasd.channels.models import Line
    from rasd.desk.models import Queue

    acts_as = User.objects.filter(username=user, is_active=True).first()
    if acts_as is None:
        raise click.UsageError(f"--user {user!r}: there is no such user who may log in")
    if ApiToken.objects.filter(name=name).exists():
        raise click.UsageError(f"NAME {name!r}: there is a token of that name already; choose another")
    try:
        made, secret = ApiToken.make(
            name,
            acts_as,
            scopes,
            at=timezone.now(),
            lines=[_one(Line, "--line", each) for each in lines],
            queues=[_one(Queue, "--queue", each) for each in queues],
            expires_at=_moment(expires),
            per_minute=per_minute,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"made: {made.name}, acting as {user}; the secret is shown this once:", err=True)
    click.echo(secret)


@api.command()
def tokens() -> None:
    """All tokens, one a line: name, user, state, when it was used last, scopes."""
    from django.utils import timezone

    from rasd.api.models import ApiToken

    now = timezone.now()
    for each in ApiToken.objects.select_related("user"):
        state = "revoked" if each.revoked_at else "good" if each.is_good(now) else "expired"
        used = (
            timezone.localtime(each.last_used_at).isoformat(timespec="minutes")
            if each.last_used_at
            else "never"
        )
        click.echo("\t".join([each.name, each.user.get_username(), state, used, " ".join(each.scopes)]))


@api.command()
@click.argument("name")
def revoke(name: str) -> None:
    """The token called NAME opens nothing any more. Exit status 1 where there is none."""
    from django.utils import timezone

    from rasd.api.models import ApiToken

    known = ApiToken.objects.filter(name=name).first()
    if known is None:
        click.echo(f"there is no token {name!r}: rasd api tokens lists them", err=True)
        sys.exit(1)
    known.revoke(by=None, at=timezone.now())
    click.echo(f"revoked: {name}", err=True)


def _one(model, option: str, name: str):  # type: ignore[no-untyped-def]
    found = list(model.objects.filter(name=name)[:2])
    if len(found) != 1:
        names = ", ".join(model.objects.order_by("name").values_list("name", flat=True))
        raise click.UsageError(
            f"{option} {name!r}: {'several' if found else 'none'} of that name; there are: {names}"
        )
    return found[0]


def _moment(text: str) -> datetime | None:
    from django.utils import timezone

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.UsageError(f"--expires {text!r}: write a moment as 2027-01-31T12:00") from error
    return moment if moment.tzinfo else timezone.make_aware(moment)
