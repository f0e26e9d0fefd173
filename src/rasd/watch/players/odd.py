"""The odd step: ``python: module:function``, of a file beside the journey's or of anything that can be imported."""

import importlib
import importlib.util
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from rasd.watch.journeys.steps import Python
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.finding import Trouble


def call(step: Python, errand: Errand, folder: Path, **given: Any) -> dict[str, Any]:
    """Calls the function with ``errand``, with what the step says after ``with``, and with those of ``given`` (``page``) that it
    asks for by name. A mapping that it gives back is kept, as ``keep`` does.

    Raises CannotPlay: whatever the function itself raises as such, and JOURNEY for any other exception of it.
    """
    function = _function(step.python, folder)
    try:
        arguments = {
            name: errand.text(value) if isinstance(value, str) else value
            for name, value in step.with_.items()
        }
        wanted = inspect.signature(function).parameters
        arguments |= {name: value for name, value in given.items() if name in wanted}
        kept = function(errand, **arguments)
        errand.kept.update({str(name): str(value) for name, value in dict(kept or {}).items()})
    except CannotPlay:
        raise
    except Exception as error:
        traced = reversed(traceback.extract_tb(error.__traceback__))
        line = next((f" (line {each.lineno})" for each in traced if _is_in(each, step)), "")
        raise CannotPlay(Trouble.JOURNEY, f"{step.python}: {type(error).__name__}: {error}{line}") from error
    return {}


def _is_in(frame: traceback.FrameSummary, step: Python) -> bool:
    return Path(frame.filename).stem == step.python.partition(":")[0].rpartition(".")[2]


def _function(written: str, folder: Path) -> Callable[..., Any]:
    name, _, attribute = written.partition(":")
    try:
        function = getattr(_module(name, folder), attribute)
    except Exception as error:
        raise CannotPlay(Trouble.JOURNEY, f"{written}: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise CannotPlay(Trouble.JOURNEY, f"{written} is not a function")
    return function


def _module(name: str, folder: Path) -> ModuleType:
    """Beside the journey first, read anew each time: a playing process is kept, and the file may have been changed."""
    path = folder.joinpath(*name.split(".")).with_suffix(".py")
    if not path.is_file():
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(f"rasd_watch_journey_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
