"""`python -m tests.soak.run`: what only shows after thousands of runs; short unless told otherwise."""

from __future__ import annotations

import os
import sys

from tests.isolation import clean_environment

clean_environment(os.environ)  # before LiteLLM is imported, which reads its variables then

import click  # noqa: E402

from tests.soak import cancels as cancelling  # noqa: E402
from tests.soak import soaking  # noqa: E402


@click.group(invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Play thousands of runs that go wrong, and fail if anything of them is lost or left."""
    if context.invoked_subcommand is None:
        context.invoke(cancels)
        context.invoke(soak)


@main.command()
@click.option("--runs", default=1000, show_default=True, help="Runs that are cancelled.")
@click.option("--streams", default=1000, show_default=True, help="Streams that are abandoned.")
@click.option("--seed", default=7, show_default=True, help="Draws the same jobs again.")
def cancels(runs: int, streams: int, seed: int) -> None:
    """Cancel runs and leave streams at random points, over threads and loops."""
    click.echo(f"seed {seed}")
    watched, control = cancelling.play(seed, runs, streams)
    for line in cancelling.report(watched, control):
        click.echo(line)
    _judge(list(cancelling.problems(watched, control)))


@main.command()
@click.option("--seconds", default=60.0, show_default=True, help="How long the program works.")
@click.option("--seed", default=7, show_default=True, help="Draws the same choices again.")
def soak(seconds: float, seed: int) -> None:
    """Work at full speed while receiver and provider fail, runs are cancelled and the program forks."""
    click.echo(f"seed {seed}")
    soaked = soaking.soak(seconds, seed)
    for line in soaking.report(soaked):
        click.echo(line)
    _judge(list(soaking.problems(soaked)))


def _judge(problems: list[str]) -> None:
    for problem in problems:
        click.echo(f"wrong: {problem}", err=True)
    if problems:
        sys.exit(1)


if __name__ == "__main__":
    main()
