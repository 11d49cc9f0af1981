"""What litespan is made from: pinned tools, no code from texts, no network unless the program asks for it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomli

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
_FORBIDDEN = {"eval", "exec", "compile", "__import__"}
_FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill"}


def calls_by_name(tree: ast.AST) -> set[str]:
    """Return the names of plain functions that are called."""
    return {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def imported(tree: ast.AST) -> set[str]:
    """Return the top names of modules that are imported."""
    plain = {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    whole = plain | {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    return {name.partition(".")[0] for name in whole}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_no_code_from_texts(path: Path) -> None:
    """No module runs text as code, and none reads formats that could hold code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert set() == _FORBIDDEN & calls_by_name(tree)
    assert set() == _FORBIDDEN_MODULES & imported(tree)


def test_what_is_looked_for_can_be_found() -> None:
    """The search finds what it forbids."""
    tree = ast.parse("import pickle\nfrom marshal import loads\neval('1')")

    assert {"eval"} == _FORBIDDEN & calls_by_name(tree)
    assert {"pickle", "marshal"} == _FORBIDDEN_MODULES & imported(tree)


def name_of(requirement: str) -> str:
    """Return the normalized name of a requirement."""
    return re.split(r"[\s\[<>=!~;@]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def test_hosts_and_checking_tools_are_pinned() -> None:
    """The hosts that the tests rest on, and tools whose releases bring new findings, have one version."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = {name_of(r) for r in (*project["project"]["dependencies"], *project["dependency-groups"]["dev"])}

    assert [] == [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)]
    assert {"openai-agents", "litellm", "opentelemetry-sdk", "ruff", "mypy"} <= {name_of(pin) for pin in pins}
    assert {name_of(pin) for pin in pins} <= named


NO_NETWORK = """
import socket, sys
def refuse(*args, **kwargs):
    raise SystemExit(f"network: {args[1:]}")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.create_connection = refuse
import importlib, pkgutil
import litespan
for module in pkgutil.walk_packages(litespan.__path__, "litespan."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("none")
"""


def test_no_import_goes_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing every module of litespan, with LiteLLM's packaged prices, connects to nothing."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK], capture_output=True, text=True, check=False, timeout=50
    )

    assert "none" == done.stdout.strip(), done.stderr
