"""`litespan dashboards export`: the dashboards, rules and configurations of the servers, as files."""

from __future__ import annotations

import os
import shlex
from typing import NoReturn

import click

from litespan.cli.failing import fail
from litespan.cli.words import counted
from litespan.export.cells import printable

_NOT_WRITTEN = 1


@click.group()
def dashboards() -> None:
    """Dashboards, alerts and servers for what litespan sends.

    Example: litespan dashboards export monitoring
    """


@dashboards.command(short_help="Write all of them into a folder.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option(
    "--force",
    is_flag=True,
    help="Replace files that are there and differ. Example: --force",
)
def export(folder: str, *, force: bool) -> None:
    """Write Grafana's dashboards, Prometheus' rules, all configurations and docker-compose.yml into DIR.

    They are those of the installed version of litespan. DIR is made if it is missing. A file that is there
    and differs is never replaced without --force; then nothing is written.

    Exit codes: 0 all files are there; 1 nothing was written, or not all; 2 wrong use.

    Example: litespan dashboards export monitoring
    """
    from litespan.cli import stack

    try:
        source = stack.source()
        different = stack.in_the_way(source, folder)
        if different and not force:
            _refuse_to_replace(folder, different)
        count = stack.copy(source, folder)
    except OSError as error:
        fail(f"{error.filename or folder}: {error.strerror or error}", _NOT_WRITTEN)
    click.echo(f"{count} files are in {printable(folder)}.")
    compose = shlex.quote(printable(os.path.join(folder, stack.COMPOSE)))
    click.echo(f"Start the servers: docker compose -f {compose} up -d")


def _refuse_to_replace(folder: str, different: list[str]) -> NoReturn:
    for path in different:
        click.echo(printable(os.path.join(folder, path)), err=True)
    replaced = counted(len(different), "file")
    fail(f"{replaced} would be replaced. Nothing was written; --force does it.", _NOT_WRITTEN)
