"""`python -m tests.outage.run`: an outage of minutes under load; fails if anything was lost."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.isolation import clean_environment

clean_environment(os.environ)  # before LiteLLM is imported, which reads its variables then

import click  # noqa: E402
import pytest  # noqa: E402

from tests.outage.behind_collector import play_behind_collector  # noqa: E402
from tests.outage.outage import Played, play  # noqa: E402


@click.command()
@click.option("--outage", default=600.0, show_default=True, help="Seconds that the receiver is away.")
@click.option("--around", default=60.0, show_default=True, help="Seconds before it, and after it.")
@click.option("--rate", default=50.0, show_default=True, help="Runs of one call a second.")
@click.option(
    "--collector", is_flag=True, help="Kill a real Collector, with Prometheus behind it (`make backends`)."
)
def run(outage: float, around: float, rate: float, *, collector: bool) -> None:
    """Let a receiver be away while a program works, and count what arrives afterwards."""
    times = (around * 2 + outage, around, around + outage, rate)
    with tempfile.TemporaryDirectory() as folder:
        try:
            played = (play_behind_collector if collector else play)(Path(folder), *times)
        except pytest.skip.Exception as missing:
            raise click.ClickException(str(missing)) from None
    report(played)
    sys.exit(not is_whole(played, may_repeat=collector))


def is_whole(played: Played, *, may_repeat: bool = False) -> bool:
    """Say whether every span arrived once and the metrics have every call and token.

    ``may_repeat``: a Collector that was killed may send again what has arrived already.
    """
    traces = played.final["stats"]["export"]["traces"]
    return (
        played.final["flushed"]
        and traces["handed_over"] == len(played.spans)
        and (may_repeat or played.spans.total() == len(played.spans))
        and traces["dropped"] == {}
        and played.runs == played.calls
        and played.tokens == played.provider_tokens
    )


def report(played: Played) -> None:
    """Print what was counted on both sides, and what the outage cost."""
    traces = played.final["stats"]["export"]["traces"]
    lost = traces["handed_over"] - len(played.spans)
    twice = played.spans.total() - len(played.spans)
    click.echo(f"runs {played.runs:,}, calls in the metrics {played.calls:,.0f}")
    click.echo(
        f"spans {traces['handed_over']:,}, lost {lost:,}, twice {twice:,}, dropped {traces['dropped']}"
    )
    click.echo(f"input tokens served {played.provider_tokens:,}, in the metrics {played.tokens:,.0f}")
    before, during, after = phases(played)
    for name, (cpu, memory) in zip(("before", "during", "after"), (before, during, after), strict=True):
        click.echo(f"{name:>6}: {cpu * 1e3:6.2f} ms of CPU a run, at most {memory / 1e6:,.0f} MB of memory")
    if before[0]:
        click.echo(f"CPU a run during the outage: {during[0] / before[0]:.2f} times that before it")


def phases(played: Played) -> list[tuple[float, float]]:
    """Return CPU seconds a run and the most bytes of memory: before, during and after the outage."""
    begin, end = played.outage
    bounds = [(2.0, begin), (begin, end), (end, float("inf"))]
    return [_phase(played, low, high) for low, high in bounds]


def _phase(played: Played, low: float, high: float) -> tuple[float, float]:
    within = [words for words in played.seconds if low <= words["seconds"] < high]
    if len(within) < 2:
        return 0.0, 0.0
    runs = within[-1]["runs"] - within[0]["runs"]
    cpu = (within[-1]["cpu"] - within[0]["cpu"]) / max(runs, 1)
    return cpu, max(words["memory"] for words in within)


if __name__ == "__main__":
    run()
