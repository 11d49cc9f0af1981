"""The command `litespan`; one module per command, and what they share beside them."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any

import click

from litespan.cli.dashboards import dashboards
from litespan.cli.demo import demo
from litespan.cli.doctor import doctor
from litespan.cli.send import send
from litespan.cli.summary import summary

_UNWRITTEN = 1
_INTERRUPTED = 130
# What the system says of a disk, a quota or a file that is full, or broken.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


class _Commands(click.Group):
    """A group whose commands end politely: on Ctrl-C with the code that shells expect, and on a full disk."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            ctx.exit(_INTERRUPTED)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            click.echo(f"Error: the output cannot be written ({error.strerror}).", err=True)
            # What waits in the buffer would fail once more, at the end of Python.
            with open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            ctx.exit(_UNWRITTEN)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="litespan", message="%(prog)s %(version)s")
def main() -> None:
    """See what your agents do: spans, tokens and cost of the OpenAI Agents SDK on LiteLLM models."""
    if os.environ.get("COLUMNS") == "0":
        del os.environ["COLUMNS"]  # nobody knows the width; rich would print tables without a character


main.add_command(dashboards)
main.add_command(demo)
main.add_command(doctor)
main.add_command(send)
main.add_command(summary)
