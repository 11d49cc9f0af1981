"""Versions of the hosts, and packages beside litespan that tell the same calls."""

from __future__ import annotations

import re
import sys
from importlib import metadata
from pathlib import Path

import pytest

from litespan.cli.checks import facts
from litespan.cli.checks.doubling import PACKAGES, check_instrumentations
from litespan.cli.checks.finding import Status
from litespan.cli.checks.versions import TESTED, check_malicious_file, check_version, numbers

ROOT = Path(__file__).parents[4]
DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


@pytest.mark.parametrize(
    ("package", "installed", "status"),
    [
        ("litellm", "1.82.6", Status.PROBLEM),
        ("litellm", "1.82.7", Status.PROBLEM),
        ("litellm", "1.82.8", Status.PROBLEM),
        ("litellm", "1.83.0", Status.OK),
        ("litellm", "1.110.7", Status.OK),
        ("litellm", "1.111.0rc1", Status.WARNING),
        ("openai-agents", "0.20.1", Status.PROBLEM),
        ("openai-agents", "0.24.3", Status.OK),
        ("openai-agents", "1.0.0", Status.WARNING),
        ("opentelemetry-sdk", "1.45.0", Status.PROBLEM),
        ("opentelemetry-sdk", "1.45.1", Status.OK),
        ("opentelemetry-sdk", None, Status.PROBLEM),
    ],
)
def test_versions(package: str, installed: str | None, status: Status) -> None:
    """Older than allowed or known to be bad is a problem; newer than tested is a warning without a mend."""
    finding = check_version(package, installed)

    assert status is finding.status
    assert (status is Status.PROBLEM) == bool(finding.mends)


def test_malicious_versions() -> None:
    """The two malicious uploads are called that, and what to do besides is said."""
    finding = check_version("litellm", "1.82.8")

    assert "malicious" in finding.says
    assert "replace every key" in finding.mends[0]


def test_malicious_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that 1.82.8 leaves behind is found in folders of packages."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    before = check_malicious_file(facts.folders_with_malicious_file())
    (tmp_path / "litellm_init.pth").touch()
    after = check_malicious_file(facts.folders_with_malicious_file())

    assert (Status.OK, Status.PROBLEM) == (before.status, after.status)
    assert f"rm '{tmp_path}/litellm_init.pth'" in after.mends[0]


@pytest.mark.parametrize("package", TESTED)
def test_oldest_are_those_of_the_requirements(package: str) -> None:
    """What is allowed here is what the project's requirements allow."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(rf'"{package}>=([0-9.]+)', text)

    assert found is not None
    assert TESTED[package].oldest == found[1]


def test_newest_are_at_least_the_installed_ones() -> None:
    """What these tests run with has been run with."""
    assert [] == [
        package
        for package, tested in TESTED.items()
        if numbers(metadata.version(package))[:2] > numbers(tested.newest)
    ]


def test_other_instrumentations() -> None:
    """Only what `opentelemetry-instrument` would switch on needs a mend; what is disabled is kept so."""
    by_name = {"openinference-instrumentation-litellm": ["litellm"], "openlit": []}
    finding = check_instrumentations(by_name, {DISABLED: "redis"})

    assert (Status.WARNING, (f"export {DISABLED}=litellm,redis",)) == (finding.status, finding.mends)
    assert Status.OK is check_instrumentations(by_name, {DISABLED: "litellm"}).status
    assert Status.OK is check_instrumentations({"openlit": []}, {}).status
    assert Status.OK is check_instrumentations({}, {}).status


def test_names_of_packages() -> None:
    """Each instrumentation that litespan knows has a package, but for LiteLLM's own."""
    assert {"logfire", "openlit", "openinference-instrumentation-litellm"} <= set(PACKAGES)
    assert not any(" " in name or "(" in name for name in PACKAGES)


def test_installed_instrumentation_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is installed is found with its names for `opentelemetry-instrument`."""
    information = tmp_path / "openlit-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: openlit\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[opentelemetry_instrumentor]\nlit = openlit:Lit\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert ("lit",) == facts.other_instrumentations()["openlit"]
