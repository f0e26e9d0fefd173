"""Tells people of alerts through Apprise, in Arabic and English, until it has gone out; and the heartbeat outwards.

What is to be told is a row, written with the alert (``models/alerts.py``). A row goes out at least once: a watcher that dies
between the sending and the noting sends it again.
"""

import hashlib
import logging
import os
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import apprise
import httpx
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, override

from rasd.watch.models import Alert, Target, Telling, Watcher
from rasd.watch.options import options
from rasd.watch.templatetags.watch import figures
from rasd.watch.watchfile import Alerts, Watchfile

LANGUAGES = ("ar", "en")
AT_ONCE = 50
"""Tellings in one round. An address that fails is left alone until the next, so that a dead mail server holds up no visit for
longer than it takes to notice."""
PATIENCE = 10.0
"""Seconds for a heartbeat."""
SECRET = re.compile(r"\{secret\.(\w+)\}")

Notify = Callable[[str, str, str], str]
"""Sends a title and a text to an address; gives what went wrong, or nothing."""


def _whole(address: str) -> str:
    """``{secret.NAME}`` in an address is RASD_WATCH_SECRET_NAME of the environment, as everywhere in ``watch.yaml``."""
    return SECRET.sub(lambda match: os.environ.get(f"RASD_WATCH_SECRET_{match[1].upper()}", ""), address)


def digest(address: str) -> str:
    """Of the address as ``watch.yaml`` writes it: a password that is changed in the environment does not change it."""
    return hashlib.sha256(address.encode()).hexdigest()


def shown(address: str) -> str:
    """Without its secrets, as far as Apprise knows them; of one that it does not know, only the kind."""
    found = apprise.Apprise.instantiate(_whole(address), suppress_exceptions=True)
    if found is None:
        return f"{address.partition(':')[0]}://…"[:300]
    private: str = found.url(privacy=True)  # type: ignore[no-untyped-call]
    return private.partition("?")[0][:300]


def write(alert: Alert, what: str, now: datetime, alerts: Alerts) -> None:
    """For each address one row; in the transaction of what it tells."""
    Telling.objects.bulk_create(
        Telling(alert=alert, what=what, to=digest(each), shown=shown(each), written_at=now, due_at=now)
        for each in alerts.to
    )


def notify(address: str, title: str, text: str) -> str:
    with apprise.LogCapture(level=logging.WARNING) as log:  # type: ignore[no-untyped-call]
        channel = apprise.Apprise()
        if not channel.add(_whole(address)):
            return "Apprise does not know such an address: see alerts.to in watch.yaml"
        return "" if channel.notify(title=title, body=text) else _last_line(log.getvalue())


def _last_line(log: str) -> str:
    lines = [line for line in log.splitlines() if line.strip()]
    return lines[-1].partition(" - ")[2] or lines[-1] if lines else "not sent, and Apprise does not say why"


def send(now: datetime, watchfile: Watchfile, notify: Notify = notify) -> None:
    """After every round: what is due. What fails is kept, shown and put off; to each address in the order written."""
    addresses = {digest(each): each for each in watchfile.alerts.to}
    dead: set[str] = set()
    for _ in range(AT_ONCE):
        with transaction.atomic():
            before = Telling.objects.filter(
                alert=OuterRef("alert"), to=OuterRef("to"), pk__lt=OuterRef("pk"), told_at=None
            )
            due = Telling.objects.filter(~Exists(before), told_at=None, due_at__lte=now).exclude(to__in=dead)
            telling = due.order_by("due_at", "pk").select_for_update(skip_locked=True, of=("self",)).first()
            if telling is None:
                return
            address = addresses.get(telling.to)
            if address is None:
                telling.failed(now, "this address is no longer in alerts.to of watch.yaml")
                continue
            title, text = message(telling)
            if error := notify(address, title, text):
                telling.failed(now, error)
                dead.add(telling.to)
            else:
                telling.went(now)


def message(telling: Telling) -> tuple[str, str]:
    """Title and text: Arabic first, English below it, and the link."""
    titles, texts = [], []
    for language in LANGUAGES:
        with override(language):
            titles.append(figures(title_of(telling.alert, telling.what)))
            texts.append(figures("\n".join(text_of(telling.alert, telling.what))))
    link = options.site.rstrip("/") + address_of(telling.alert)
    return " · ".join(titles), "\n\n".join([*texts, link])


def address_of(alert: Alert) -> str:
    return reverse("watch:alert", urlconf="rasd.watch.urls", args=[alert.pk])


def title_of(alert: Alert, what: str = "") -> str:
    """In the language that is active. ``what``: of ``Telling.What``; without it, as it stands on pages."""
    name = alert.target.title if alert.target else ""
    if what == "closed":
        return {
            "wall": gettext("Over: robots are no longer kept out of %(name)s"),
            "blind": gettext("Over: the watch sees again"),
            "leave": gettext("Over: the permission for %(name)s is renewed"),
        }.get(alert.window, gettext("Over: %(name)s works again")) % {"name": name}
    title = {
        "fast": gettext("%(name)s: visits are failing"),
        "slow": gettext("%(name)s: more visits fail than should, for days"),
        "wall": gettext("%(name)s keeps robots out"),
        "blind": gettext("The watch is blind"),
        "leave": gettext("%(name)s: the permission has run out")
        if alert.facts.get("over")
        else gettext("%(name)s: the permission runs out soon"),
    }[alert.window] % {"name": name}
    return gettext("Still: %(title)s") % {"title": title} if what == "reminder" else title


def text_of(alert: Alert, what: str = "") -> list[str]:
    """Sentences, in the language that is active."""
    zone = ZoneInfo(alert.target.zone if alert.target else "UTC")
    if what == "closed" and alert.closed_at:
        return [
            gettext("It began on %(began)s and ended on %(ended)s.")
            % {"began": _moment(alert.opened_at, zone), "ended": _moment(alert.closed_at, zone)}
        ]
    facts: dict[str, Any] = alert.facts
    if alert.window == "leave":
        ends = {"ends": _moment(datetime.fromisoformat(facts["ends"]), zone)}
        return [
            gettext("It ended on %(ends)s: no visit is paid.") % ends
            if facts["over"]
            else gettext("It ends on %(ends)s: from then on no visit is paid.") % ends,
            gettext("The owner signs another, and watch.yaml names the file."),
        ]
    since = _moment(datetime.fromisoformat(facts["since"]), zone)
    if alert.window in {"fast", "slow"}:
        return [
            *_failures(facts, since),
            gettext("Only visits that speak for or against the service are counted."),
        ]
    if alert.window == "wall":
        return [
            gettext("Since %(since)s every visit was kept out as a robot. The watch does not go around that.")
            % {"since": since},
            gettext("Nothing is known of the service meanwhile. This is no fault of it."),
        ]
    titles = Target.objects.filter(name__in=facts["targets"]).values_list("title", flat=True)
    return [
        gettext("Since %(since)s no visit has shown anything of: %(targets)s.")
        % {"since": since, "targets": gettext(", ").join(titles)},
        gettext(
            "The fault is on the watch's side, a permission has run out, robots.txt could never be read, or the service "
            "asks to be left alone. It is held against no service."
        ),
    ]


def _failures(facts: dict[str, Any], since: str) -> list[str]:
    share = {"objective": f"{facts['objective'] * 100:g}"}
    share |= {name: f"{facts[name] * 100:.1f}" for name in ("low", "high")}  # 94.7 is below 95, and 95 is not
    return [
        ngettext(
            "%(failures)s of %(visits)s visit since %(since)s did not get what it came for.",
            "%(failures)s of %(visits)s visits since %(since)s did not get what they came for.",
            facts["visits"],
        )
        % {"failures": facts["failures"], "visits": facts["visits"], "since": since},
        gettext(
            "%(objective)s %% should be completed; so many visits show between %(low)s %% and %(high)s %%."
        )
        % share,
    ]


def _moment(when: datetime, zone: ZoneInfo) -> str:
    """With its zone: who reads it may be elsewhere."""
    local = timezone.localtime(when, zone)
    return gettext("%(day)s at %(time)s (%(zone)s)") % {
        "day": date_format(local, "j F Y"),
        "time": date_format(local, "H:i"),
        "zone": zone.key,
    }


def heartbeat(now: datetime, watchfile: Watchfile, get: Callable[..., httpx.Response] = httpx.get) -> None:
    """After every round that came to its end: one GET, so that whoever listens notices when none comes. Where it fails, the
    round goes on, and ``Watcher.facts["heartbeat"]`` says so, which the pages show."""
    if watchfile.watcher.heartbeat is None:
        return
    error = ""
    try:
        get(watchfile.watcher.heartbeat, timeout=PATIENCE, follow_redirects=True).raise_for_status()
    except (
        httpx.HTTPStatusError
    ) as failure:  # its own words name the address, and who knows that can beat for a dead watch
        error = f"it answered {failure.response.status_code}"
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        error = f"{type(failure).__name__}: {failure}".splitlines()[0][:300]
    with transaction.atomic():
        watcher, _ = Watcher.objects.select_for_update().get_or_create(
            name=watchfile.watcher.name, defaults={"place": watchfile.watcher.place}
        )
        before = watcher.facts.get("heartbeat", {})
        went_at = before.get("went_at") if error else now.isoformat()
        watcher.facts["heartbeat"] = {"tried_at": now.isoformat(), "went_at": went_at, "error": error}
        watcher.save(update_fields=["facts"])
