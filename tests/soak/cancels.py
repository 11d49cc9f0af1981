"""Cancel runs and leave streams at random points, with litespan and without, and see what stays behind."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from litespan.testing import Provider
from tests.soak.job import answer

WARM: Final = 3
"""Rounds until the hosts' caches are full, as far as they get."""

GROWTH: Final = 20e6
"""Bytes that the process may grow by beyond the one without litespan: two runs of one program differ."""

OWN: Final = 2e6
"""Bytes that litespan's own bounded tables may take while they fill."""

_OURS: Final = ("litespan", "opentelemetry")


@dataclass
class Played:
    """What one program has told: its rounds, and its last words."""

    rounds: list[dict[str, Any]] = field(default_factory=list)
    final: dict[str, Any] = field(default_factory=dict)

    @property
    def grown(self) -> int:
        """Bytes of memory between the warm program and its end."""
        return int(self.rounds[-1]["memory"] - self.rounds[WARM]["memory"])

    @property
    def traced(self) -> int:
        """Bytes that `tracemalloc` has seen allocated, and not freed, since the round in which it began."""
        return int(self.rounds[-1]["traced"])


def play(seed: int, runs: int, streams: int) -> tuple[Played, Played]:
    """Play the same jobs with litespan and without it, side by side; each has a provider of its own."""
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # clients that leave are the point here
    with Provider(remember_payloads=False) as first, Provider(remember_payloads=False) as second:
        first.respond = second.respond = answer
        arguments = [str(seed), str(runs), str(streams)]
        with (
            _program(first.base_url, *arguments, "litespan") as watched,
            _program(second.base_url, *arguments, "nothing") as control,
        ):
            return _hear("litespan", watched), _hear("control", control)


def _program(*arguments: str) -> subprocess.Popen[str]:
    # Hosts' coroutines that are cancelled before their first step are warned of, with litespan or without.
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-m", "tests.soak.program", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _hear(name: str, process: subprocess.Popen[str]) -> Played:
    played = Played()
    for line in process.stdout or ():
        words = json.loads(line)
        if words.pop("done", False):
            played.final = words
        else:
            played.rounds.append(words)
            sys.stderr.write(f"{name}: {words}\n")
    if process.wait() or not played.final:
        raise RuntimeError(f"The program ended with {process.returncode}.")
    return played


def problems(watched: Played, control: Played) -> Iterator[str]:
    """Yield everything that is not as it must be."""
    for name, played in (("litespan", watched), ("control", control)):
        if played.final["faults"]:
            yield f"{name}: the program failed: {played.final['faults']}"
    yield from _left(watched)
    yield from _miscounted(watched)
    if watched.grown > control.grown + GROWTH:
        yield f"memory grew by {watched.grown:,} bytes, without litespan by {control.grown:,}"
    if watched.final["own"] > OWN:
        yield f"{watched.final['own']:,} bytes that litespan's own code has allocated are left"


def _left(watched: Played) -> Iterator[str]:
    for state in watched.rounds:
        if state["open"] or state["unfinished"]:
            yield f"round {state['number']}: {state['open']} open records, {state['unfinished']} open spans"
    lines = [line for line in watched.final["lines"] if line.startswith(_OURS)]
    if lines:
        yield f"log lines of litespan or OpenTelemetry, as of a failed detach: {lines}"


def _miscounted(watched: Played) -> Iterator[str]:
    figures, metrics = watched.final["figures"], watched.final["figures"]["metrics"]
    begun, chats = watched.final["begun"]["calls"], _spans(watched, "chat")
    if not begun == metrics["litespan.calls"] == chats:
        yield f"{begun} calls begun, {metrics['litespan.calls']} counted, {chats} spans"
    runs = _spans(watched, "invoke_workflow")
    if metrics["litespan.runs"] != runs:
        yield f"{metrics['litespan.runs']} runs counted, {runs} spans"
    if metrics["litespan.calls.active"] or figures["errors"]:
        yield f"{metrics['litespan.calls.active']} calls active, faults of litespan: {figures['errors']}"


def _spans(played: Played, operation: str) -> int:
    ended = played.final["figures"]["ended"]
    return sum(count for name, count in ended.items() if name.split()[0] == operation)


def report(watched: Played, control: Played) -> Iterator[str]:
    """Yield the figures as text."""
    begun, figures = watched.final["begun"], watched.final["figures"]
    streams = begun["stream"] + begun["blocking"]
    yield f"{begun['run']:,} runs cancelled, {streams:,} streams left, {begun['calls']:,} calls begun"
    yield f"spans: {', '.join(f'{name} {count:,}' for name, count in sorted(figures['ended'].items()))}"
    yield f"calls counted: {figures['metrics']['litespan.calls']:,}"
    for name, played in (("with litespan", watched), ("without", control)):
        yield (
            f"{name:>13}: {played.rounds[WARM]['memory'] / 1e6:,.0f} MB after round {WARM + 1}, grew by "
            f"{played.grown / 1e6:,.1f} MB; traced in the last rounds {played.traced / 1e6:,.2f} MB"
        )
    yield f"of which allocated by litespan's own code: {watched.final['own'] / 1e6:,.2f} MB"
    yield f"log lines: {watched.final['lines']}; without litespan: {control.final['lines']}"
