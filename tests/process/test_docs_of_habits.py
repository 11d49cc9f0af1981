"""The commands, configurations and queries on the pages about zero code and Prometheus are right."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import tomli
import yaml

from litespan import semconv
from litespan.export.scraping import RESOURCE_LABELS
from litespan.settings import load_settings
from litespan.testing import Provider
from tests.pages import blocks, page
from tests.process.zero_code.commands import BIN, PROGRAMS, environment

pytestmark = pytest.mark.timeout(240)

ROOT = Path(__file__).parents[2]
PAGES = page("zero-code") + page("prometheus")
COMMANDS = blocks(PAGES, "sh")
QUERIES = "".join(blocks(PAGES, "promql"))


def test_extras_exist() -> None:
    """The extras that are installed on the pages, and in messages, are those of the project."""
    extras = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    named = [re.findall(r"\[(\w+)\]", block) for block in COMMANDS if "pip install" in block]

    assert [["auto"], ["prometheus"]] == named
    assert {"auto", "prometheus"} <= set(extras)


def test_first_command_runs(tmp_path: Path) -> None:
    """The command for files writes both files for a program that knows nothing of litespan."""
    command = next(block for block in COMMANDS if "=litespan_file" in block)
    shutil.copy(PROGRAMS / "program.py", tmp_path / "app.py")
    with Provider() as provider:
        env = environment(provider.base_url, "http://127.0.0.1:9")
        env |= {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(PROGRAMS)}
        subprocess.run(["sh", "-ec", command], cwd=tmp_path, env=env, check=True, timeout=120)

    assert "invoke_agent Helper" in (tmp_path / "litespan-traces.jsonl").read_text(encoding="utf-8")
    assert "litespan.calls" in (tmp_path / "litespan-metrics.jsonl").read_text(encoding="utf-8")


def test_commands_can_be_understood() -> None:
    """The other commands name programs that are there and options that these have."""
    servers = [block.split() for block in COMMANDS if block.startswith("opentelemetry-instrument ")]

    assert [["uvicorn", "app:app"], ["gunicorn", "app:app", "--workers", "4"]] == [
        line[1:] for line in servers
    ]
    for line in servers:
        options = subprocess.run([BIN / line[1], "--help"], capture_output=True, text=True, check=True).stdout
        assert all(option in options for option in line[3:] if option.startswith("--"))


def test_prometheus_is_told_the_labels() -> None:
    """The configuration is YAML that promotes the labels of a scrape, and scrapes the default port."""
    scrape, push, _collector = (yaml.safe_load(block) for block in blocks(PAGES, "yaml"))

    assert list(RESOURCE_LABELS) == push["otlp"]["promote_resource_attributes"]
    (target,) = scrape["scrape_configs"][0]["static_configs"][0]["targets"]
    assert f"127.0.0.1:{load_settings({}).prometheus_port}" == target


def test_queries_use_names_that_exist() -> None:
    """The metrics in the queries are litespan's, under the names that Prometheus gives them."""
    metrics = {metric.name.replace(".", "_") for metric in semconv.METRICS}
    used = re.findall(r"\b((?:litespan|gen_ai)_\w+?)(?:_total|_seconds_bucket)[\[{]", QUERIES)

    assert 2 == len(used)
    assert set(used) <= metrics
