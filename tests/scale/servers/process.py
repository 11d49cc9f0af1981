"""A server that can be asked to end as well, and whose use of the machine is measured."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import psutil

from tests.integration.servers.server import Server

_GRACE = 150.0  # seconds: what is left in queues and memory is written first


class Process(Server):
    """A real server of the chain. ``folder`` is its own, also if several have the same binary."""

    def end(self, number: signal.Signals) -> None:
        """Send SIGKILL or SIGTERM and wait until the process is gone.

        Raises:
            AssertionError: if it does not go.
        """
        assert self._process is not None
        self._process.send_signal(number)
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} is still there {_GRACE:g} s after {number.name}") from None

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used so far, in seconds."""
        used = self._measured().cpu_times()
        return float(used.user + used.system)

    def memory(self) -> int:
        """Return the memory that the process holds now, in bytes."""
        return int(self._measured().memory_info().rss)

    def _measured(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)


def stored_bytes(folder: Path) -> int:
    """Return what a folder takes on the disk; of files that were made large at once, what is written."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
