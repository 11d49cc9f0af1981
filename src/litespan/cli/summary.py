"""`litespan summary`: what calls used and cost, from the files that litespan wrote."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from litespan.cli.data_files import data_files
from litespan.cli.sums.names import DIMENSIONS
from litespan.export.cells import printable

if TYPE_CHECKING:
    from litespan.cli.sums.reading import Reading
    from litespan.cli.sums.summary import Summary

_TOP = 10
_BROKEN = 1


def _dimensions(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    names = [name.strip() for each in given for name in each.split(",")]
    for name in names:
        if name not in DIMENSIONS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(DIMENSIONS)}.")
    return tuple(dict.fromkeys(names)) or DIMENSIONS


def _since(_: click.Context, __: click.Parameter, given: str | None) -> int | None:
    from litespan.cli.sums.period import since_ns

    try:
        return None if given is None else since_ns(given, dt.datetime.now(dt.timezone.utc))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command(short_help="Sum up tokens, cost and outcomes from files.")
@data_files(allow_dash=True)
@click.option(
    "--by",
    multiple=True,
    metavar="NAME",
    callback=_dimensions,
    help=f"Group calls by this: {', '.join(DIMENSIONS)}; a list with commas, or several times. "
    "Default: by each of them that a span names. Example: --by model,user",
)
@click.option(
    "--since",
    metavar="TIME",
    callback=_since,
    help="Only calls that began then or later: a time ago (m, h, d, w), or a date or time of ISO 8601, in "
    "UTC unless it names a zone. Example: --since 7d",
)
@click.option(
    "--top",
    type=click.IntRange(min=1, max=10_000),
    default=_TOP,
    metavar="N",
    help=f"Rows of each table, and runs to name; the JSON and the CSV have all groups. Default: {_TOP}. "
    "Example: --top 3",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Example: --json | jq .totals.cost")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print the groups as CSV, in UTF-8. Example: --csv > costs.csv"
)
@click.option(
    "--verbose",
    is_flag=True,
    help="Say on standard error how much was read, and how fast. Example: --verbose",
)
def summary(  # noqa: PLR0913 - one argument for each option
    files: tuple[str, ...],
    by: tuple[str, ...],
    since: int | None,
    top: int,
    *,
    as_json: bool,
    as_csv: bool,
    verbose: bool,
) -> None:
    """Sum up the model calls in files of OTLP JSON lines: tokens, cost, outcomes, the dearest runs.

    FILE is what litespan's file exporter or a Collector wrote, also rotated or compressed with gzip; `-` is
    standard input. Calls are summed, never the totals on agents and runs. Spans of other tools, metrics and
    logs are left out. Money is added as decimals, so nothing is rounded. What is not known is not 0:
    `unpriced` counts the calls with usage and without a price, `no usage` those whose usage did not arrive,
    or not whole.

    Exit codes: 0 everything was read; 1 lines were broken and are left out; 2 wrong use or a missing file.

    Example: litespan summary litespan-traces.jsonl* --since 7d --by model,user
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other.")
    # Imported here: `--help` and `--version` do without.
    from litespan.cli.progress import byte_progress
    from litespan.cli.sums.lines import total_bytes
    from litespan.cli.sums.reading import read
    from litespan.cli.sums.summary import Summary

    figures = Summary(by, top, since)
    with byte_progress(total_bytes(files)) as advance:
        reading = read(files, figures, advance)
    _tell(reading, verbose=verbose)
    if as_json or as_csv:
        _print_data(figures, reading, as_json=as_json)
    else:
        _print_tables(figures, top)
    if reading.broken:
        raise SystemExit(_BROKEN)


def _print_data(figures: Summary, reading: Reading, *, as_json: bool) -> None:
    from litespan.cli.sums import documents

    if as_json:
        click.echo(documents.as_json(figures, reading))
    else:
        # Always UTF-8; half a character in a name becomes a question mark.
        click.echo(documents.as_csv(figures).encode("utf-8", "replace"), nl=False)


def _print_tables(figures: Summary, top: int) -> None:
    from rich.console import Console

    from litespan.cli.sums.tables import show

    show(Console(highlight=False), figures, top)


def _tell(reading: Reading, *, verbose: bool) -> None:
    """Say on standard error what could not be read, what was not read, and how fast it was."""
    from litespan.cli.sums.lines import unread_rotations
    from litespan.cli.words import counted

    for problem in reading.problems:
        click.echo(printable(problem), err=True)
    if reading.broken > len(reading.problems):
        click.echo(f"... and {reading.broken - len(reading.problems):,} more.", err=True)
    if reading.broken:
        click.echo(f"Left out: {reading.broken:,} of {counted(reading.lines, 'line')}.", err=True)
    if rotated := unread_rotations(reading.files):
        names = ", ".join(map(printable, rotated))
        one = "which was rotated. Name it too, to count it."
        more = "which were rotated. Name them too, to count them."
        click.echo(f"Not read: {names}, {one if len(rotated) == 1 else more}", err=True)
    if verbose:
        files = counted(len(reading.files), "file")
        click.echo(
            f"Read {reading.bytes / 1e6:,.1f} MB in {counted(reading.lines, 'line')} of {files}: "
            f"{reading.seconds:.2f} s, {reading.megabytes_per_second:,.0f} MB/s.",
            err=True,
        )
