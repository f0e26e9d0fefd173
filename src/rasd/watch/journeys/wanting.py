"""What a journey's types cannot tell: that its second look proves something, and that what it names lies beside it."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rasd.watch.journeys.language import Journey
from rasd.watch.journeys.steps import Attach, Get, Hear, Keep, Mail, Open, Python, See, Step, Write
from rasd.watch.journeys.values import PHOTOGRAPH

Where = tuple[str | int, ...]
Wanting = tuple[Where, str, str]
"""Where it stands in the file, what is wrong, the mend."""
ELSEWHERE = re.compile(r"(?!https?://)[a-z][a-z0-9+.-]*:", re.IGNORECASE)
"""javascript:, file:, a host without its scheme."""


def wanting(journey: Journey, folder: Path) -> Iterator[Wanting]:
    """``folder``: of the journey's file."""
    for where, steps in _parts(journey):
        if where[-1] == "done" and not any(map(_proves, steps)):
            yield (
                where,
                "'done' proves nothing: no step of it reads what he came for, and an empty page would do",
                "add see: … with words that stand there only if it was done",
            )
        for number, step in enumerate(steps):
            if isinstance(step, Open) and (scheme := ELSEWHERE.match(step.open)):
                yield (
                    (*where, number),
                    f"{scheme[0]!r} is no address that a visit opens",
                    "write a path of the target, which begins with '/', or a whole address: https://…",
                )
            for name in sorted(_files(step)):
                if not (folder / name).is_file():
                    yield (
                        (*where, number),
                        f"{name!r} is not beside the journey",
                        "put it there, or mend the name",
                    )
            if isinstance(step, Python) and not _there(step.python, folder):
                module = step.python.partition(":")[0]
                yield (
                    (*where, number),
                    f"there is no module {module!r}",
                    f"put {module}.py beside the journey",
                )


def _parts(journey: Journey) -> Iterator[tuple[Where, list[Step]]]:
    yield ("steps",), journey.steps
    yield ("done",), journey.done
    for number, other in enumerate(journey.otherwise):
        yield ("otherwise", number, "steps"), other.steps
        yield ("otherwise", number, "done"), other.done
    yield ("clean_up",), journey.clean_up


def _proves(step: Step) -> bool:
    """A page that is there, or words that are not, say nothing of what he came for. What Python looks at is its author's."""
    return isinstance(step, See | Keep | Hear | Mail | Python) or (
        isinstance(step, Get) and step.get.words is not None
    )


def _files(step: Step) -> set[str]:
    named: Any = step.attach.values() if isinstance(step, Attach) else ()
    if isinstance(step, Write):
        named = step.write.attach
    return {each for each in named if each != PHOTOGRAPH and "{" not in each}


def _there(function: str, folder: Path) -> bool:
    """Without running anything of it: of a module within a package only the package is looked for."""
    first = function.partition(":")[0].partition(".")[0]
    return (folder / f"{first}.py").is_file() or (folder / first).is_dir() or _can_be_imported(first)


def _can_be_imported(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
