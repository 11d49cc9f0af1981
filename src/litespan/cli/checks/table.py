"""What the doctor found, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from litespan.cli.checks.finding import Finding, Status
from litespan.cli.fitting import plain_table
from litespan.export.cells import printable

_STYLES: Final = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.PROBLEM: "bold red",
    Status.NOT_CHECKED: "dim",
}
# Below this width (characters) a whole name of a check leaves nothing for the rest.
_NARROW: Final = 70


def is_well(findings: Sequence[Finding]) -> bool:
    """Say whether nothing needs to be mended."""
    return not any(finding.mends for finding in findings)


def as_json(findings: Sequence[Finding]) -> str:
    """Return everything for programs."""
    checks = [
        {
            "check": finding.check,
            "status": finding.status.value,
            "says": finding.says,
            "mends": list(finding.mends),
        }
        for finding in findings
    ]
    return json.dumps({"well": is_well(findings), "checks": checks}, indent=2)


def show(findings: Sequence[Finding]) -> None:
    """Print the table, then the lines that mend."""
    console = Console(highlight=False)
    table = plain_table()
    # In a narrow terminal names are folded, so that what was seen has room.
    table.add_column("check", no_wrap=console.width >= _NARROW)
    table.add_column("status", no_wrap=True)
    table.add_column("what was seen", overflow="fold")
    for finding in findings:
        status = Text(finding.status.value, style=_STYLES[finding.status])
        table.add_row(finding.check, status, Text(printable(finding.says)))
    console.print(table)
    _show_mends(findings)


def _show_mends(findings: Sequence[Finding]) -> None:
    """Print the lines unbroken, so that they can be copied."""
    if is_well(findings):
        click.echo("\nNothing needs to be mended.")
        return
    click.echo("\nTo mend:")
    checks: dict[tuple[str, ...], list[str]] = {}
    for finding in findings:
        if finding.mends:
            checks.setdefault(finding.mends, []).append(finding.check)
    for mends, names in checks.items():
        click.echo(f"\n  {', '.join(names)}")
        for mend in mends:
            click.echo(f"    {printable(mend)}")
