"""The console of a program that litespan prints in."""

from __future__ import annotations

import errno
import os

from rich.console import Console


class HostConsole(Console):
    """What cannot be printed, as the reader has gone, is lost; rich itself would end the program."""

    def on_broken_pipe(self) -> None:
        """Raise, so that the export fails and is counted.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
