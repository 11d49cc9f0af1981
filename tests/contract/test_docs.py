"""The documents tell the truth: tables, examples, commands, versions, links."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from litespan import semconv
from litespan.testing import Provider
from tests.pages import blocks
from tools import docs_tables

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(ROOT.glob("*.md"))
EXAMPLES = blocks(README, "python")


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """Return a fake provider that answers anything."""
    with Provider() as provider:
        yield provider


def run_example(code: str, folder: Path, base_url: str) -> subprocess.CompletedProcess[str]:
    """Run an example as a reader would, in an empty folder, with the fake provider in place of OpenAI."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "OPENAI_API_KEY": "none", "OPENAI_API_BASE": base_url},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_readme_example_runs(number: int, provider: Provider, tmp_path: Path) -> None:
    """Every Python example of the README runs; those that configure and run leave their spans in the file."""
    result = run_example(EXAMPLES[number], tmp_path, provider.base_url)

    assert (result.returncode, "litespan failed" in result.stderr) == (0, False), result.stderr
    if "configure(" in EXAMPLES[number] and "Runner" in EXAMPLES[number]:
        assert operations(tmp_path / "litespan-traces.jsonl") >= {semconv.INVOKE_AGENT, semconv.CHAT}


def operations(path: Path) -> set[str]:
    """Return the operations of all spans in a file of OTLP JSON lines."""
    return {
        attribute["value"]["stringValue"]
        for line in path.read_text(encoding="utf-8").splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
        for attribute in span["attributes"]
        if attribute["key"] == semconv.OPERATION_NAME
    }


def test_readme_has_examples() -> None:
    """The examples were found: the drop-in model and the one line are among them."""
    assert any("LitellmModel(" in code for code in EXAMPLES)
    assert any("litespan.configure()" in code for code in EXAMPLES)


def test_tables_are_up_to_date() -> None:
    """The README's tables are those that the code gives now; if not, run `make docs`."""
    assert docs_tables.with_tables(README) == README


def test_changed_table_is_seen() -> None:
    """A table that was edited by hand is not taken for up to date."""
    edited = README.replace(f"`{semconv.ATTEMPTS}`", "`litespan.tries`")

    assert docs_tables.with_tables(edited) == README != edited


def test_missing_marker_is_an_error() -> None:
    """A README that lost a marker is refused, so that no table is dropped silently."""
    with pytest.raises(ValueError, match="metrics:begin"):
        docs_tables.with_tables(README.replace("<!-- metrics:begin -->", ""))


def test_two_commands_come_first() -> None:
    """The first thing that the README says is how to see it and how to test it."""
    block = README.split("```")[1]

    assert ["make demo", "make test"] == re.findall(r"^make \w+", block, re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_targets_exist(document: Path) -> None:
    """Every make target that a document names is in the list of `make help`."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"(?:^|`)make (\w+)", document.read_text(encoding="utf-8"), re.MULTILINE))

    assert named <= set(re.findall(r"^  make (\w+)", listed, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_exist(document: Path) -> None:
    """Every file of the project that a document links or names in its text exists."""
    text = document.read_text(encoding="utf-8")
    links = {ROOT / target for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text)}
    named = re.findall(r"`((?:[\w.]+/)*[\w.]+(?:/|\.py|\.toml|\.md))`", text)
    missing = [
        name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "src/litespan"))
    ]

    assert ([], []) == ([link.name for link in links if not link.exists()], missing)


def test_versions_are_those_of_the_constraints() -> None:
    """The versions that the README says were run are the ones that `make install` takes."""
    pinned = dict(
        re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    row = f"| {pinned['openai-agents']} | {pinned['litellm']} | {pinned['opentelemetry-sdk']} |"

    assert row in README


def test_source_modules_are_in_the_architecture() -> None:
    """Every module and package of litespan has its line in the table of ARCHITECTURE.md."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "litespan"
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    packages = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}

    assert [] == sorted(name for name in modules | packages if f"`{name}`" not in page)
