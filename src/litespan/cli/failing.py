"""How a command ends that cannot go on."""

from __future__ import annotations

from typing import NoReturn

import click

from litespan.export.cells import printable


def fail(message: str, code: int) -> NoReturn:
    """Say why on standard error, and end the process with this exit code."""
    click.echo("\n".join(map(printable, f"Error: {message}".splitlines())), err=True)
    raise SystemExit(code)
