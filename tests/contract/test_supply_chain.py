"""What litespan is made from: pinned tools, no code from texts, no network unless the program asks for it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ASKED_FOR = (*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"])
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


def lines_of(file: str) -> list[str]:
    """Return what a file of constraints says, without comments."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def test_hosts_and_checking_tools_are_pinned() -> None:
    """The hosts that the tests rest on, and tools whose releases bring new findings, have one version."""
    pins = lines_of("constraints.txt")
    named = {name_of(requirement) for requirement in ASKED_FOR}

    assert [] == [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)]
    assert {"openai-agents", "litellm", "opentelemetry-sdk", "ruff", "mypy"} <= {name_of(pin) for pin in pins}
    assert {name_of(pin) for pin in pins} <= named


PYTHONS = ("3.10", "3.11", "3.12", "3.13")
LOCK = [Requirement(line) for line in lines_of("constraints-dev.txt")]


def applies(requirement: Requirement, python: str, system: str = "linux") -> bool:
    """Say whether a requirement holds for a Python on a system."""
    names = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": system}
    return requirement.marker is None or requirement.marker.evaluate(names)


def locked(python: str) -> dict[str, str]:
    """Return the locked version of each package for a Python; none may have two."""
    pins = [pin for pin in LOCK if applies(pin, python)]
    versions: dict[str, str] = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins
    }
    assert len(versions) == len(pins)
    return versions


def test_lock_holds_versions_and_nothing_else() -> None:
    """Every line of the lock is one exact version of a package, from wherever pip is told to take it."""
    assert [] == [pin for pin in LOCK if pin.url or not re.fullmatch(r"==[\w.+!]+", str(pin.specifier))]


@pytest.mark.parametrize("python", PYTHONS)
def test_lock_has_what_the_project_asks_for(python: str) -> None:
    """For every Python each requirement has a version that it allows; what is pinned by hand has that one."""
    versions = locked(python)
    asked_for = [r for r in map(Requirement, ASKED_FOR) if applies(r, python)]
    # What is pinned by hand may not be there for an older Python.
    pinned = [
        r for r in map(Requirement, lines_of("constraints.txt")) if canonicalize_name(r.name) in versions
    ]

    assert [] == [
        str(r)
        for r in (*asked_for, *pinned)
        if not r.specifier.contains(versions.get(canonicalize_name(r.name), "0"))
    ]


Package = tuple[str, frozenset[str]]  # a name, and extras


def required(name: str, extras: frozenset[str]) -> set[Package]:
    """Return what an installed package needs here, with its extras."""
    needs = map(Requirement, distribution(name).requires or ())
    environments = [{"extra": extra} for extra in ("", *extras)]
    return {
        (canonicalize_name(need.name), frozenset(need.extras))
        for need in needs
        if need.marker is None or any(need.marker.evaluate(environment) for environment in environments)
    }


def test_lock_has_what_that_needs_in_turn() -> None:
    """Every package that the project and its tools bring with them here is in the lock."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    waiting: set[Package] = {
        (canonicalize_name(r.name), frozenset(r.extras))
        for r in map(Requirement, ASKED_FOR)
        if applies(r, here)
    }
    seen: set[Package] = set()
    while waiting:
        package = waiting.pop()
        seen.add(package)
        waiting.update(required(*package) - seen)

    assert len(seen) > len(ASKED_FOR)
    assert set() == {name for name, _ in seen} - set(locked(here))


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
