"""The configurations in deploy/scale: the real servers accept them; what goes wrong silently is checked."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.backends import binary
from tests.fakes.prometheus_names import PROMOTED

ROOT: Final = Path(__file__).parents[2]
SCALE: Final = ROOT / "deploy" / "scale"
AGENT: Final = SCALE / "agent.yaml"
AGENT_ON_KUBERNETES: Final = SCALE / "agent-kubernetes.yaml"
GATEWAY: Final = SCALE / "gateway.yaml"
INGESTER: Final = SCALE / "jaeger-ingester.yaml"
QUERY: Final = SCALE / "jaeger-query.yaml"
CLICKHOUSE: Final = SCALE / "jaeger-storage-clickhouse.yaml"
OPENSEARCH: Final = SCALE / "jaeger-storage-opensearch.yaml"
SASL: Final = SCALE / "kubernetes" / "components" / "kafka-sasl"

# What stands in the environment of a server that reads secrets.
SECRETS: Final = dict.fromkeys(
    ("CLICKHOUSE_PASSWORD", "OPENSEARCH_PASSWORD", "KAFKA_USERNAME", "KAFKA_PASSWORD"), "x"
)

# Every way in which a server is started; of several files, the later ones are laid over the others.
WAYS: Final[Sequence[tuple[str, Sequence[Path]]]] = [
    ("otelcol", [AGENT]),
    ("otelcol", [AGENT, AGENT_ON_KUBERNETES]),
    ("otelcol", [GATEWAY]),
    ("otelcol", [GATEWAY, SASL / "kafka-sasl-gateway.yaml"]),
    *(("jaeger", [first, storage]) for first in (INGESTER, QUERY) for storage in (CLICKHOUSE, OPENSEARCH)),
    ("jaeger", [INGESTER, CLICKHOUSE, SASL / "kafka-sasl-ingester.yaml"]),
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return an environment with secrets, and with a cluster that is named and never asked."""
    cluster = tmp_path_factory.mktemp("cluster") / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "none", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "none", "user": {}}],
        "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
        "current-context": "none",
    }
    cluster.write_text(yaml.safe_dump(content), encoding="utf-8")
    return {**os.environ, **SECRETS, "KUBECONFIG": str(cluster)}


def ask(
    server: str, command: Sequence[str], files: Sequence[Path], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Ask the real server about files, without starting it."""
    options = [part for file in files for part in ("--config", str(file))]
    return subprocess.run(
        [binary(server), *command, *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def effective(server: str, files: Sequence[Path], environment: Mapping[str, str]) -> Any:
    """Return the configuration as the server understood it, with its defaults."""
    # Jaeger is built on an older Collector, where printing must still be switched on.
    gate = ["--feature-gates=otelcol.printInitialConfig"] if server == "jaeger" else []
    done = ask(server, ["print-config", *gate], files, environment)
    assert 0 == done.returncode, done.stderr
    return yaml.safe_load(done.stdout)


def read(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def names(way: tuple[str, Sequence[Path]]) -> str:
    """Name a way after its files."""
    return "+".join(path.stem for path in way[1])


@pytest.mark.parametrize("way", WAYS, ids=names)
def test_real_server_accepts(way: tuple[str, Sequence[Path]], environment: Mapping[str, str]) -> None:
    """Each server finds valid what it is started with."""
    server, files = way
    done = ask(server, ["validate"], files, environment)

    assert 0 == done.returncode, done.stderr


def test_every_configuration_is_looked_at() -> None:
    """There is no configuration of a server that no way above uses."""
    used = {path for _, files in WAYS for path in files}
    there = {*SCALE.glob("*.yaml"), *SASL.glob("kafka-*.yaml")} - {SCALE / "kustomization.yaml"}

    assert there == used


@pytest.mark.parametrize(
    ("way", "change"),
    [
        (("otelcol", [AGENT]), ("routing_key: traceID", "routing_key: trace")),
        (("otelcol", [AGENT]), ("sizer: bytes", "sizer: pounds")),
        (("otelcol", [GATEWAY]), ("decision_wait_after_root_received", "decision_wait_after_root")),
        (("otelcol", [GATEWAY]), ("required_acks: all", "required_acks: most")),
        (("otelcol", [GATEWAY]), ("keep_keys(resource", "keep_key(resource")),
        (("jaeger", [CLICKHOUSE, INGESTER]), ("message_marking:", "message_markings:")),
        (("jaeger", [CLICKHOUSE, QUERY]), ("latency_unit: s", "latency_units: s")),
        (("jaeger", [INGESTER, CLICKHOUSE]), ("addresses:", "address:")),
        (("jaeger", [INGESTER, OPENSEARCH]), ("flush_interval: 200ms", "flush_interval: soon")),
    ],
)
def test_real_server_finds_mistakes(
    way: tuple[str, Sequence[Path]], change: tuple[str, str], environment: Mapping[str, str], tmp_path: Path
) -> None:
    """A misspelt key or a wrong value in the last file is refused: the check above can fail."""
    server, (*first, last) = way
    text = last.read_text(encoding="utf-8")
    assert change[0] in text
    broken = tmp_path / last.name
    broken.write_text(text.replace(*change), encoding="utf-8")

    assert 0 != ask(server, ["validate"], [*first, broken], environment).returncode


def retries(content: Any) -> dict[str, Any]:
    """Return what each part of a configuration does after a failure, by the path to it."""
    found = {}
    if isinstance(content, dict):
        for key, value in content.items():
            if key in ("retry_on_failure", "error_backoff"):
                found[key] = value
            found |= {f"{key}.{path}": inner for path, inner in retries(value).items()}
    return found


# Need not: the one says its figures again, and for the other the receiver asks once more.
OTHERWISE: Final = {
    "exporters.prometheus_remote_write/spans.retry_on_failure",
    "exporters.jaeger_storage_exporter.retry_on_failure",
}


@pytest.mark.parametrize(
    ("server", "files"), [("otelcol", [AGENT]), ("otelcol", [GATEWAY]), ("jaeger", [INGESTER, CLICKHOUSE])]
)
def test_nobody_gives_up(server: str, files: Sequence[Path], environment: Mapping[str, str]) -> None:
    """As the servers understand the files, all try again without end, at growing intervals."""
    found = retries(effective(server, files, environment))
    bounded = {
        path
        for path, retry in found.items()
        if not (retry["enabled"] and retry["max_elapsed_time"] == "0s" and retry["multiplier"] > 1)
    }

    assert found
    assert bounded <= OTHERWISE


def test_a_silent_default_would_be_seen(environment: Mapping[str, str], tmp_path: Path) -> None:
    """Without `enabled`, the load balancer drops what it cannot send; the check above says so."""
    broken = tmp_path / "agent.yaml"
    text = AGENT.read_text(encoding="utf-8")
    broken.write_text(text.replace("      enabled: true\n", ""), encoding="utf-8")
    retry = retries(effective("otelcol", [broken], environment))["exporters.load_balancing.retry_on_failure"]

    assert not retry["enabled"]


def test_queues_are_on_disk(environment: Mapping[str, str]) -> None:
    """What a Collector has accepted is on its disk, written through, and nowhere else on its way."""
    agent = effective("otelcol", [AGENT], environment)
    gateway = effective("otelcol", [GATEWAY], environment)
    kafka = gateway["exporters"]["kafka"]["sending_queue"]
    balancing = agent["exporters"]["load_balancing"]

    assert agent["extensions"]["file_storage"]["fsync"]
    assert gateway["extensions"]["file_storage"]["fsync"]
    assert ["file_storage"] * 3 == [
        queue["storage"]
        for queue in (
            balancing["sending_queue"],
            agent["exporters"]["otlp_http/metrics"]["sending_queue"],
            kafka,
        )
    ]
    assert balancing["protocol"]["otlp"]["sending_queue"] is None
    assert kafka["block_on_overflow"]
    assert not gateway["exporters"]["prometheus_remote_write"]["remote_write_queue"]["enabled"]


def test_metrics_stay_in_order(environment: Mapping[str, str]) -> None:
    """The samples of a series are sent one after the other, and what a store puts off is waited for."""
    agent = effective("otelcol", [AGENT], environment)["exporters"]["otlp_http/metrics"]
    gateway = effective("otelcol", [GATEWAY], environment)["exporters"]["prometheus_remote_write"]

    assert 1 == agent["sending_queue"]["num_consumers"]
    assert agent["sending_queue"]["batch"] is None
    assert 1 == gateway["max_batch_request_parallelism"]
    assert "0s" == gateway["timeout"]


def test_jaeger_stores_before_it_answers(environment: Mapping[str, str]) -> None:
    """A message counts as read once it is stored, from the oldest on; nothing says so earlier."""
    content = effective("jaeger", [INGESTER, CLICKHOUSE], environment)
    kafka = content["receivers"]["kafka"]

    assert (True, False) == (kafka["message_marking"]["after"], kafka["message_marking"]["on_error"])
    assert "earliest" == kafka["initial_offset"]
    assert not content["exporters"]["jaeger_storage_exporter"]["queue"]["enabled"]


@pytest.mark.parametrize("path", [AGENT, GATEWAY, INGESTER, QUERY], ids=lambda path: path.stem)
def test_pipelines(path: Path) -> None:
    """No pipeline has a batch processor, and in a Collector's the memory limiter comes first."""
    for pipeline in read(path)["service"]["pipelines"].values():
        processors = pipeline.get("processors", [])

        assert "batch" not in {name.partition("/")[0] for name in processors}
        assert path in (INGESTER, QUERY) or "memory_limiter" == processors[0]


def test_messages_fit() -> None:
    """The largest batch of an agent fits into what a gateway takes, and a gateway's into what Kafka takes."""
    agent, gateway = read(AGENT), read(GATEWAY)
    grpc = gateway["receivers"]["otlp"]["protocols"]["grpc"]
    kafka = gateway["exporters"]["kafka"]
    from_agent = agent["exporters"]["load_balancing"]["sending_queue"]["batch"]["max_size"]

    assert from_agent < grpc["max_recv_msg_size_mib"] * 1024 * 1024 / 2
    assert kafka["sending_queue"]["batch"]["max_size"] * 2 <= kafka["producer"]["max_message_bytes"]


def test_monitor_counts_before_sampling() -> None:
    """The Monitor tab's figures are of all spans, and Jaeger looks for them under their names."""
    gateway = read(GATEWAY)
    sought = read(QUERY)["extensions"]["jaeger_storage"]["metric_backends"]["span_metrics"]["prometheus"]
    made = gateway["connectors"]["span_metrics"]

    assert ["memory_limiter"] == gateway["service"]["pipelines"]["traces/monitor"]["processors"]
    assert made == {**read(ROOT / "deploy/collector/collector.yaml")["connectors"]["span_metrics"]} | {
        "metrics_flush_interval": made["metrics_flush_interval"]
    }
    assert ("traces_span_metrics", "s") == (sought["metric_namespace"], sought["latency_unit"])
    assert (True, True) == (sought["normalize_calls"], sought["normalize_duration"])


def test_labels_are_those_of_the_dashboards() -> None:
    """What becomes a label is what it is on one machine; of span metrics, the gateway's name is one more."""
    processors = read(GATEWAY)["processors"]
    (kept,) = processors["transform/labels"]["metric_statements"][0]["statements"]

    assert list(PROMOTED) == re.findall(r'"([a-z.]+)"', kept)
    assert "GATEWAY_NAME" in str(processors["transform/of_services"])


def test_dear_runs_are_found_by_the_attribute() -> None:
    """The condition for dear runs reads the attribute that litespan writes, and reads it as any number."""
    from litespan import semconv

    policies = {one["name"]: one for one in read(GATEWAY)["processors"]["tail_sampling"]["policies"]}
    (condition,) = policies["dear"]["ottl_condition"]["span"]

    assert {"failed", "dear", "slow", "share of the rest"} == set(policies)
    assert 2 == condition.count(f'attributes["{semconv.TOTAL_COST}"]')
    assert "numeric_attribute" not in {one["type"] for one in policies.values()}


def test_storages_have_the_name_that_is_asked_for() -> None:
    """Whichever storage is laid over them, ingester and query find it."""
    asked = {
        read(INGESTER)["exporters"]["jaeger_storage_exporter"]["trace_storage"],
        read(QUERY)["extensions"]["jaeger_query"]["storage"]["traces"],
    }
    for path in (CLICKHOUSE, OPENSEARCH):
        assert asked == set(read(path)["extensions"]["jaeger_storage"]["backends"])


@pytest.mark.parametrize("path", [AGENT, GATEWAY, INGESTER, QUERY], ids=lambda path: path.stem)
def test_nothing_listens_beyond_this_machine_unasked(path: Path) -> None:
    """Started by hand, a server listens on this machine only."""
    text = path.read_text(encoding="utf-8")
    hosts = re.findall(r"^ +(?:endpoint|host): (\S*LISTEN_HOST\S*)$", text, re.MULTILINE)

    assert len(hosts) >= 2
    assert [] == [value for value in hosts if "_LISTEN_HOST:-127.0.0.1}" not in value]


def test_grafana_has_the_same_sources() -> None:
    """The data sources are those of one machine, but for their addresses, a type and a name."""
    shipped = read(ROOT / "deploy/grafana/provisioning/datasources/datasources.yaml")["datasources"]
    metrics, jaeger = read(SCALE / "grafana" / "datasources.yaml")["datasources"]
    first, *_ = metrics["jsonData"]["exemplarTraceIdDestinations"]

    assert {"litespan-prometheus", "litespan-jaeger"} == {metrics["uid"], jaeger["uid"]}
    assert "$JAEGER_PUBLIC_URL/trace/$${__value.raw}" == first["url"]
    metrics["name"], metrics["url"], jaeger["url"] = "Prometheus", shipped[0]["url"], shipped[1]["url"]
    metrics["jsonData"]["prometheusType"] = "Prometheus"
    first["url"] = shipped[0]["jsonData"]["exemplarTraceIdDestinations"][0]["url"]
    assert shipped == [metrics, jaeger]


def test_no_secret_stands_in_a_file() -> None:
    """What is called a password, a key or a token comes from the environment or from a store, everywhere."""
    for path in SCALE.rglob("*"):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        values = re.findall(r"^[\s-]*(?:password|username|token|api_key): *(\S+)", text, re.MULTILINE)

        assert "kind: Secret\n" not in text
        assert [] == [value for value in values if not value.startswith("${env:")], path
