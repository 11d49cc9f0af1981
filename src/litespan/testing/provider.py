"""A fake model provider on the loopback address that remembers what it served.

Real SDKs talk to it over real HTTP, so tests and examples need no mocks, no key and no network. Start it
as a process of its own with `python -m litespan.testing.provider`.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from litespan.testing.openai_wire import OpenAIWire
from litespan.testing.refusal import refuse
from litespan.testing.reply import Reply, ServedUsage
from litespan.testing.served import Memory, Served, total
from litespan.testing.wire import Request, Wire

if TYPE_CHECKING:
    from typing_extensions import Self

ANY_MODEL = "*"


class Provider:
    """Answers LiteLLM's requests from a script.

    A request takes the next reply that was scripted for its model, else the next one for `"*"`, else what
    `respond` returns, else `default`.

    Attributes:
        default: the reply when nothing else is scripted.
        respond: answers requests by a function, which suits concurrent calls; it returns None to pass. It
            runs in the server's thread and must not block. If it raises, the client gets HTTP 500 and the
            traceback is logged.
        refuse_stream_options: answer requests that hold `stream_options` with HTTP 400 (or 422), as strict
            servers do. Such a refusal takes nothing from the script.
    """

    def __init__(
        self,
        *,
        wires: Sequence[Wire] | None = None,
        port: int = 0,
        remember_payloads: bool = True,
        refuse_stream_options: bool | Literal[400, 422] = False,
    ) -> None:
        """Prepare a provider; nothing listens before `start`.

        Args:
            wires: the APIs to speak; OpenAI's alone if not given.
            port: the port; 0 takes a free one.
            remember_payloads: False keeps no messages, headers or bodies of requests (for benchmarks).
            refuse_stream_options: see the attribute.
        """
        self.wires: Sequence[Wire] = (OpenAIWire(),) if wires is None else wires
        self.refuse_stream_options = refuse_stream_options
        self._port = port
        self._address: str | None = None
        self._lock = threading.Lock()
        self._memory = Memory(remember_payloads)
        self._forget_script()

    def start(self) -> Self:
        """Listen on 127.0.0.1 in a daemon thread. Raises OSError if the port is taken."""
        # Imported here so that replies can be written and imported without a web server.
        from litespan.testing.server import HOST, Server

        self._server = Server(self.wires, self._choose, self._memory)
        self._address = f"http://{HOST}:{self._server.start(self._port)}"
        return self

    def stop(self, timeout: float = 5.0) -> None:
        """Close all connections, also those that hang; returns after at most `timeout` seconds."""
        if self._address is not None:
            self._server.stop(timeout)
            self._address = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def base_url(self) -> str:
        """The base URL of the first wire."""
        return self.url(self.wires[0].name)

    def url(self, wire: str = "openai") -> str:
        """Return what LiteLLM takes as `api_base` for that wire. Raises RuntimeError if not started."""
        if self._address is None:
            raise RuntimeError("the provider is not running: call start() or use it as a context manager")
        paths = {known.name: known.base_path for known in self.wires}
        if wire not in paths:
            raise ValueError(f"no wire {wire!r}; this provider speaks: {', '.join(paths)}")
        return self._address + paths[wire]

    def script(self, model: str, *replies: Reply) -> None:
        """Queue replies for a model, named as in the request on the wire; `"*"` stands for any model."""
        with self._lock:
            self._script[model].extend(replies)

    def reset(self) -> None:
        """Forget the script, the responder and what was served."""
        self._forget_script()
        self._memory.clear()

    @property
    def served(self) -> list[Served]:
        """What was served so far, in order of arrival."""
        return self._memory.calls()

    def calls_served(self, model: str | None = None) -> int:
        """Count the requests so far, all or those for one model; every attempt of a retried call counts."""
        return len(self._memory.calls(model))

    def delivered(self, model: str | None = None) -> ServedUsage:
        """Add up the usage that was written to clients; of a cut stream, what it had said until then."""
        return total([served.usage_delivered for served in self._memory.calls(model)])

    def billed(self, model: str | None = None) -> ServedUsage:
        """Add up what the provider bills, delivered or not."""
        return total([served.billed for served in self._memory.calls(model)])

    def wait_for_calls(self, count: int, timeout: float = 5.0) -> bool:
        """Wait until that many requests have arrived; False after `timeout` seconds.

        It blocks: in a coroutine use `await asyncio.to_thread(provider.wait_for_calls, count)`.
        """
        return self._memory.wait_for_calls(count, timeout)

    def wait_until_idle(self, timeout: float = 5.0) -> bool:
        """Wait until no request is under way; False after `timeout` seconds. It blocks, too."""
        return self._memory.wait_until_idle(timeout)

    def _forget_script(self) -> None:
        with self._lock:
            self._script: defaultdict[str, deque[Reply]] = defaultdict(deque)
        self.default: Reply = Reply.says("Hello from the fake provider.")
        self.respond: Callable[[Request], Reply | None] | None = None

    def _choose(self, request: Request) -> Reply:
        if self.refuse_stream_options and "stream_options" in request.json:
            return refuse("stream_options", 422 if self.refuse_stream_options == 422 else 400)
        scripted = self._next_scripted(request.model)
        if scripted is None and self.respond is not None:
            scripted = self.respond(request)
        return scripted or self.default

    def _next_scripted(self, model: str) -> Reply | None:
        with self._lock:
            for name in (model, ANY_MODEL):
                if self._script[name]:
                    return self._script[name].popleft()
        return None


if __name__ == "__main__":
    from litespan.testing.standalone import main

    main()
