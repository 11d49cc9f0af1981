"""`litespan send`: replay files to an OTLP receiver."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from litespan.cli.data_files import data_files
from litespan.cli.failing import fail
from litespan.cli.receiver import not_empty
from litespan.export.cells import printable
from litespan.setting_checks import ConfigurationError
from litespan.settings import load_settings

if TYPE_CHECKING:
    from litespan.cli.sending.replay import Replay
    from litespan.cli.sending.sources import Source

_LEFT_OUT = 1
_WRONG_USE = 2
_STOPPED = 3
_PROTOCOLS = {"http": "http/protobuf", "grpc": "grpc"}
_PATIENCE = 60.0


def _headers(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    # Imported here, as below.
    from litespan.export.otlp.options import OF_HEADERS, is_header

    headers = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name.strip() or not equals:
            raise click.BadParameter("write it as NAME=VALUE.")
        if not is_header(name.strip(), value.strip()):
            raise click.BadParameter(f"{OF_HEADERS}.")
        headers[name.strip().lower()] = value.strip()
    return headers


def _a_time(_: click.Context, __: click.Parameter, seconds: float) -> float:
    if math.isnan(seconds):
        raise click.BadParameter("give seconds, for example 600; inf waits for ever.")
    return seconds


@click.command(short_help="Send files to an OTLP receiver.")
@data_files(allow_dash=True)  # which has a message of its own
@click.option(
    "--otlp",
    metavar="ENDPOINT",
    callback=not_empty,
    required=True,
    help="Base URL of the receiver. Example: --otlp http://localhost:4318",
)
@click.option(
    "--protocol",
    type=click.Choice(sorted(_PROTOCOLS)),
    default="http",
    help="How the receiver is spoken to. Default: http (with protobuf). Example: --protocol grpc",
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_headers,
    help="Sent along; several times for several. Example: --header authorization='Bearer 1234'",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=_PATIENCE,
    callback=_a_time,
    metavar="SECONDS",
    help=f"How long to wait for a receiver that is away. Default: {_PATIENCE:g}. Example: --patience 600",
)
def send(files: tuple[str, ...], otlp: str, protocol: str, headers: dict[str, str], patience: float) -> None:
    """Send files of spans, metrics and events to an OTLP receiver.

    FILE is what litespan's file exporter or a Collector wrote (OTLP JSON lines), or a file that a dead
    process has left in a spool. Everything is sent at least once. How far it has come is noted beside the
    file (FILE.sent): a second call goes on from there, and sends only what has come since. Lines that are
    broken, and requests that the receiver refuses, are left out and counted. OpenTelemetry's variables for
    headers, certificates, timeouts and compression hold.

    Exit codes: 0 everything was sent; 1 something was left out; 2 wrong use; 3 the receiver is away or lets
    nobody in, the rest is not sent.

    Example: litespan send litespan-traces.jsonl* --otlp http://localhost:4318
    """
    # Imported here: `--help` and `--version` do without.
    from litespan.cli.progress import byte_progress
    from litespan.cli.sending.replay import Replay, StoppedError

    try:
        settings = load_settings({}, otlp_endpoint=otlp, otlp_protocol=_PROTOCOLS[protocol])
        replay = Replay(settings, headers, patience, _say)
        sources = _open(files, replay.receiver)
    except ConfigurationError as error:
        fail(str(error), _WRONG_USE)
    stopped = False
    with byte_progress(sum(source.size - source.start for source in sources), "Sending") as advance:
        try:
            replay.send(sources, advance)
        except StoppedError as error:
            _say(f"Error: {error} What was not sent waits: the same command goes on from there.")
            _say("`litespan doctor --otlp ENDPOINT` finds out more.")
            stopped = True
    _tell(replay)
    if stopped:
        raise SystemExit(_STOPPED)
    if replay.broken or any(counts.refused for counts in replay.counts.values()):
        raise SystemExit(_LEFT_OUT)


def _open(files: tuple[str, ...], receiver: str) -> list[Source]:
    from litespan.cli.sending.sources import UnusableFileError, open_source

    try:
        return [open_source(path, receiver) for path in dict.fromkeys(files)]
    except (UnusableFileError, OSError) as error:
        fail(str(error), _WRONG_USE)


def _tell(replay: Replay) -> None:
    """Say what was sent, and on standard error what was not."""
    from litespan.cli.sending.replay import ITEMS
    from litespan.cli.words import counted

    sent = ", ".join(counted(counts.sent, ITEMS[signal]) for signal, counts in replay.counts.items())
    click.echo(f"Sent {sent}.")
    for signal, counts in replay.counts.items():
        for reason, items in counts.refused.items():
            _say(f"Refused: {counted(items, ITEMS[signal])} ({reason}).")
    if replay.broken:
        what = "line or batch" if replay.broken == 1 else "lines or batches"
        _say(f"Left out: {replay.broken:,} {what} that cannot be read.")


def _say(text: str) -> None:
    click.echo(printable(text), err=True)
