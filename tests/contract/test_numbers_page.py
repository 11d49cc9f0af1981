"""The page on what the numbers mean names metrics, attributes and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

from litespan import semconv

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "what-the-numbers-mean.md").read_text(encoding="utf-8")


def test_names_exist() -> None:
    """Every metric and attribute on the page is one that litespan emits; ``*`` stands for more."""
    names = {metric.name for generation in semconv.GENERATIONS.values() for metric in generation.metrics}
    names |= {value for value in vars(semconv).values() if isinstance(value, str)}
    told = re.findall(r"`((?:litespan|gen_ai)\.[\w.*]+?)`", PAGE)

    assert len(told) > 8
    for name in told:
        pattern = re.compile(re.escape(name).replace(r"\*", ".*"))
        assert any(pattern.fullmatch(known) for known in names), name


def test_files_exist() -> None:
    """Files of the repository that the page names are there."""
    told = re.findall(r"`(tests/[\w./]+)`", PAGE)

    assert told
    assert [] == [path for path in told if not (ROOT / path).exists()]
