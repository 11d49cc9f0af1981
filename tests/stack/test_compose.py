"""docker-compose.yml: what Compose itself says of it, and the rules that Compose does not know."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from tests.backends import binary
from tests.stack.commands import ROOT, run
from tests.stack.compose_rules import faults

FILE = ROOT / "docker-compose.yml"
ADMIN = ROOT / "deploy" / "grafana" / "admin.yml"


def compose(*options: str, **environment: str) -> CompletedProcess[str]:
    """Run the real Compose, which needs no engine to read files."""
    return run(binary("docker-compose"), *options, **environment)


@pytest.fixture
def shipped() -> dict[str, Any]:
    """Return the content of docker-compose.yml, to read or to break."""
    content: dict[str, Any] = copy.deepcopy(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    return content


def at(content: Mapping[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """Return what holds the last key of a path with slashes, and that key."""
    *way, last = path.split("/")
    for step in way:
        content = content[step]
    return content, last  # type: ignore[return-value] # what is inside can be written


def test_compose_accepts_it() -> None:
    """The real Compose reads the file with all profiles and finds nothing wrong."""
    done = compose("--profile", "demo", "config", "--quiet")

    assert (0, "") == (done.returncode, done.stderr)


def test_compose_reads_what_is_meant() -> None:
    """What Compose understands is what the rules look at: images, loopback addresses, memory, restarts."""
    understood = json.loads(compose("--profile", "demo", "config", "--format", "json").stdout)["services"]
    written = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]

    assert set(written) == set(understood)
    for name, service in understood.items():
        assert service.get("image") == written[name].get("image")
        assert service["restart"] == written[name]["restart"]
        assert int(service["mem_limit"]) >= 32 * 1024 * 1024
        assert {"127.0.0.1"} >= {port["host_ip"] for port in service.get("ports", ())}
        assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mem_limit: 32m", "mem_limitt: 32m"),
        ("127.0.0.1:9090:9090", "127.0.0.1:9090:nine"),
        ("volumes-init: {condition", "volume-init: {condition"),
        ("profiles: [demo]", "profiles: {demo: 1}"),
    ],
)
def test_compose_finds_mistakes(old: str, new: str, tmp_path: Path) -> None:
    """A misspelt key, a wrong port, an unknown service and a wrong type are refused: the check can fail."""
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(text.replace(old, new), encoding="utf-8")

    assert 0 != compose("-f", str(broken), "--profile", "demo", "config", "--quiet").returncode


def test_demo_is_a_profile() -> None:
    """`docker compose up` alone does not build and run the demo."""
    services = compose("config", "--services").stdout.split()

    assert "demo" not in services
    assert {"otel-collector", "jaeger", "prometheus", "grafana"} < set(services)


def test_account_needs_a_password() -> None:
    """The file that makes an account for Grafana is refused without a password, and taken with one."""
    files = ("-f", str(FILE), "-f", str(ADMIN))
    refused = compose(*files, "config", "--quiet")
    taken = compose(*files, "config", "--format", "json", GRAFANA_ADMIN_PASSWORD="a long one")  # noqa: S106
    environment = json.loads(taken.stdout)["services"]["grafana"]["environment"]

    assert 0 != refused.returncode
    assert "choose a password" in refused.stderr
    assert "a long one" == environment["GF_SECURITY_ADMIN_PASSWORD"]
    assert "Viewer" == environment["GF_AUTH_ANONYMOUS_ORG_ROLE"]


def test_rules_hold(shipped: dict[str, Any]) -> None:
    """Versions are exact, ports local, memory and logs limited, mounted files there, rights few."""
    assert [] == faults(shipped, ROOT)


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("services/grafana/image", "grafana/grafana:latest", "grafana: version not exact"),
        ("services/grafana/image", "grafana/grafana:12", "grafana: version not exact"),
        ("services/demo/build/args/PYTHON_IMAGE", "python", "demo: version not exact"),
        ("services/jaeger/ports", ["16686:16686"], "jaeger: port beyond this machine"),
        ("services/jaeger/network_mode", "host", "jaeger: host network"),
        ("services/prometheus/mem_limit", None, "prometheus: memory without limit"),
        ("services/prometheus/logging", {}, "prometheus: log without limit"),
        ("services/volumes-init/restart", "always", "volumes-init: wrong restart policy"),
        ("services/jaeger/restart", None, "jaeger: wrong restart policy"),
        ("services/jaeger/healthcheck", {}, "jaeger: health check missing, or one that cannot run"),
        ("services/grafana/healthcheck", None, "grafana: health check missing, or one that cannot run"),
        (
            "services/demo/depends_on/otel-collector/condition",
            "service_healthy",
            "demo: waits for a health check that does not exist",
        ),
        ("services/jaeger/cap_drop", None, "jaeger: more rights than needed"),
        ("services/grafana/environment/GF_AUTH_ANONYMOUS_ORG_ROLE", "Admin", "grafana: anonymous may write"),
        (
            "services/grafana/environment/GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION",
            None,
            "grafana: well-known password",
        ),
        ("services/demo/build/dockerfile", "Dockerfile", "demo: Dockerfile does not exist"),
        ("services/demo/volumes", ["./nothing:/nothing:ro"], "demo: ./nothing does not exist"),
        ("services/demo/volumes", ["./deploy:/deploy"], "demo: ./deploy can be written"),
        (
            "services/jaeger/command",
            ["--config=/etc/jaeger/j.yaml"],
            "jaeger: /etc/jaeger/j.yaml is not mounted",
        ),
        ("volumes/more", None, "volumes: ['more']"),
        ("services/jaeger/depends_on", {}, "jaeger: does not wait for the owner of its volume"),
        ("services/volumes-init/volumes", [], "jaeger: has no volume that was prepared"),
    ],
)
def test_rules_can_fail(shipped: dict[str, Any], path: str, value: object, fault: str) -> None:
    """Each rule sees the mistake that it is there for."""
    holder, key = at(shipped, path)
    if value is None and path != "volumes/more":
        del holder[key]
    else:
        holder[key] = value

    assert fault in faults(shipped, ROOT)


def test_ports_are_those_of_the_configurations(shipped: dict[str, Any]) -> None:
    """The ports that are published are those on which the shipped configurations listen."""
    inside = {
        name: [port.rpartition(":")[2] for port in shipped["services"][name]["ports"]]
        for name in ("otel-collector", "jaeger")
    }
    collector = (ROOT / "deploy" / "collector" / "collector.yaml").read_text(encoding="utf-8")
    jaeger = (ROOT / "deploy" / "jaeger" / "jaeger.yaml").read_text(encoding="utf-8")

    assert [] == [port for port in inside["otel-collector"] if f"_PORT:-{port}}}" not in collector]
    assert [] == [port for port in inside["jaeger"] if f"_PORT:-{port}}}" not in jaeger]
