"""How large the servers must be: `python -m tools.sizing`.

python -m tools.sizing             print the tables from what was measured last
python -m tools.sizing --measure   run the demo's agents first, and keep what they send
python -m tools.sizing --write     put the tables into docs/scale.md
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from benchmarks.page import with_table
from tools.sizing import load, traffic
from tools.sizing.tables import tables

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


@click.command()
@click.option("--measure", is_flag=True, help="Run the demo's agents first, and keep what they send.")
@click.option("--write", is_flag=True, help="Put the tables into docs/scale.md.")
def main(*, measure: bool, write: bool) -> None:
    """Print the sizing tables."""
    if measure:
        traffic.write(traffic.measure())
    text = PAGE.read_text(encoding="utf-8")
    for name, (titles, rows) in tables(traffic.read(), load.read()).items():
        for cells in (titles, *rows):
            click.echo(" | ".join(cells))
        click.echo()
        text = with_table(text, name, titles, rows)
    if write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
