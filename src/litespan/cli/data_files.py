"""The argument FILE... of the commands that read telemetry."""

from __future__ import annotations

import click


def data_files(_: click.Context, __: click.Parameter, paths: tuple[str, ...]) -> tuple[str, ...]:
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
