"""`litespan doctor`: tries the endpoints, looks at versions and settings, and says what mends them."""

from __future__ import annotations

import os

import click

from litespan.cli.receiver import not_empty

_TO_MEND = 1
_SECONDS = 5.0


@click.command(short_help="Say what is wrong with the set-up, and what mends it.")
@click.option(
    "--otlp",
    metavar="ENDPOINT",
    callback=not_empty,
    help="Try this OTLP receiver (base URL) in place of what the environment names. "
    "Example: --otlp http://localhost:4318",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=600),
    default=_SECONDS,
    metavar="SECONDS",
    help=f"How long to wait for an endpoint at each try. Default: {_SECONDS:g}. Example: --timeout 2",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON. Example: --json | jq '.checks[].mends[]'")
def doctor(otlp: str | None, timeout: float, *, as_json: bool) -> None:
    """Check the set-up and say what is wrong and the line that mends it.

    Looks at the environment, the installed packages and the endpoints, and sends each endpoint an export of
    nothing. It connects to no other host and prints no secret. What your program passes to
    litespan.configure() it cannot see: run it with the environment of your program.

    Exit codes: 0 all is well; 1 something is to be mended; 2 wrong use.

    Example: litespan doctor --otlp http://localhost:4318
    """
    # gRPC reads it when it is imported; it would print its own words about failures.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # Imported here: they load OpenTelemetry's SDK and rich, which `--help` does without.
    from litespan.cli.checks import table
    from litespan.cli.checks.examine import examine
    from litespan.cli.progress import progress

    with progress() as say:
        findings = list(examine(os.environ, timeout, say, otlp))
    if as_json:
        click.echo(table.as_json(findings))
    else:
        table.show(findings)
    if not table.is_well(findings):
        raise SystemExit(_TO_MEND)
