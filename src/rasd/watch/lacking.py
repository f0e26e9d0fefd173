"""What ``rasd watch check`` and ``serve`` tell of permissions before any visit is due (G13)."""

from collections.abc import Iterator
from datetime import datetime

from rasd.watch.journeys.parsing import Mistake, load
from rasd.watch.permission import NotAPermission, Permission, Refusal, Why, permitted
from rasd.watch.places import addresses_of
from rasd.watch.watchfile import Whole

PASSES = {Why.NOT_YET, Why.HOURS}
"""What is so at this moment only."""


def without_leave(whole: Whole, now: datetime) -> Iterator[Mistake]:
    """Targets to which no visit would be paid now for want of a permission, as far as the files tell: whether the owner publishes
    its key is asked before a visit only. Nobody is asked anything here, and no name is looked up but ``localhost``."""
    _, places = load(whole.path.read_text("utf-8"), str(whole.path))
    for name, entry in whole.file.targets.items():
        at = places.get(("targets", name, "permission"), places["targets", name])
        try:
            permission = None
            if entry.permission:
                permission = Permission(text=(whole.folder / entry.permission).read_text("utf-8"))
                permission = permission.model_copy(update={"owner_key": permission.signed.key})
            answer = permitted(entry.url, permission, now, resolve=_at_home)
        except NotAPermission as error:
            yield Mistake(*at, f"{entry.permission}: {error}", "ask for another")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            yield Mistake(
                *at, f"{entry.permission}: cannot be read: {why}", "paths begin at this file's folder"
            )
        else:
            if isinstance(answer, Refusal) and answer.why not in PASSES:
                yield Mistake(*at, answer.words, "no visit is paid without one: docs/watch-conduct.md")


def _at_home(host: str) -> list[str]:
    return addresses_of(host) if host == "localhost" else []
