"""``rasd watch record``: an errand done by hand becomes a journey."""

import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import click
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Error

from rasd.watch.journeys.language import Persona
from rasd.watch.leave import Leave
from rasd.watch.permission import Refusal, permitted
from rasd.watch.players.base import CannotPlay
from rasd.watch.players.browser import Browser
from rasd.watch.recorder.deeds import Recording
from rasd.watch.recorder.doing import Doing
from rasd.watch.recorder.glass import Glass
from rasd.watch.recorder.remote import Remote
from rasd.watch.watchfile import TargetEntry

LOOKS_UP = 0.02
"""Seconds between two looks at what he asked for."""
FETCHES = 10.0
"""Seconds that his browser has to fetch the page at the end."""
HERE = Path(__file__).parent
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


@click.command()
@click.argument("url")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The journey's file. [default: of the address]",
)
@click.option("--as", "device", type=click.Choice(["phone", "desktop"]), default="phone", show_default=True)
@click.option("--language", type=click.Choice(["ar", "en"]), default="ar", show_default=True)
@click.option("--network", type=click.Choice(["wifi", "4g", "3g", "slow"]), default="4g", show_default=True)
@click.option(
    "--watchfile",
    type=click.Path(path_type=Path),
    default=Path("watch.yaml"),
    show_default=True,
    help="Read where it is there: the target's name and permission.",
)
@click.option("--port", default=0, help="Of the recorder's page where no screen is. [default: any]")
@click.option(
    "--screen/--no-screen", default=None, help="A window, or a page. [default: a window where a screen is]"
)
def record(
    url: str,
    out: Path | None,
    device: Literal["phone", "desktop"],
    language: Literal["ar", "en"],
    network: Literal["wifi", "4g", "3g", "slow"],
    watchfile: Path,
    port: int,
    screen: bool | None,
) -> None:
    """Opens URL for a person who does his errand by hand, and writes what he did as a journey.

    Beside it come its film strip, a picture a step, and an honest page: minutes, clicks, fields typed, times he was asked the
    same, dead ends. Where no screen is, a link is printed: the page there shows the browser and passes on what is done.

    Exit status 0: a journey was written; 1: it was given up, or nothing was pointed at as proof; 2: it was not begun.
    """
    from rasd.watch.run_cli import _set_up_django

    _set_up_django()
    if "//" not in url:
        raise click.BadParameter("begin with http:// or https://", param_hint="URL")
    target, entry = _target(watchfile, url)
    leave = _leave(url, entry, watchfile.absolute().parent)
    out = out or Path(f"{target}.yaml")
    if out.exists():
        raise click.BadParameter(f"{out} is there already: name another", param_hint="--out")
    who = Persona(language=language, device=device, network=network, patience="3m")
    recording = Recording(url, who, datetime.now(UTC))
    window = any(os.environ.get(each) for each in SCREENS) if screen is None else screen
    remote = Remote(_render(bar=window), language, port)
    try:
        ended = _recorded(recording, leave, remote, window=window)
        sys.exit(_written(recording, out, target, remote, window=window, ended=ended))
    except (Error, CannotPlay) as error:
        click.echo(f"rasd watch: {str(error).strip().splitlines()[0]}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        click.echo("rasd watch: nothing was written", err=True)
        sys.exit(2)
    finally:
        remote.close()


def _recorded(recording: Recording, leave: Leave, remote: Remote, *, window: bool) -> bool:
    """Whether he came to an end by himself, and did not just close the window."""
    browser = Browser(screen=window)
    try:
        glass = Glass(browser, recording.who, leave, None if window else remote.show)
        if window:
            _open_bar(browser.open(recording.who.language), remote.url, glass.size[0])
            click.echo(
                "Two windows have opened: the errand is done in one, the other has the recorder's buttons.",
                err=True,
            )
        else:
            click.echo(f"Open this page and do the errand there: {remote.url}", err=True)
            remote.watched.wait()  # what passes until somebody looks is no time of the errand's
        recording.began = datetime.now(UTC)
        doing = Doing(glass, recording)
        doing.open(recording.url)
        while not doing.finished:
            try:
                glass.look()
                glass.pump(LOOKS_UP)
                doing.hear()
                while remote.orders and not doing.finished:
                    _obeyed(doing, remote)
                    doing.hear()
            except Error:
                if glass.page is None:  # he closed the window
                    doing.end_without_a_word()
                    return False
            remote.tell(doing.state() | {"finished": False})
        glass.close()
        return True
    finally:
        browser.close()


def _open_bar(chromium: Chromium, url: str, left: int) -> None:
    """A small window with the recorder's buttons, beside the one that is ``left`` pixels wide."""
    bar = chromium.new_context(viewport={"width": 480, "height": 320}).new_page()
    session = bar.context.new_cdp_session(bar)
    window = session.send("Browser.getWindowForTarget")["windowId"]
    place = {"left": left + 120 if left < 1000 else 0, "top": 0}
    session.send("Browser.setWindowBounds", {"windowId": window, "bounds": place})
    bar.goto(url, wait_until="commit")


def _obeyed(doing: Doing, remote: Remote) -> None:
    order = remote.orders.popleft()
    try:
        doing.obey(order)
    except (KeyError, ValueError, TypeError):
        click.echo(f"rasd watch: the page asked for {order.get('do')!r} and did not say it well", err=True)


def _written(
    recording: Recording, out: Path, target: str, remote: Remote, *, window: bool, ended: bool
) -> int:
    """Writes what came of it, shows the page where he looks, and gives the exit status."""
    from rasd.watch.recorder import honest, writing

    name = re.sub(r"[^a-z0-9_-]+", "-", out.stem.lower()).strip("-0123456789_")[:60] or "errand"
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        text = writing.written(recording, name, target)
    except writing.NothingProves as error:
        text, why = "", str(error)
    film = out.with_name(f"{out.stem}-film")
    for n, deed in enumerate(recording.deeds, 1):
        if deed.picture:
            film.mkdir(exist_ok=True)
            (film / f"{n:02}-{deed.kind.replace(' ', '-')}.jpg").write_bytes(deed.picture)
    remote.page = honest.page(recording, str(out) if text else "")
    out.with_suffix(".html").write_text(remote.page, "utf-8")
    if text:
        out.write_text(text, "utf-8")
        for file, data in recording.files.items():
            (out.parent / file).write_bytes(data)
    remote.tell({"finished": True})
    if window:
        click.launch(str(out.with_suffix(".html")))
    elif ended:
        remote.fetched.wait(FETCHES)
    minutes, seconds = divmod(int(recording.ended), 60)
    click.echo(
        f"{minutes}:{seconds:02} minutes, {recording.clicks} clicks, {len(recording.typed)} fields typed, "
        f"{len(recording.asked_again())} asked again, {len(recording.dead_ends)} dead ends",
        err=True,
    )
    click.echo(f"The page: {out.with_suffix('.html')}; the film strip: {film}", err=True)
    if not text:
        click.echo(f"No journey was written: {why}.", err=True)
        return 1
    for each in writing.secrets_of(recording):
        click.echo(f"The journey wants {writing.variable(each)} in the environment.", err=True)
    for deed in recording.deeds:
        if deed.doubt and not (deed.nothing and not deed.pressable):
            name = deed.thing.name if deed.thing else deed.field.label
            click.echo(f"  - {deed.kind} {name!r}: {deed.doubt}", err=True)
    click.echo(f"The journey: {out}. Try it: rasd watch run {out} --target {_base(recording.url)}", err=True)
    return 1 if recording.gave_up else 0


def _render(*, bar: bool) -> Callable[[str, str], str]:
    def render(language: str, nonce: str) -> str:
        from django.template.loader import render_to_string
        from django.utils import translation

        from rasd.watch.recorder.saying import messages

        with translation.override(language):
            context = {
                "language": language,
                "nonce": nonce,
                "bar": bar,
                "css": (HERE / "remote.css").read_text("utf-8"),
                "script": (HERE / "remote.js").read_text("utf-8"),
                "messages": messages(),
            }
            return render_to_string("watch/recorder/remote.html", context)

    return render


def _target(watchfile: Path, url: str) -> tuple[str, TargetEntry | None]:
    """The name and the entry of the target of which the address is; a name of the host where there is none."""
    from rasd.watch.run_cli import _watchfile

    around = _watchfile(watchfile)
    for name, entry in around.targets.items() if around else ():
        if _base(entry.url) == _base(url):
            return name, entry
    host = re.sub(r"[^a-z0-9]+", "-", (urlsplit(url).hostname or "").removeprefix("www.").lower()).strip("-")
    return (host if host[:1].isalpha() else f"at-{host}")[:60] or "target", None


def _leave(url: str, entry: TargetEntry | None, folder: Path) -> Leave:
    """A person is at the wheel, and robots.txt is for robots; the permission is needed as for any visit."""
    from rasd.watch.run_cli import _permission

    permission, now = _permission(entry, folder), datetime.now(UTC)
    answer = permitted(url, permission, now)
    if isinstance(answer, Refusal):
        raise click.UsageError(f"{answer.words} (docs/watch-conduct.md; rasd watch permit)")
    return Leave(permission=permission, at=now)


def _base(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"
