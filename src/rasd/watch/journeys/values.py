"""Values of a visit, written ``{name}`` in a journey's texts."""

import re
from collections.abc import Iterator
from typing import Any

from rasd.watch.journeys.language import Journey
from rasd.watch.journeys.steps import Attach, Code, Hear, Keep, Mail, Python, Step

VALUE = re.compile(r"\{([a-z][\w.-]*)\}")
"""``{someone.name}``, ``{secret.pin}``, ``{ticket-number}``."""
PHOTOGRAPH = "photograph"
"""Kept by a step that attaches one."""


def unkept(journey: Journey) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Values that no step before keeps: where each stands (as paths in the file), and its name. A function of Python may keep
    anything; what another way and the tidying up find kept, nobody knows beforehand, as they come after whatever failed."""
    every = journey.every_step()
    if any(isinstance(step, Python) for step in every):
        return
    at_last = {name for step in every for name in _kept_by(step)}
    kept: set[str] = set()
    for part in ("steps", "done"):
        for number, step in enumerate(getattr(journey, part)):
            yield from (((part, number), name) for name in _used_by(step) if name not in kept)
            kept |= _kept_by(step)
    later: list[tuple[tuple[str | int, ...], list[Any]]] = [(("clean_up",), list(journey.clean_up))]
    for number, other in enumerate(journey.otherwise):
        later += [(("otherwise", number, "steps"), other.steps), (("otherwise", number, "done"), other.done)]
    for path, steps in later:
        for number, step in enumerate(steps):
            yield from (((*path, number), name) for name in _used_by(step) if name not in at_last)


def _kept_by(step: Step) -> set[str]:
    match step:
        case Keep():
            return set(step.keep)
        case Hear():
            return set(step.hear.keep)
        case Mail():
            return set(step.mail.keep)
        case Code():
            return {step.code.keep}
        case _:
            attached = step.attach.values() if isinstance(step, Attach) else ()
            letters = step.model_dump().get("write", {}).get("attach", ())
            return {PHOTOGRAPH} if PHOTOGRAPH in {*attached, *letters} else set()


def _used_by(step: Step) -> Iterator[str]:
    """Those without a point: the others are the made-up person's, and secrets."""
    for text in _texts(step.model_dump(exclude={"note"})):
        yield from (name for name in VALUE.findall(text) if "." not in name)


def _texts(of: Any) -> Iterator[str]:
    if isinstance(of, str):
        yield of
    elif isinstance(of, dict):
        for key, value in of.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(of, list):
        for each in of:
            yield from _texts(each)
