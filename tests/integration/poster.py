"""A thread that sends OTLP until its block ends, and knows what was refused."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final

import httpx
from typing_extensions import Self

_HEADERS: Final = {"Content-Type": "application/x-protobuf"}


class Poster(threading.Thread):
    """Starts with its block. Nothing is sent twice: what was refused, or got no answer, is not claimed.

    Attributes:
        refused: requests that were not accepted.
    """

    def __init__(self, otlp: str, timeout: float) -> None:
        super().__init__(daemon=True)
        self.refused = 0
        self._client = httpx.Client(base_url=otlp, headers=_HEADERS, timeout=timeout, trust_env=False)
        self._done = threading.Event()

    def stop(self) -> None:
        """Send no more."""
        self._done.set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.join()

    def _accepted(self, path: str, content: bytes) -> bool:
        try:
            response = self._client.post(path, content=content)
        except httpx.TransportError:
            response = None
        accepted = response is not None and response.status_code == httpx.codes.OK
        self.refused += not accepted
        return accepted
