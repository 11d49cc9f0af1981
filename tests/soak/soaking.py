"""Let a program work while everything around it fails at random, and hold all books against each other."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

from litespan.testing import Provider, Reply, Request
from tests.fakes.otlp_server import Received, collector

GROWTH: Final = 20e6  # bytes from a third of the time to its end
_UP: Final = (1.0, 8.0)  # seconds between two kills of the receiver
_AWAY: Final = (0.2, 5.0)  # seconds until it is back


@dataclass
class Soaked:
    """All books.

    Attributes:
        spans: how often each span arrived, by its id.
        metrics: the newest sum of each counter, by process and name.
        words: the last words of the program and of its forks.
        seconds: the program's words of every second.
        input_tokens: that the provider has delivered.
        kills: of the receiver.
    """

    spans: Counter[bytes] = field(default_factory=Counter)
    metrics: dict[tuple[str, str], float] = field(default_factory=dict)
    words: list[dict[str, Any]] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)
    input_tokens: int = 0
    kills: int = 0

    def total(self, name: str) -> float:
        """Return a counter's sum over all processes."""
        return sum(value for (_, metric), value in self.metrics.items() if metric == name)

    def begun(self, what: str) -> int:
        """Return how many calls, runs, … the program and its forks have begun."""
        return sum(words["begun"].get(what, 0) for words in self.words)

    def traces(self, what: str) -> int:
        """Return a figure of the export of spans, over all processes."""
        return sum(words["stats"]["export"]["traces"][what] for words in self.words)


def soak(seconds: float, seed: int) -> Soaked:
    """Let the program work for so long; the receiver dies and comes back at random meanwhile."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # clients that leave are the point here
    soaked, random = Soaked(), Random(seed)  # noqa: S311 - a seed that repeats the choices is the point
    received = Received("ok")
    with (
        Provider(remember_payloads=False) as provider,
        ExitStack() as up,
        tempfile.TemporaryDirectory() as spool,
    ):
        provider.respond = lambda request: _answer(request, random)
        up.enter_context(collector(received=received))
        process = _start(provider.base_url, received.endpoint, spool, seconds, seed)
        listener = threading.Thread(target=_listen, args=(process, soaked), daemon=True)
        listener.start()
        due = time.monotonic() + random.uniform(*_UP)
        while process.poll() is None:
            time.sleep(0.1)  # the pace of collecting, while the program works
            _collect(received, soaked)
            if time.monotonic() > due:
                up.close()
                soaked.kills += 1
                time.sleep(random.uniform(*_AWAY))  # this long the receiver is dead
                up.enter_context(collector(port=urlsplit(received.endpoint).port or 0, received=received))
                due = time.monotonic() + random.uniform(*_UP)
        listener.join()
        _send_the_rest(received.endpoint, spool)
        soaked.input_tokens = provider.delivered().input_tokens
    _collect(received, soaked)
    return soaked


def _answer(request: Request, random: Random) -> Reply:
    """Answer, hang or fail as the question says; who stumbles is up again at the next attempt, or not."""
    asked = request.messages[-1]["content"]
    if asked == "hang":
        return Reply.hangs()
    if asked == "fail":
        return Reply.fails(400)
    if asked == "stumble" and random.random() < 0.5:
        return Reply.fails(random.choice((429, 500, 503)), retry_after=0.001)
    return Reply.says("4")


def _start(base_url: str, endpoint: str, spool: str, seconds: float, seed: int) -> subprocess.Popen[str]:
    # Hosts' coroutines that are cancelled before their first step are warned of, with litespan or without.
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-m", "tests.soak.faulty_program"]
    return subprocess.Popen(
        [*command, base_url, str(seconds), str(seed)],
        env=_variables(endpoint, spool),
        stdout=subprocess.PIPE,
        text=True,
    )


def _variables(endpoint: str, spool: str) -> dict[str, str]:
    named = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_SERVICE_NAME": "soak",
        "LITESPAN_SPOOL_DIR": spool,
    }
    return {**os.environ, **named}


def _send_the_rest(endpoint: str, spool: str) -> None:
    """Send what forks have left in the spool while the receiver was away."""
    if files := [str(path) for path in Path(spool).glob("*/*.spool")]:
        command = [sys.executable, "-c", "from litespan.cli import main; main(prog_name='litespan')", "send"]
        subprocess.run([*command, *files, "--otlp", endpoint], check=True, timeout=60)


def _listen(process: subprocess.Popen[str], soaked: Soaked) -> None:
    for line in process.stdout or ():
        words = json.loads(line)
        (soaked.seconds if "seconds" in words else soaked.words).append(words)


def _collect(received: Received, soaked: Soaked) -> None:
    """Keep ids and newest sums, and forget the requests: half an hour's are many."""
    while received.trace_requests:
        for resource in received.trace_requests.pop(0).resource_spans:
            soaked.spans.update(span.span_id for scope in resource.scope_spans for span in scope.spans)
    while received.metric_requests:
        for metrics in received.metric_requests.pop(0).resource_metrics:
            _keep_sums(metrics, soaked)
    received.headers.clear()


def _keep_sums(resource: Any, soaked: Soaked) -> None:
    names = {item.key: item.value.string_value for item in resource.resource.attributes}
    instance = names["service.instance.id"]
    for scope in resource.scope_metrics:
        for metric in scope.metrics:
            points = metric.sum.data_points
            soaked.metrics[instance, metric.name] = sum(point.as_int or point.as_double for point in points)


def problems(soaked: Soaked) -> Iterator[str]:
    """Yield everything that is not as it must be."""
    lost = soaked.traces("handed_over") - len(soaked.spans)
    dropped = [words["stats"]["export"] for words in soaked.words if _dropped(words)]
    if lost or dropped:
        yield f"{lost:,} spans lost; dropped: {dropped}"
    calls, counted = soaked.begun("calls"), soaked.total("litespan.calls")
    if calls != counted:
        yield f"{calls:,} calls begun, {counted:,} counted"
    tokens = soaked.total("gen_ai.client.inference.usage.input_tokens")
    if tokens != soaked.input_tokens:
        yield f"{soaked.input_tokens:,} input tokens served, {tokens:,} counted"
    if soaked.begun("forks") + 1 != len(soaked.words) or soaked.begun("forks that broke"):
        yield f"{soaked.begun('forks')} forks, {len(soaked.words) - 1} told their figures"
    for words in soaked.words:
        stats = words["stats"]
        if stats["records_open"] or stats["internal_errors"]:
            yield f"a process ended with {words}"
    if growth(soaked) > GROWTH:
        yield f"memory grew by {growth(soaked):,} bytes"


def _dropped(words: dict[str, Any]) -> bool:
    return any(signal["dropped"] for signal in words["stats"]["export"].values())


def growth(soaked: Soaked) -> int:
    """Return the bytes of memory between a third of the time and its end."""
    return int(soaked.seconds[-1]["memory"] - soaked.seconds[len(soaked.seconds) // 3]["memory"])


def report(soaked: Soaked) -> Iterator[str]:
    """Yield the figures as text."""
    last, memory = soaked.seconds[-1], soaked.seconds[-1]["memory"] / 1e6
    yield (
        f"{soaked.begun('runs'):,} runs, {last['runs'] / last['seconds']:.0f} a second: "
        f"{soaked.begun('hang'):,} cancelled, {soaked.begun('failed'):,} failed; "
        f"{soaked.begun('forks')} forks; the receiver was killed {soaked.kills} times"
    )
    twice = soaked.spans.total() - len(soaked.spans)
    yield f"spans: {soaked.traces('handed_over'):,} handed over, {len(soaked.spans):,} arrived, {twice} twice"
    yield f"calls: {soaked.begun('calls'):,} begun, {soaked.total('litespan.calls'):,} counted"
    counted = soaked.total("gen_ai.client.inference.usage.input_tokens")
    yield f"input tokens: {soaked.input_tokens:,} served, {counted:,} counted"
    cpu = last["cpu"] / last["runs"] * 1e3
    yield f"memory: {memory:,.0f} MB, grew by {growth(soaked) / 1e6:,.1f} MB; CPU {cpu:.1f} ms a run"
