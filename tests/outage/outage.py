"""Play an outage: a program at work, a receiver that dies and comes back, and what each has counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from litespan.testing import Provider
from tests.fakes.otlp_server import Received, collector
from tests.waiting import wait_until

PROGRAM = Path(__file__).with_name("program.py")
SERVICE = "outage"
_START = 60.0  # seconds that the program may take to begin


@dataclass
class Played:
    """What an outage has shown.

    Attributes:
        runs: that the program made.
        spans: how often each span arrived, by its id.
        calls: the sum of the counter of model calls.
        tokens: the sum of the counter of input tokens.
        provider_tokens: what the provider has served.
        final: the program's last words: whether flush said True, and litespan's stats.
        seconds: its words of every second.
        outage: begin and end of the outage, in seconds of the program.
    """

    runs: int = 0
    spans: Counter[bytes] = field(default_factory=Counter)
    calls: float = 0
    tokens: float = 0
    provider_tokens: int = 0
    final: dict[str, Any] = field(default_factory=dict)
    seconds: list[dict[str, float]] = field(default_factory=list)
    outage: tuple[float, float] = (0, 0)


def play(spool: Path | None, seconds: float, begin: float, end: float, rate: float) -> Played:
    """Run the program for some seconds, with a dead receiver between ``begin`` and ``end``."""
    played = Played(outage=(begin, end))
    received = Received("ok")
    with Provider(remember_payloads=False) as provider, ExitStack() as up:
        up.enter_context(collector(received=received))
        port = urlsplit(received.endpoint).port or 0
        with program(provider.base_url, received.endpoint, spool, seconds, rate) as process:
            follow(
                process,
                played,
                received,
                go=up.close,
                come=lambda: up.enter_context(collector(port=port, received=received)),
            )
        played.provider_tokens = provider.delivered().input_tokens
    collect(received, played)
    played.runs = played.final["runs"]
    played.calls = received.sum_of("litespan.calls")
    played.tokens = received.sum_of("gen_ai.client.inference.usage.input_tokens")
    return played


def follow(
    process: subprocess.Popen[str],
    played: Played,
    received: Received,
    *,
    go: Callable[[], object],
    come: Callable[[], object],
) -> None:
    """Follow the program to its end; at the begin of the outage the receiver is told to go, then to come."""
    listener = listen(process, played)
    begin, end = played.outage
    reach(played, begin, process)
    go()
    reach(played, end, process)
    come()
    while process.poll() is None:
        collect(received, played)
        time.sleep(0.2)  # the pace at which what has arrived is made small, while the program works
    listener.join()


@contextmanager
def program(
    base_url: str, endpoint: str, spool: Path | None, seconds: float, rate: float
) -> Iterator[subprocess.Popen[str]]:
    """Start the program with a spool, or without one; it is killed at the end of the block."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_SERVICE_NAME": SERVICE,
        "LITESPAN_SPOOL_DIR": str(spool or ""),
    }
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), base_url, str(seconds), str(rate)],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def listen(process: subprocess.Popen[str], played: Played) -> threading.Thread:
    """Write down what the program says, in a thread that ends with it."""

    def read() -> None:
        for line in process.stdout or ():
            words = json.loads(line)
            if words.get("done"):
                played.final = words
            else:
                played.seconds.append(words)

    listener = threading.Thread(target=read, daemon=True)
    listener.start()
    return listener


def reach(played: Played, second: float, process: subprocess.Popen[str]) -> None:
    """Wait until the program has worked for so long."""

    def reached() -> bool:
        return bool(played.seconds) and played.seconds[-1]["seconds"] >= second

    wait_until(lambda: reached() or process.poll() is not None, _START + second * 2)
    assert reached(), "The program has ended."


def collect(received: Received, played: Played) -> None:
    """Keep the ids of what arrived, and of the metrics the newest request: an hour's requests are many."""
    while received.trace_requests:
        request = received.trace_requests.pop(0)
        played.spans.update(
            span.span_id for r in request.resource_spans for scope in r.scope_spans for span in scope.spans
        )
    del received.metric_requests[:-1]
    received.headers.clear()
