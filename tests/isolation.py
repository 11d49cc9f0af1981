"""What keeps tests apart from each other, from the network and from the settings of whoever runs them."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import pytest

_PREFIXES: Final = (
    "ANTHROPIC_", "AWS_", "AZURE_", "GEMINI_", "GOOGLE_", "LITELLM_", "LITESPAN_", "OPENAI_", "OTEL_",
)  # fmt: skip
_SUFFIXES: Final = ("_API_KEY", "_API_BASE", "_PROXY")
_OF_THE_TESTS: Final = "LITESPAN_BACKENDS"  # where their servers are; litespan itself does not read it


class NetworkBlockedError(OSError):
    """A test tried to reach something that is not on this machine."""


def clean_environment(environ: MutableMapping[str, str]) -> None:
    """Remove what steers the hosts, OpenTelemetry or litespan; make LiteLLM use its packaged prices."""
    for name in list(environ):
        steers = name.upper().startswith(_PREFIXES) or name.upper().endswith(_SUFFIXES)
        if steers and name != _OF_THE_TESTS:
            del environ[name]
    environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"


def heed_interrupts() -> None:
    """Let Ctrl-C end this process again, and those that it starts, where it was ignored from the beginning.

    A shell has what it runs in the background ignore it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def drop_waiting_callbacks() -> None:
    """Drop what LiteLLM has not told its callbacks: from 1.110 on, the next event loop goes on with it."""
    module = sys.modules.get("litellm.litellm_core_utils.logging_worker")
    worker = module and module.GLOBAL_LOGGING_WORKER
    while worker and worker._queue and not worker._queue.empty():
        worker._queue.get_nowait()["coroutine"].close()
    getattr(worker, "_dequeued_tasks", {}).clear()


def refuse_foreign_hosts(patch: pytest.MonkeyPatch) -> None:
    """Make connections and name look-ups raise :class:`NetworkBlockedError`, loopback excepted.

    What does not go through Python's socket module (gRPC) is not seen.
    """
    for name in ("connect", "connect_ex"):
        patch.setattr(socket.socket, name, _checked_connect(getattr(socket.socket, name)))
    patch.setattr(socket, "getaddrinfo", _checked_lookup(socket.getaddrinfo))


def _checked_connect(connect: Callable[..., Any]) -> Callable[..., Any]:
    def checked(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_unless_local(address[0])
        return connect(self, address)

    return checked


def _checked_lookup(lookup: Callable[..., Any]) -> Callable[..., Any]:
    def checked(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_unless_local(host)
        return lookup(host, *args, **kwargs)

    return checked


def _refuse_unless_local(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return
    try:
        local = ipaddress.ip_address(name).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NetworkBlockedError(f"Tests have no network: {name!r} is not on this machine.")
