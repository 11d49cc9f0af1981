"""The configurations in deploy/: the real servers accept them, and what goes wrong silently is checked."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.backends import binary

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COLLECTOR = DEPLOY / "collector" / "collector.yaml"
DROP_CONTENT = DEPLOY / "collector" / "examples" / "drop-content.yaml"
JAEGER = DEPLOY / "jaeger" / "jaeger.yaml"
PROMETHEUS = DEPLOY / "prometheus" / "prometheus.yml"

# How each server is asked whether a configuration is valid; several files are laid over each other.
VALIDATE = {
    "otelcol": ("validate", "--config"),
    "jaeger": ("validate", "--config"),
    "promtool": ("check", "config"),
}


def validate(server: str, *files: Path) -> subprocess.CompletedProcess[str]:
    """Ask the real server, without starting it."""
    command, *option = VALIDATE[server]
    paths = [part for file in files for part in (*option, str(file))]
    if server == "promtool":
        paths = [*option, *map(str, files)]
    return subprocess.run(
        [binary(server), command, *paths], capture_output=True, text=True, timeout=60, check=False
    )


def read(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("server", "files"),
    [
        ("otelcol", [COLLECTOR]),
        ("otelcol", [COLLECTOR, DROP_CONTENT]),
        ("jaeger", [JAEGER]),
        ("promtool", [PROMETHEUS]),
    ],
)
def test_real_server_accepts(server: str, files: Sequence[Path]) -> None:
    """Each server finds its shipped configuration valid."""
    done = validate(server, *files)

    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("file", [JAEGER, DEPLOY / "scale" / "jaeger-query.yaml"])
def test_jaeger_traces_no_queries_of_its_own(file: Path) -> None:
    """Unless it is told, Jaeger writes a trace for each look at its pages, among those of the agents."""
    assert read(file)["extensions"]["jaeger_query"]["enable_tracing"] is False


@pytest.mark.parametrize(
    ("server", "file", "old", "new"),
    [
        ("otelcol", COLLECTOR, "fsync: true", "fsyncs: true"),
        ("otelcol", COLLECTOR, "sizer: bytes", "sizer: pounds"),
        (
            "otelcol",
            COLLECTOR,
            "exporters: [otlp_grpc/jaeger, span_metrics]",
            "exporters: [otlp_grpc/zipkin]",
        ),
        ("jaeger", JAEGER, "consistency: true", "consistent: true"),
        ("jaeger", JAEGER, "latency_unit: s", "latency_units: s"),
        ("promtool", PROMETHEUS, "promote_resource_attributes", "promoted_resource_attributes"),
        ("promtool", PROMETHEUS, "UnderscoreEscapingWithSuffixes", "underscores"),
    ],
)
def test_real_server_finds_mistakes(server: str, file: Path, old: str, new: str, tmp_path: Path) -> None:
    """A misspelt key or a wrong value is refused by the real server: the check above can fail."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / file.name
    broken.write_text(text.replace(old, new), encoding="utf-8")

    assert 0 != validate(server, broken).returncode


@pytest.mark.parametrize("path", [COLLECTOR, JAEGER], ids=lambda path: path.name)
def test_no_batch_before_storage(path: Path) -> None:
    """No pipeline has a batch processor, which would say "received" of what a kill can still lose."""
    content = read(path)
    used = [name for line in content["service"]["pipelines"].values() for name in line.get("processors", ())]

    assert [] == [name for name in used if name.partition("/")[0] == "batch"]


@pytest.mark.parametrize("files", [[COLLECTOR], [COLLECTOR, DROP_CONTENT]], ids=["shipped", "drop-content"])
def test_memory_limiter_comes_first(files: Sequence[Path]) -> None:
    """In every pipeline the memory limiter is the first processor."""
    for file in files:
        for pipeline in read(file)["service"]["pipelines"].values():
            assert "memory_limiter" == pipeline["processors"][0]


def test_collector_keeps_what_it_accepted() -> None:
    """Every exporter has its queue on disk, written through, and never gives up."""
    content = read(COLLECTOR)

    assert content["extensions"]["file_storage"]["fsync"]
    assert {"health_check", "file_storage"} == set(content["service"]["extensions"])
    for exporter in content["exporters"].values():
        assert "file_storage" == exporter["sending_queue"]["storage"]
        assert 0 == exporter["retry_on_failure"]["max_elapsed_time"]
    prometheus = content["exporters"]["otlp_http/prometheus"]["sending_queue"]
    assert (1, False) == (prometheus["num_consumers"], "batch" in prometheus)


def test_batches_fit_into_what_jaeger_takes() -> None:
    """The largest batch that the Collector makes is smaller than the largest message that Jaeger accepts."""
    batch = read(COLLECTOR)["exporters"]["otlp_grpc/jaeger"]["sending_queue"]["batch"]["max_size"]
    message = read(JAEGER)["receivers"]["otlp"]["protocols"]["grpc"]["max_recv_msg_size_mib"]

    assert batch < message * 1024 * 1024 / 2


def test_monitor_finds_the_span_metrics() -> None:
    """Jaeger looks for the names and the unit that the Collector's span metrics have; it warns of nothing."""
    made = read(COLLECTOR)["connectors"]["span_metrics"]
    sought = read(JAEGER)["extensions"]["jaeger_storage"]["metric_backends"]["span_metrics"]["prometheus"]

    assert (made["namespace"], made["histogram"]["unit"]) == (
        sought["metric_namespace"],
        sought["latency_unit"],
    )
    assert sought["normalize_calls"]
    assert sought["normalize_duration"]
    assert made["exemplars"]["enabled"]


def test_jaeger_keeps_spans_on_disk() -> None:
    """Jaeger's storage is on disk, written through, and what is stored is what is queried."""
    extensions = read(JAEGER)["extensions"]
    (name, backend), *_ = extensions["jaeger_storage"]["backends"].items()

    assert backend["badger"]["consistency"]
    assert not backend["badger"]["ephemeral"]
    assert name == extensions["jaeger_query"]["storage"]["traces"]
    assert name == read(JAEGER)["exporters"]["jaeger_storage_exporter"]["trace_storage"]


def test_prometheus_gets_the_labels_of_the_dashboards() -> None:
    """The attributes that become labels are those that a scrape of the program has."""
    from tests.fakes.prometheus_names import PROMOTED

    otlp = read(PROMETHEUS)["otlp"]

    assert list(PROMOTED) == otlp["promote_resource_attributes"]
    assert not otlp["convert_histograms_to_nhcb"]


def test_prometheus_is_started_for_otlp() -> None:
    """The stack switches on what the configuration cannot: the OTLP receiver and the storage of exemplars."""
    services = read(ROOT / "docker-compose.yml")["services"]
    command = services["prometheus"]["command"]

    assert {"--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"} <= set(command)


def test_prometheus_scrapes_services_of_the_stack() -> None:
    """The targets are services of docker-compose.yml, on the ports of their own metrics."""
    services = read(ROOT / "docker-compose.yml")["services"]
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in read(PROMETHEUS)["scrape_configs"]
    }

    assert {
        "prometheus": ["localhost:9090"],
        "otel-collector": ["otel-collector:8888"],
        "jaeger": ["jaeger:8888"],
    } == jobs
    assert set(jobs) < set(services)
    for file in (COLLECTOR, JAEGER):
        assert "_METRICS_PORT:-8888}" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [COLLECTOR, JAEGER], ids=lambda path: path.name)
def test_nothing_listens_beyond_this_machine_unasked(path: Path) -> None:
    """Started by hand, a server listens on this machine only; docker-compose.yml widens it inside."""
    text = path.read_text(encoding="utf-8")
    listening = re.findall(r"^ +(?:endpoint|host): (\S+)$", text, re.MULTILINE)
    hosts = [value for value in listening if "LISTEN_HOST" in value]

    assert len(hosts) >= 4
    assert [] == [value for value in hosts if "_LISTEN_HOST:-127.0.0.1}" not in value]
    assert "0.0.0.0" not in re.sub(r"^ *#.*$", "", text, flags=re.MULTILINE)  # noqa: S104 - looked for, not bound


@pytest.mark.parametrize("path", [COLLECTOR, JAEGER], ids=lambda path: path.name)
def test_defaults_are_the_services_of_the_stack(path: Path) -> None:
    """Other servers are looked for under the names that docker-compose.yml gives them."""
    services = read(ROOT / "docker-compose.yml")["services"]
    addresses = re.findall(r"\$\{env:\w+:-(?:http://)?([a-z-]+):\d+\}", path.read_text(encoding="utf-8"))

    assert addresses
    assert set(addresses) <= set(services)


def test_pages_settings_are_json() -> None:
    """Jaeger reads the settings of its page as JSON; the Monitor tab is switched on."""
    assert json.loads((DEPLOY / "jaeger" / "ui.json").read_text(encoding="utf-8"))["monitor"]["menuEnabled"]
