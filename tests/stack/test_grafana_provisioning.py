"""Grafana's provisioning files: uids, addresses, links, and dollar signs that would vanish silently."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from litespan import semconv
from tests.stack.commands import check_rules

ROOT = Path(__file__).parents[2]
PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"
FILES = sorted(path for path in PROVISIONING.rglob("*") if path.is_file())
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
DASHBOARDS = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob("dashboards/*.json")
}
JAEGER_UI = json.loads((ROOT / "deploy" / "jaeger" / "ui.json").read_text(encoding="utf-8"))

# What Jaeger's page knows of a trace besides attributes.
OF_TRACES = {"traceID", "traceName", "duration", "startTime", "endTime"}


def read(path: Path) -> Any:
    """Return the content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def sources() -> dict[str, dict[str, Any]]:
    """Return the data sources by uid."""
    listed = read(PROVISIONING / "datasources" / "datasources.yaml")["datasources"]
    return {source["uid"]: source for source in listed}


def texts(value: object) -> Iterator[str]:
    """Return every text inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def swallowed(text: str) -> list[str]:
    """Return what Grafana would take for a variable of its environment: a name after a single dollar."""
    return re.findall(r"\$\{?\w+", text.replace("$$", ""))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_is_yaml_of_version_one(path: Path) -> None:
    """Each file, the example included, is YAML and says the version of its format."""
    assert 1 == read(path)["apiVersion"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_dollar_is_swallowed(path: Path) -> None:
    """Every dollar sign is doubled; files of alerts, of which Grafana takes parts as they are, have none."""
    content = read(path)

    assert [] == [name for text in texts(content) for name in swallowed(text)]
    assert path.parent.name != "alerting" or [] == [text for text in texts(content) if "$" in text]


def test_single_dollar_is_seen() -> None:
    """A query whose dollar signs are single would lose its variables, and the check says so."""
    assert ["$__tags", "${__value"] == swallowed("calls{$__tags} ${__value.raw} $$fine")


def test_example_is_not_read() -> None:
    """Grafana reads .yaml and .yml only, so the example with a made-up address does nothing as it stands."""
    (example,) = (PROVISIONING / "alerting").iterdir()

    assert ".example" == example.suffix


def test_sources_lead_to_services_of_the_stack() -> None:
    """Both data sources have the uids that the dashboards use, and ports on which the services listen."""
    inside = {uid: re.findall(r"//([\w-]+):(\d+)$", source["url"])[0] for uid, source in sources().items()}

    assert {"litespan-prometheus": ("prometheus", "9090"), "litespan-jaeger": ("jaeger", "16686")} == inside
    for name, port in inside.values():
        assert any(published.endswith(f":{port}") for published in SERVICES[name]["ports"])


def test_exemplars_lead_to_jaeger() -> None:
    """An exemplar's trace id opens Jaeger's page, which needs no account, or the Jaeger data source."""
    ways = sources()["litespan-prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    published = [port.split(":")[1] for port in SERVICES["jaeger"]["ports"]]

    assert {"trace_id"} == {way["name"] for way in ways}
    assert {"litespan-jaeger"} == {way["datasourceUid"] for way in ways if "datasourceUid" in way}
    (url,) = (way["url"] for way in ways if "url" in way)
    assert re.findall(r":(\d+)/trace/\$\$\{__value\.raw\}$", url)[0] in published


def test_traces_lead_to_metrics() -> None:
    """From a span, Grafana asks for metrics that litespan emits, by labels that those metrics have."""
    ways = sources()["litespan-jaeger"]["jsonData"]["tracesToMetrics"]
    asked = {name for way in ways["queries"] for name in re.findall(r"(\w+)\{\$\$__tags\}", way["query"])}
    metrics = {re.sub(r"\W", "_", metric.name): metric for metric in semconv.METRICS}

    assert "litespan-prometheus" == ways["datasourceUid"]
    assert 3 == len(asked)
    for name in asked:
        (metric,) = (
            metric for base, metric in metrics.items() if re.fullmatch(rf"{base}(_seconds)?(_\w+)?", name)
        )
        assert {tag["key"] for tag in ways["tags"]} <= set(metric.attributes)
    for tag in ways["tags"]:
        assert tag["value"] == re.sub(r"\W", "_", tag["key"])


def test_queries_are_promql(tmp_path: Path) -> None:
    """The queries from spans to metrics pass Prometheus' own parser, with their variables replaced."""
    queries = sources()["litespan-jaeger"]["jsonData"]["tracesToMetrics"]["queries"]
    replaced = [
        way["query"].replace("$$__tags", 'gen_ai_request_model="m"').replace("$$__rate_interval", "4m")
        for way in queries
    ]
    rules = [{"record": f"query:{number}", "expr": expr} for number, expr in enumerate(replaced)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    done = check_rules(file)

    assert 0 == done.returncode, done.stderr
    assert "3 rules found" in done.stdout


def test_interval_is_that_of_the_programs() -> None:
    """Grafana knows how often litespan sends, so that rates over it have no holes."""
    from litespan.settings import Settings

    seconds = Settings().metric_interval

    assert f"{seconds:.0f}s" == sources()["litespan-prometheus"]["jsonData"]["timeInterval"]


def test_dashboards_are_where_the_provider_looks() -> None:
    """The provider reads the folder in which the stack mounts the dashboards, and nobody edits them there."""
    (provider,) = read(PROVISIONING / "dashboards" / "dashboards.yaml")["providers"]

    assert f"./dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]
    assert not provider["allowUiUpdates"]


def test_dashboards_use_the_sources() -> None:
    """Each dashboard names no other data source by uid than the provisioned ones and its own variable."""
    uids = {
        uid for board in DASHBOARDS.values() for uid in re.findall(r'"uid": "([^"]+)"', json.dumps(board))
    }
    boards = {board["uid"] for board in DASHBOARDS.values()}

    assert {"litespan-cost", "litespan-latency", "litespan-agents", "litespan-self"} == boards
    assert uids - boards <= {*sources(), "${datasource}", "-- Grafana --", "grafana"}


def links() -> list[str]:
    """Return the addresses in Jaeger's configuration of its page."""
    return [text for text in texts(JAEGER_UI) if text.startswith("http")]


@pytest.mark.parametrize("url", links())
def test_jaeger_links_lead_to_dashboards(url: str) -> None:
    """Jaeger's links name dashboards by uid and variables that those dashboards have."""
    (uid,) = re.findall(r"^http://localhost:3000/d/([\w-]+)", url)
    board = next(board for board in DASHBOARDS.values() if board["uid"] == uid)

    assert set(re.findall(r"var-(\w+)=", url)) <= {one["name"] for one in board["templating"]["list"]}


@pytest.mark.parametrize("pattern", JAEGER_UI["linkPatterns"], ids=lambda pattern: str(pattern["text"]))
def test_jaeger_links_are_made_of_known_names(pattern: dict[str, Any]) -> None:
    """A link hangs on attributes that litespan writes and is made of such; Jaeger drops others in silence."""
    known = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
    keys = [pattern["key"]] if isinstance(pattern.get("key"), str) else pattern.get("key", [])
    used = {
        name.partition("|")[0].strip()
        for name in re.findall(r"#\{([^{}]*)\}", pattern["url"] + pattern["text"])
    }

    assert set(keys) <= known
    assert used <= (OF_TRACES if pattern["type"] == "traces" else known)
    assert bool(keys) is (pattern["type"] == "tags")


def test_conversation_cost_and_model_have_links() -> None:
    """The attributes from which a reader wants to go on have a link."""
    keys = {key for pattern in JAEGER_UI["linkPatterns"] for key in texts(pattern.get("key", []))}

    assert keys >= {
        semconv.CONVERSATION_ID,
        semconv.USAGE_COST_AMOUNT,
        semconv.TOTAL_COST,
        semconv.REQUEST_MODEL,
    }


def test_example_of_alerts_fits() -> None:
    """In the example, the rule asks the provisioned Prometheus and tells its own contact point."""
    content = read(PROVISIONING / "alerting" / "alerts-to-webhook.yaml.example")
    (point,) = content["contactPoints"]
    (rule,) = content["groups"][0]["rules"]

    assert point["name"] == rule["notification_settings"]["receiver"]
    assert {"litespan-prometheus", "__expr__"} == {query["datasourceUid"] for query in rule["data"]}
    assert rule["condition"] in {query["refId"] for query in rule["data"]}
