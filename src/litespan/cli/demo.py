"""`litespan demo`: a support desk of agents at work, and what litespan saw of it."""

from __future__ import annotations

import os

import click

from litespan.cli.failing import fail
from litespan.cli.receiver import not_empty
from litespan.setting_checks import ConfigurationError

_RUNS = 12
_NOT_AS_IT_SHOULD_BE = 1
_WRONG_USE = 2


@click.command(short_help="Run agents on a fake provider, or on a real model.")
@click.option(
    "--model",
    metavar="NAME",
    help="Ask a real model, with your key, in place of the fake provider. "
    "Example: --model openai/gpt-4.1-mini (needs OPENAI_API_KEY).",
)
@click.option(
    "--otlp",
    metavar="ENDPOINT",
    callback=not_empty,
    help="Send spans and metrics to this OTLP receiver (http/protobuf, base URL) in place of the files. "
    "Example: --otlp http://localhost:4318",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the figures as JSON. Example: --json | jq .models"
)
@click.option(
    "--runs",
    type=click.IntRange(1, _RUNS),
    default=_RUNS,
    metavar="N",
    help=f"Stop after the first N of {_RUNS} runs; a real model is not asked to fail in two of them. "
    "Example: --runs 3",
)
@click.option(
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Folder for the files, made if it is missing; with --otlp, files are written as well. "
    "Default: the working directory. Example: --output /tmp/demo",
)
def demo(model: str | None, otlp: str | None, runs: int, output: str | None, *, as_json: bool) -> None:
    """Run a support desk of agents and show its trace, tokens, cost and latency.

    Without --model no key and no network is needed: a fake provider answers on this machine, and the
    figures are compared with what it served.

    Exit codes: 0 all is well; 1 something was not delivered, no run was answered, or the figures differ;
    2 wrong use.

    Example: litespan demo --runs 3 --otlp http://localhost:4318
    """
    # Imported here: they load OpenTelemetry's SDK and rich, which `--help` and `--version` do without.
    from rich.console import Console

    from litespan.cli.desk.plan import Plan
    from litespan.cli.desk.report import Report
    from litespan.cli.desk.session import observe
    from litespan.cli.progress import progress
    from litespan.cli.real_model import ModelError

    try:
        with progress() as say:
            report = Report(observe(Plan(model, otlp, runs, _folder(output, wanted=otlp is None)), say))
    except (ConfigurationError, ModelError) as error:
        fail(str(error), _WRONG_USE)
    if as_json:
        click.echo(report.as_json())
    else:
        report.show(Console(highlight=False))
    if not report.sound:
        raise SystemExit(_NOT_AS_IT_SHOULD_BE)


def _folder(output: str | None, *, wanted: bool) -> str | None:
    """Make the folder for the files; ``wanted``: files are written also where none is named."""
    if output is not None:
        try:
            os.makedirs(output, exist_ok=True)
        except OSError as error:
            fail(f"--output {output}: the folder cannot be made ({error.strerror}).", _WRONG_USE)
    if (output is not None or wanted) and not os.access(output or os.curdir, os.W_OK | os.X_OK):
        folder = output or "The working directory"
        fail(f"{folder} cannot be written to; name a folder with --output DIR.", _WRONG_USE)
    return output
