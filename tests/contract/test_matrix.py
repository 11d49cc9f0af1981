"""The matrix of versions: its sets are honest, its figures are pytest's, and the README shows its results."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.version import Version

from litespan.cli.checks.versions import TESTED
from litespan.export import tried
from tools import docs_tables, matrix, matrix_cell, matrix_results
from tools.matrix_results import Result

ROOT = Path(__file__).parents[2]
PROJECT = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENTS = {r.name: r for r in map(Requirement, PROJECT["project"]["dependencies"])}
TESTS = """
import pytest
def test_good(): pass
def test_bad(): assert False
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.skip(reason="needs something newer")
def test_skipped(n): pass
@pytest.fixture
def broken(): raise ValueError
def test_error(broken): pass
"""


def test_oldest_set_is_what_is_advertised() -> None:
    """The oldest set holds, for each requirement of litespan, the lower bound that it advertises."""
    oldest = {r.name: r for r in map(Requirement, matrix.sets()["oldest"].constraints)}

    assert set(REQUIREMENTS) == set(oldest)
    for name, requirement in REQUIREMENTS.items():
        (bound,) = [Version(s.version) for s in requirement.specifier if s.operator == ">="]
        (pinned,) = [Version(s.version) for s in oldest[name].specifier]
        assert bound == pinned, name


def test_pinned_set_is_what_make_install_takes() -> None:
    """The pinned set is the file of constraints, and has the hosts in it."""
    lines = matrix.sets()["pinned"].constraints

    assert (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() == list(lines)
    assert any(line.startswith("litellm==") for line in lines)


def test_recent_set_is_what_doctor_calls_tried() -> None:
    """`litespan doctor` warns of nothing that is in the recent set, and of what is newer."""
    recent = dict(line.split("==") for line in matrix.sets()["recent"].constraints)

    for package, tested in TESTED.items():
        assert recent[package].startswith(f"{tested.newest}."), package


def test_fast_way_is_for_the_pinned_and_the_recent_sdk() -> None:
    """What development is pinned to and what `make recent` takes have the fast way, and nothing else."""
    lines = [line for name in ("pinned", "recent") for line in matrix.sets()[name].constraints]
    versions = [line.partition("==")[2] for line in lines if line.startswith("opentelemetry-sdk==")]

    assert 2 == len(versions)
    assert tried.TRIED == set(versions)


def test_readme_shows_the_results() -> None:
    """The table of the README has a row for each result of the file; no figure is typed by hand."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.split("<!-- versions:begin -->\n")[1].split("\n<!-- versions:end -->")[0]
    results = matrix_results.read()

    assert list(docs_tables.versions(results)) == table.splitlines()
    assert {"pinned", "oldest"} <= {result.set for result in results if result.good}


def test_results_are_of_the_pinned_versions() -> None:
    """The results of the pinned set are of the versions that are pinned now; if not, run it again."""
    pinned = dict(
        re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for result in matrix_results.read():
        if result.set == "pinned":
            assert {} == {n: v for n, v in result.versions.items() if pinned.get(n, v) != v}


def test_figures_are_those_of_the_report(tmp_path: Path) -> None:
    """Failures and errors are failed, and every skip is counted under its reason."""
    (tmp_path / "test_it.py").write_text(TESTS)
    report = tmp_path / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:randomly",
        f"--junitxml={report}",
        "-q",
        "--rootdir",
        ".",
    ]
    subprocess.run([*command, "-c", "/dev/null"], cwd=tmp_path, capture_output=True, check=False)
    result = Result("3.12.1", "oldest", "2026-11-22")
    matrix_cell.read_report(report, result)

    assert (1, 2, 2) == (result.passed, result.failed, result.skipped)
    assert {"needs something newer": 2} == result.skip_reasons
    assert not result.good


def test_newer_result_replaces_its_cell(tmp_path: Path) -> None:
    """The file keeps one result for each set and Python, in order, and drops sets that are gone."""
    path, sets = tmp_path / "matrix.json", ["pinned", "oldest"]
    matrix_results.write([Result("3.10.13", "oldest", "x"), Result("3.9.1", "gone", "x")], sets, path)
    matrix_results.write([Result("3.10.14", "oldest", "y"), Result("3.13.0", "pinned", "y")], sets, path)

    assert [("3.13.0", "pinned"), ("3.10.14", "oldest")] == [
        (r.python, r.set) for r in matrix_results.read(path)
    ]


@pytest.mark.parametrize(("version", "works"), [("3.10", True), ("3.99", False)])
def test_interpreters_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, works: bool
) -> None:
    """The interpreter of pyenv is found where the one on the path does not answer; a missing one is None."""
    broken = tmp_path / "bin" / "python3.10"
    installed = tmp_path / "versions" / "3.10.9" / "bin" / "python"
    for path, says in ((broken, "exit 1"), (installed, "echo 3.10.9")):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{says}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=":")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert (str(installed) if works else None) == matrix_cell.find_python(version)


def test_development_tools_without_the_unneeded() -> None:
    """The tests are installed with the project's own list of tools, less those that match."""
    tools = matrix_cell.requirements(["ruff", "types-*"])

    everything = PROJECT["dependency-groups"]["dev"]
    assert [tool for tool in everything if not tool.startswith(("ruff", "types-"))] == tools
    assert len(tools) < len(everything)


def test_set_that_does_not_install_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set that contradicts itself gives no figures but the installer's reason."""
    monkeypatch.setattr(matrix_cell, "CACHE", tmp_path)
    impossible = matrix_cell.Set("impossible", "", constraints=("click<8",))
    result = matrix_cell.run_cell(sys.executable, impossible, ["*"], [])

    assert not result.good
    assert "click" in result.problem
