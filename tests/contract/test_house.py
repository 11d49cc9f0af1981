"""The project's own rules hold, and each of them can fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomli

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "litespan"
IMPORT_LINTER = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]

# One import for each contract that must break it: the module that gets it, and the line.
BREACHES = {
    "layers": ("records.py", "import litespan.settings"),
    "surface": ("recorder.py", "import litespan"),
    "leaves": ("semconv.py", "import opentelemetry"),
    "agents": ("sources/litellm_mapping.py", "import agents"),
    "litellm": ("sources/agents_mapping.py", "import litellm"),
    "opentelemetry": ("sources/litellm_mapping.py", "import opentelemetry"),
    "names": ("sources/agents_mapping.py", "import litespan.semconv"),
    "emit": ("emit/attributes.py", "import litespan.settings"),
    "export": ("export/paths.py", "import litespan.records"),
}


CONTRACTS = [contract["id"] for contract in IMPORT_LINTER["contracts"]]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Check a copy of the package that breaks every contract; return what import-linter says."""
    home = tmp_path_factory.mktemp("breached")
    shutil.copytree(SOURCE, home / "litespan")
    for module, line in BREACHES.values():
        with (home / "litespan" / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    options = ["--no-cache", "--no-logo", "--config", str(ROOT / "pyproject.toml")]
    return subprocess.run(
        [sys.executable, "-c", program, *options],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_every_import_contract_has_a_breach() -> None:
    """The list of forbidden imports covers all contracts."""
    assert sorted(CONTRACTS) == sorted(BREACHES)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_import_contract_can_fail(contract: str, verdicts: str) -> None:
    """An import that a contract forbids breaks that contract."""
    title = next(c["name"] for c in IMPORT_LINTER["contracts"] if c["id"] == contract)
    importer = "litespan." + BREACHES[contract][0].removesuffix(".py").replace("/", ".")
    reasons = verdicts.split(f"\n{title}\n{'-' * len(title)}\n", 1)[1].split("\n---", 1)[0]

    assert f"{title} BROKEN" in verdicts
    assert f"{importer} -> {BREACHES[contract][1].split()[1]}" in reasons


def ruff(source: str, name: str) -> str:
    """Return what ruff says about a source text that stands at that place in the project."""
    return subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "--stdin-filename", name, "-"],
        cwd=ROOT,
        input=source,
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.parametrize(("place", "allowed"), [("export/console.py", True), ("emit/spans.py", False)])
def test_only_the_ways_out_import_the_sdk(place: str, *, allowed: bool) -> None:
    """Ruff refuses an import of OpenTelemetry's SDK outside export and what composes it, lazy ones too."""
    source = (
        "def load():\n    from opentelemetry.sdk.trace import TracerProvider\n    return TracerProvider\n"
    )

    assert allowed is ("TID251" not in ruff(source, f"src/litespan/{place}"))


def test_broad_except_is_refused() -> None:
    """Ruff refuses to catch Exception without raising it again."""
    source = "try:\n    print()\nexcept Exception:\n    pass\n"

    assert "BLE001" in ruff(source, "src/litespan/recorder.py")


def test_only_the_guard_swallows_exceptions() -> None:
    """No file but the guard silences the rule against broad excepts, and the stream wrapper.

    That one keeps an error that it met while reading ahead and raises it at the program's next read.
    """
    silenced = {path.name for path in SOURCE.rglob("*.py") if "BLE001" in path.read_text(encoding="utf-8")}

    assert {"guard.py", "litellm_proxies.py"} == silenced


def test_ci_script_is_executable() -> None:
    """What continuous integration starts can be started."""
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
