"""docs/stack.md and the demo's image: what they say is what the files say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tomli
import yaml

from tests.backends import binary
from tests.pages import blocks, page
from tests.stack.commands import ROOT, run

PAGE = page("stack")
COMPOSE = ROOT / "docker-compose.yml"
COLLECTOR = ROOT / "deploy" / "collector" / "collector.yaml"
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
DOCKERFILE = ROOT / "deploy" / "demo" / "Dockerfile"
PYPROJECT = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_overlay_of_the_page_drops_content(tmp_path: Path) -> None:
    """The page's file over docker-compose.yml is accepted, and gives the Collector files that are mounted."""
    overlay = tmp_path / "no-prompts.yml"
    overlay.write_text(blocks(PAGE, "yaml")[0], encoding="utf-8")
    done = run(binary("docker-compose"), "-f", str(COMPOSE), "-f", str(overlay), "config", "--format", "json")
    command = yaml.safe_load(done.stdout)["services"]["otel-collector"]["command"]

    assert 0 == done.returncode, done.stderr
    assert 2 == len(command)
    for argument in command:
        inside = argument.removeprefix("--config=/etc/otelcol/")
        assert (ROOT / "deploy" / "collector" / inside).is_file()


def test_other_receiver_of_the_page_is_accepted(tmp_path: Path) -> None:
    """The page's exporter, laid over the shipped configuration, is valid for the real Collector."""
    overlay = tmp_path / "elsewhere.yaml"
    overlay.write_text(blocks(PAGE, "yaml")[1], encoding="utf-8")
    configurations = ("--config", str(COLLECTOR), "--config", str(overlay))
    done = run(binary("otelcol"), "validate", *configurations, ELSEWHERE_AUTHORIZATION="Bearer x")

    assert 0 == done.returncode, done.stderr


def test_versions_are_those_of_the_file() -> None:
    """The pinned versions on the page are the tags in docker-compose.yml."""
    tags = {
        name: SERVICES[name]["image"].rpartition(":")[2].removeprefix("v")
        for name in SERVICES
        if "image" in SERVICES[name]
    }
    rows = dict(
        re.findall(r"^\| (Collector|Jaeger|Prometheus|Grafana)\b[^|]*\|[^|]*\| ([\d.]+)", PAGE, re.MULTILINE)
    )

    assert rows == {
        "Collector": tags["otel-collector"],
        "Jaeger": tags["jaeger"],
        "Prometheus": tags["prometheus"],
        "Grafana": tags["grafana"],
    }


def test_what_is_kept_is_what_the_files_say() -> None:
    """Days and sizes on the page are those of the configurations."""
    backends = yaml.safe_load((ROOT / "deploy/jaeger/jaeger.yaml").read_text(encoding="utf-8"))["extensions"]
    hours = backends["jaeger_storage"]["backends"]["disk"]["badger"]["ttl"]["spans"].removesuffix("h")
    flags = dict(flag.rpartition("=")[::2] for flag in SERVICES["prometheus"]["command"])
    exporters = yaml.safe_load(COLLECTOR.read_text(encoding="utf-8"))["exporters"]
    queues = {exporter["sending_queue"]["queue_size"] for exporter in exporters.values()}

    assert f"**Traces**: {int(hours) // 24} days" in PAGE
    assert f"{flags['--storage.tsdb.retention.time'].removesuffix('d')} days or 8 GB" in PAGE
    assert "8GB" == flags["--storage.tsdb.retention.size"]
    assert {256 * 1024 * 1024} == queues
    assert "up to 256 MiB for each" in PAGE


def test_ports_of_the_page_are_published() -> None:
    """Each address in the page's table is a port that the stack publishes on this machine."""
    published = {port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", ())}
    named = re.findall(r"^\| http://localhost:(\d+) \|", PAGE, re.MULTILINE)

    assert 5 == len(named)
    assert set(named) <= published


def copied() -> set[str]:
    """Return what the demo's image is built from."""
    lines = re.findall(r"^COPY (.+) \S+$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name for line in lines for name in line.split()}


def test_image_gets_all_that_it_is_built_from() -> None:
    """What the wheel is made of is copied into the image, and what is copied is let through and exists."""
    ignore = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {
        "pyproject.toml",
        "constraints.txt",
        PYPROJECT["project"]["readme"],
        *PYPROJECT["project"]["license-files"],
        *(path.split("/")[0] for path in (*wheel["packages"], *wheel.get("force-include", ()))),
    }

    assert needed <= copied()
    assert copied() == {line.removeprefix("!") for line in ignore if line.startswith("!")}
    assert [] == [name for name in copied() if not (ROOT / name).exists()]


def test_image_runs_the_demo_without_rights() -> None:
    """The image's last user is none with rights, and the command is one that litespan has."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    (user,) = re.findall(r"^USER (\S+)$", text, re.MULTILINE)

    assert int(user) > 0
    assert f"--uid {user} " in text
    assert 'ENTRYPOINT ["litespan", "demo"]' in text
    assert ["--otlp", "http://otel-collector:4318"] == SERVICES["demo"]["command"]
