"""Run the tests on many versions: `make matrix`. One cell is one set of versions on one Python.

The sets stand in `tools/matrix.toml`, the results in `docs/matrix.json`, from where `make docs` brings them
into the README. One cell takes some minutes. `make matrix ARGS="--python 3.12 --set oldest"` runs one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click
import tomli
from rich.console import Console
from rich.table import Table

from tools import matrix_results
from tools.matrix_cell import CACHE, Set, find_python, run_cell
from tools.matrix_results import ROOT, Result

PLAN: Final[Mapping[str, Any]] = tomli.loads((ROOT / "tools" / "matrix.toml").read_text(encoding="utf-8"))

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)


def sets() -> dict[str, Set]:
    """Return the sets by name, in the order of the file."""
    return {name: _set(name, entry) for name, entry in PLAN["sets"].items()}


def _set(name: str, entry: Mapping[str, Any]) -> Set:
    constraints = entry.get("constraints", [])
    if "constraints_file" in entry:
        constraints = (ROOT / entry["constraints_file"]).read_text(encoding="utf-8").splitlines()
    overrides, packages = (tuple(entry.get(kind, ())) for kind in ("overrides", "packages"))
    return Set(name, entry["about"], tuple(constraints), overrides, packages)


@click.command(help=__doc__)
@click.option("--python", "pythons", multiple=True, type=click.Choice(PLAN["pythons"]), help="Default: all.")
@click.option("--set", "names", multiple=True, type=click.Choice(list(PLAN["sets"])), help="Default: all.")
@click.option("--write/--no-write", default=True, help="Keep the results in docs/matrix.json.")
def main(pythons: Sequence[str], names: Sequence[str], *, write: bool) -> None:
    """Run the chosen cells one after another; the exit code is 1 if one is not good, or there is none."""
    results = []
    for python in pythons or PLAN["pythons"]:
        interpreter = find_python(python)
        if interpreter is None:
            console.print(f"Python {python}: not found on the path or in pyenv, left out")
            continue
        for name in names or PLAN["sets"]:
            results.append(_run(interpreter, python, sets()[name]))
            if write:
                matrix_results.write(results, list(PLAN["sets"]))
    console.print(_table(results))
    sys.exit(not results or not all(result.good for result in results))


def _run(interpreter: str, python: str, chosen: Set) -> Result:
    console.print(f"Python {python}, {chosen.name} ({chosen.about}) … ", end="")
    result = run_cell(interpreter, chosen, PLAN["unneeded"], PLAN["tests"])
    if result.problem:
        console.print(f"[red]no result[/red]\n  {result.problem}")
        return result
    console.print(
        f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped in {result.seconds:.0f} s"
    )
    for reason, number in result.skip_reasons.items():
        console.print(f"  {number} skipped: {reason}", markup=False)
    if result.failed:
        log = CACHE / f"{chosen.name}-{python}" / "results.log"
        console.print(f"  see {log.relative_to(ROOT)}")
    return result


def _table(results: Sequence[Result]) -> Table:
    titles, *rows = matrix_results.rows(results)
    table = Table(*titles)
    for row, result in zip(rows, results, strict=True):
        table.add_row(*row, style=None if result.good else "red")
    return table


if __name__ == "__main__":
    main()
