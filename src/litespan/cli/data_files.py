"""The argument FILE... of the commands that read telemetry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def data_files(*, allow_dash: bool = False) -> Callable[[_Command], _Command]:
    """Return the argument, as a decorator of a command; with ``allow_dash``, ``-`` is standard input."""
    return click.argument(
        "files",
        metavar="FILE...",
        nargs=-1,
        required=True,
        callback=_without_journals,
        type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=allow_dash),
    )


def _without_journals(_: click.Context, __: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the journals of `litespan send`: a pattern such as `litespan-traces.jsonl*` names them, too.

    Raises:
        click.BadParameter: if nothing else is named.
    """
    from litespan.cli.sending.journal import SUFFIX, is_journal

    files = tuple(path for path in paths if not is_journal(path))
    if not files:
        raise click.BadParameter(
            f"{paths[0]} holds no telemetry: it is where `litespan send` notes how far it has sent a file. "
            f"Name that file: {paths[0].removesuffix(SUFFIX)}"
        )
    return files
