"""Every page of the documents: its Python runs, its variables are valid, its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from litespan.settings import load_settings
from litespan.testing import Provider
from tests.fakes.ports import free_port
from tests.pages import DOCS, blocks, page
from tests.process.shell import python

pytestmark = pytest.mark.timeout(240)

ROOT = Path(__file__).parents[2]
PAGES = sorted(DOCS.glob("*.md"))
LANGUAGES = {"sh", "python", "yaml", "promql", "text"}


def all_blocks(language: str) -> list[tuple[str, str]]:
    """Return page and code of all blocks in a language."""
    return [(path.stem, code) for path in PAGES for code in blocks(page(path.stem), language)]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """Return a fake provider that answers anything."""
    with Provider() as provider:
        yield provider


@pytest.mark.parametrize(("name", "code"), all_blocks("python"), ids=lambda value: value[:20])
def test_python_runs(name: str, code: str, provider: Provider, tmp_path: Path) -> None:
    """The Python examples run, on free ports of this machine only, and litespan does not fail in them."""
    code = code.replace("0.0.0.0", "127.0.0.1").replace("9465", str(free_port()))  # noqa: S104 - replaced, not bound
    done = python(
        *("-c", code),
        folder=tmp_path,
        OPENAI_API_KEY="none",
        OPENAI_API_BASE=provider.base_url,
        OPENAI_BASE_URL=provider.base_url,
        OTEL_EXPORTER_PROMETHEUS_PORT=str(free_port()),
    )

    assert (0, False) == (done.returncode, "litespan failed" in done.stderr), done.stderr


def test_every_block_is_looked_at() -> None:
    """There is no block in a language that no test reads."""
    opened = {match for path in PAGES for match in re.findall(r"^```(\w+)$", page(path.stem), re.MULTILINE)}

    assert opened <= LANGUAGES


def test_variables_are_valid() -> None:
    """The variables in commands have values that litespan's settings accept."""
    for _, block in all_blocks("sh"):
        load_settings(dict(re.findall(r"\b([A-Z_]+)=(\S+)", block)))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    """Links to files of the project name files that exist."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page(path.stem))

    assert [] == [link for link in links if not (path.parent / link).exists()]


def test_readme_leads_to_every_page() -> None:
    """A reader of the README finds each page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [] == [path.name for path in PAGES if f"docs/{path.name}" not in readme]
