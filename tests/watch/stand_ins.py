"""Who plays where no browser is: what they do is told by the words of the step. For the tests of the playing process, which
finds them by name."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rasd.watch.journeys import Channel, Journey, Step
from rasd.watch.journeys.steps import Press
from rasd.watch.players.base import CannotPlay, Errand
from rasd.watch.players.finding import Exhibit, ExhibitKind, Trouble
from rasd.watch.players.orders import Order
from rasd.watch.players.playing import Players

SLEEPER = "import time; time.sleep(600)"


class StandIn:
    """``press: <word>`` does it; every other step goes well."""

    channel = Channel.WEB

    def __init__(self) -> None:
        self.closed = False

    def play(self, step: Step, errand: Errand) -> dict[str, Any]:
        word = step.press.name if isinstance(step, Press) else ""
        match word.split():
            case ["error"]:  # which stays theirs on a machine that is busy with other tests
                raise CannotPlay(Trouble.ERROR_PAGE, "it answered 500")
            case ["die"]:
                os._exit(7)
            case ["hang"]:
                time.sleep(600)
            case ["print"]:
                print("this is not of the protocol")  # noqa: T201
            case ["litter"]:  # as a browser does: processes in groups of their own, temporary files
                for _ in range(2):
                    subprocess.Popen([sys.executable, "-c", SLEEPER], start_new_session=True)
                Path(tempfile.mkdtemp()).joinpath("profile").write_bytes(b"x" * 100_000)
        return {"clicks": 1, "typed": 0}

    def witness(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        return (errand.box.put(ExhibitKind.WORDS, os.urandom(20), "text/plain"),)

    def close(self, errand: Errand, went_well: bool) -> tuple[Exhibit, ...]:
        self.closed = True
        return ()


class StandIns:
    """A cast of them, for all channels but the telephone."""

    def draws(self, journey: Journey) -> Callable[[], bool] | None:
        return lambda: True

    def players(self, order: Order, errand: Errand) -> Players:
        return {each: StandIn for each in Channel if each is not Channel.VOICE}

    def presented(self, errand: Errand) -> dict[str, Any]:
        return {"browser": "none"}

    def close(self) -> None:
        pass
