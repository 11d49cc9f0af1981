"""A real server as a process of the test: started, watched until it is ready, killed, started again."""

from __future__ import annotations

import os
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import httpx

from tests.backends import binary

DEPLOY: Final = Path(__file__).parents[3] / "deploy"
LOOPBACK: Final = "127.0.0.1"
PATIENCE: Final = 60.0
"""Seconds to wait for what should come soon: the machine may be busy."""

_TAIL: Final = 30

T = TypeVar("T")


def wait_for(
    find: Callable[[], T], what: str, patience: float = PATIENCE, until: Callable[[T], object] = bool
) -> T:
    """Return what ``find`` returns as soon as it is as it should be; a server that is away has nothing yet.

    Raises:
        AssertionError: after ``patience`` seconds; it says what was waited for, and what was found last.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            found: T | httpx.HTTPError = find()
        except httpx.HTTPError as error:
            found = error
        if not isinstance(found, httpx.HTTPError) and until(found):
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {patience:g} s, the last was {found!r}")
        time.sleep(0.1)  # between two looks: most of them ask a server


class Server(ABC):
    """One process. Its data, its log and its configuration are in a folder of its own, and outlive a kill.

    As a context manager it runs, and is killed at the end of the block: nobody needs its data any more.
    """

    name: str
    """The binary's name, and the folder's."""

    health: str
    """The URL that answers 200 once the server is ready."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / self.name
        self.folder.mkdir(parents=True)
        self.log = self.folder / "log.txt"
        self._binary = binary(self.name)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command."""

    def environment(self) -> Mapping[str, str]:
        """Return the variables that the configuration reads."""
        return {}

    def start(self) -> None:
        """Start the process and wait until it is ready.

        Raises:
            AssertionError: if it ends or is not ready in time; with the last lines of its log.
        """
        # No proxy of whoever runs the tests stands between servers on one machine.
        kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary, *self.arguments()],
                cwd=self.folder,
                env={**kept, **self.environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_for(self._ready_or_gone, f"{self.name} ready")
            assert self.running, f"{self.name} ended with {self._process.returncode}"
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"{error}\n{self.tail()}") from None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End the process with SIGKILL, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Start it again on the same ports and the same data, after a kill."""
        assert not self.running, f"{self.name} still runs"
        self.start()

    def tail(self) -> str:
        """Return the last lines of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL:]
        return "\n".join([f"The end of {self.name}'s log:", *lines])

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _ready_or_gone(self) -> bool:
        return not self.running or httpx.get(self.health, timeout=5.0).status_code == httpx.codes.OK
