"""Time of the processors that the web process and the database take: what a page costs, whatever else the machine is doing."""

from contextlib import suppress

import psutil

from rasd.config.options import options


class Meter:
    """Of ``rasd serve`` and the embedded server; the kernel counts in hundredths of a second, so many calls must be summed up."""

    def __init__(self, serve: psutil.Process) -> None:
        self._web = [each for each in serve.children(recursive=True) if "web" in each.cmdline()]
        pid = options.embedded.postmaster_pid() if options.embedded else None
        self._database = psutil.Process(pid) if pid else None

    def milliseconds(self) -> float:
        """Since those processes began. What has ended meanwhile is missing: connections are kept, so hardly any does."""
        database = self._database.children() if self._database else []
        total = 0.0
        for process in (*self._web, *database):
            with suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return 1000 * total
