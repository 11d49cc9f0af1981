"""One cell of the matrix: a fresh virtual environment, an installation, a run of the tests."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import tomli

from tools.matrix_results import ROOT, SHOWN, Result

CACHE: Final = ROOT / ".cache" / "matrix"
UV: Final = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


@dataclass(frozen=True)
class Set:
    """A set of versions: constraints, requirements that override the packages' own, and packages beside."""

    name: str
    about: str
    constraints: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()


def find_python(version: str) -> str | None:
    """Return an interpreter of this version ("3.12") from the path or from pyenv, or this one, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    of_pyenv = sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)
    candidates = [on_path, *map(str, of_pyenv), sys.executable]
    # pyenv's own commands on the path exist for versions that are switched off: asked, they fail.
    return next(
        (found for found in candidates if found and _version_of(found).startswith(f"{version}.")), None
    )


def _version_of(python: str) -> str:
    program = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", program], capture_output=True, text=True, check=False).stdout.strip()


def run_cell(python: str, chosen: Set, unneeded: Iterable[str], tests: Iterable[str]) -> Result:
    """Install a set on an interpreter and run the tests; a failure of either is part of the result."""
    result = Result(_version_of(python), chosen.name, datetime.now(timezone.utc).date().isoformat())
    home = CACHE / f"{chosen.name}-{result.cell[1]}"
    try:
        binary = _install(python, chosen, unneeded, home)
        result.versions = _versions(binary)
        _test(binary, tests, home / "results.xml", result)
    except subprocess.CalledProcessError as error:
        result.problem = _last_words(error.stderr or error.stdout or "")
    return result


def _install(python: str, chosen: Set, unneeded: Iterable[str], home: Path) -> str:
    if UV is None:
        raise FileNotFoundError(
            "uv is needed: it is among the development tools that `make install` installs"
        )
    _run(UV, "venv", "--quiet", "--clear", "--python", python, str(home))
    lists = {
        "--requirements": [*requirements(unneeded), *chosen.packages],
        "--constraints": chosen.constraints,
        "--overrides": chosen.overrides,
    }
    options = []
    for option, lines in lists.items():
        file = home / f"{option[2:]}.txt"
        file.write_text("\n".join(lines), encoding="utf-8")
        options += [option, str(file)]
    binary = str(home / "bin" / "python")
    _run(UV, "pip", "install", "--quiet", "--python", binary, "--editable", str(ROOT), *options)
    return binary


def requirements(unneeded: Iterable[str]) -> list[str]:
    """Return the project's development tools without the unneeded ones, given as names with stars."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tools: list[str] = project["dependency-groups"]["dev"]
    left_out = "|".join(fnmatch.translate(name) for name in unneeded)
    return [tool for tool in tools if not re.match(left_out, re.split(r"[^\w.-]", tool)[0])]


def _versions(binary: str) -> dict[str, str]:
    listed = _run(str(UV), "pip", "list", "--quiet", "--format", "json", "--python", binary)
    found = {package["name"]: package["version"] for package in json.loads(listed)}
    return {name: found[name] for name in SHOWN if name in found}


def _test(binary: str, tests: Iterable[str], report: Path, result: Result) -> None:
    # Skips are what a matrix finds out: in the mode of continuous integration they would be failures.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    options = ["-n", "2", "--quiet", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [binary, "-m", "pytest", *options, *tests],
        cwd=ROOT,
        env={**environment, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        check=False,
    )
    report.with_suffix(".log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if report.exists():
        read_report(report, result)
    if not result.passed:
        result.problem = _last_words(done.stdout + done.stderr)


def read_report(report: Path, result: Result) -> None:
    """Take the figures from a report in JUnit's format, as pytest writes it."""
    suite = ET.parse(report).getroot()[0]  # noqa: S314 - pytest wrote it, a moment ago
    figures: Mapping[str, Any] = suite.attrib
    skipped = [found.get("message", "") for found in suite.iter("skipped")]
    result.skip_reasons = dict(sorted(Counter(skipped).items()))
    result.failed = int(figures["failures"]) + int(figures["errors"])
    result.passed = int(figures["tests"]) - result.failed - len(skipped)
    result.seconds = round(float(figures["time"]), 1)


def _run(*command: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def _last_words(output: str) -> str:
    return " ".join(output.split())[-500:]
