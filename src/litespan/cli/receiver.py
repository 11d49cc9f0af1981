"""The option `--otlp` of the commands that speak to a receiver."""

from __future__ import annotations

import click


def not_empty(_: click.Context, __: click.Parameter, endpoint: str | None) -> str | None:
    """Refuse an address that is empty, as that of a variable that is not set.

    Raises:
        click.BadParameter: with what to write.
    """
    if endpoint is not None and not endpoint.strip():
        raise click.BadParameter(
            "it is empty; give the receiver's base URL, for example http://localhost:4318."
        )
    return endpoint
