"""Time of the processors: what a page, a message, an agent costs, whatever else the machine is doing."""

import os
from collections.abc import Iterator
from contextlib import suppress

import psutil

from rasd.config.options import options


class Meter:
    """Of ``rasd serve`` and the embedded server; the kernel counts in hundredths of a second, so many calls must be summed up."""

    def __init__(self, serve: psutil.Process) -> None:
        self._serve = serve
        pid = options.embedded.postmaster_pid() if options.embedded else None
        self._database = psutil.Process(pid) if pid else None

    def milliseconds(self) -> float:
        """Of web process and database, since they began. What has ended meanwhile is missing: connections are kept, so hardly any
        does."""
        spent = self.by_process()
        return spent["web"] + spent["database"]

    def by_process(self) -> dict[str, float]:
        """Milliseconds since they began; ``bench``: the agents, whoever sends the messages, and who takes the answers."""
        spent = dict.fromkeys(("web", "worker", "database", "bench", "browsers"), 0.0)
        for name, process in self._processes():
            with suppress(psutil.Error):
                times = process.cpu_times()
                spent[name] += 1000 * (times.user + times.system)
        return spent

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        ours = self._serve.children(recursive=True)
        for each in ours:
            with suppress(psutil.Error):
                yield "web" if "web" in each.cmdline() else "worker", each
        database = [self._database, *self._database.children()] if self._database else []
        yield from (("database", each) for each in database)
        yield "bench", psutil.Process(os.getpid())
        known = {each.pid for each in (self._serve, *ours, *database)}
        for each in psutil.Process(os.getpid()).children(recursive=True):
            if each.pid not in known:
                yield "browsers", each
