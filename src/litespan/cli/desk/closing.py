"""The last lines of the demo: do the figures agree, where is the data, and what to do next."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator

from rich.text import Text

from litespan.cli.desk.comparison import Comparison, Tally
from litespan.cli.desk.session import Observation

_GOOD = "green"
_BAD = "bold red"


def lines(seen: Observation) -> Iterator[Text]:
    """Yield the lines."""
    if seen.comparison is not None:
        yield from _agreement(seen.comparison)
    yield from _destinations(seen)
    yield Text()
    yield from _next_steps(seen)


def _agreement(comparison: Comparison) -> Iterator[Text]:
    yield from _in_words("The provider served", comparison.served)
    if comparison.same:
        yield Text("litespan recorded the same.", style=_GOOD)
    else:
        yield Text("These figures should be equal, and are not:", style=_BAD)
        yield from _in_words("litespan recorded", comparison.recorded)


def _in_words(who: str, tally: Tally) -> Iterator[Text]:
    requests = "an unknown number of" if tally.requests is None else f"{tally.requests:,}"
    yield Text(f"{who} {requests} requests, {tally.answered:,} of them with an answer:")
    yield Text(
        f"  {tally.input_tokens:,} tokens in ({tally.cached_tokens:,} cached), "
        f"{tally.output_tokens:,} out ({tally.reasoning_tokens:,} reasoning)"
    )


def _destinations(seen: Observation) -> Iterator[Text]:
    spans, points = (seen.export[signal]["exported"] for signal in ("traces", "metrics"))
    yield Text(f"{spans:,} spans and {points:,} metric points were delivered to")
    for path in seen.plan.files.values():
        yield Text(f"  {_as_seen_from_here(path)}")
    if seen.plan.receiver is not None:
        yield Text(f"  {seen.plan.receiver} (OTLP)")
    if seen.delivered:
        yield Text("Everything was delivered.", style=_GOOD)
    else:
        yield Text("Not everything was delivered; the log lines above say why.", style=_BAD)


def _as_seen_from_here(path: str) -> str:
    return path if os.path.isabs(path) else os.path.join(os.curdir, os.path.normpath(path))


def _next_steps(seen: Observation) -> Iterator[Text]:
    yield Text("Next", style="bold cyan")
    yield _step("in your code", "import litespan; litespan.configure()")
    yield _step("to a receiver", f"{_command()} demo --otlp http://localhost:4318")
    yield _step("with your key", f"{_command()} demo --model openai/gpt-4.1-mini --runs 3")


def _command() -> str:
    """Return how the shell finds this command: `make demo` puts no environment on its path."""
    return "litespan" if shutil.which("litespan") else _as_seen_from_here(sys.argv[0])


def _step(where: str, what: str) -> Text:
    return Text.assemble(f"  {where:<15}", (what, "bold"))
