"""The command `litespan`; one module per command, and what they share beside them."""

from __future__ import annotations

from typing import Any

import click

from litespan.cli.dashboards import dashboards
from litespan.cli.demo import demo
from litespan.cli.doctor import doctor
from litespan.cli.send import send
from litespan.cli.summary import summary

_INTERRUPTED = 130


class _Commands(click.Group):
    """A group whose commands end politely on Ctrl-C, with the exit code that shells expect."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            ctx.exit(_INTERRUPTED)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="litespan", message="%(prog)s %(version)s")
def main() -> None:
    """See what your agents do: spans, tokens and cost of the OpenAI Agents SDK on LiteLLM models."""


main.add_command(dashboards)
main.add_command(demo)
main.add_command(doctor)
main.add_command(send)
main.add_command(summary)
