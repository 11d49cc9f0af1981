"""`python -m tests.ledger.run`: play the mixed load, print the table by wire, fail on any difference."""

from __future__ import annotations

import logging
import os
import sys
import tempfile

from tests.isolation import clean_environment

clean_environment(os.environ)  # before LiteLLM is imported, which reads its variables then

import click  # noqa: E402
from rich.console import Console  # noqa: E402

from tests.ledger.audit import audit  # noqa: E402
from tests.ledger.output import unprinted  # noqa: E402
from tests.ledger.vendors import TOGETHER, VENDORS  # noqa: E402
from tests.ledger.verdict import differences, explain, show  # noqa: E402

_WIDTH = 130
_VENDORS = {vendor.name: vendor for vendor in (*VENDORS, TOGETHER)}


@click.command()
@click.option("--calls", default=10_000, show_default=True, help="Model calls, at least.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same load.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    type=click.Choice([*_VENDORS]),
    help=f"Take these only; otherwise all but {TOGETHER.name}.",
)
def run(calls: int, seed: int, providers: tuple[str, ...]) -> None:
    """Play a mixed load and hold litespan's figures against the provider's ledger."""
    vendors = tuple(_VENDORS[name] for name in providers) or VENDORS
    console = Console(width=_WIDTH, file=sys.stdout)
    logging.disable(logging.CRITICAL)  # LiteLLM's complaints about two event loops, and about failures
    with tempfile.TemporaryDirectory() as folder, unprinted():
        played = audit(calls, seed, folder, vendors)
    show(played, console)
    found = differences(played)
    console.print(explain(played, found), markup=False)
    sys.exit(bool(found))


if __name__ == "__main__":
    run()
