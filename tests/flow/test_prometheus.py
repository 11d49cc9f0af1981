"""What Prometheus scrapes is what it would be pushed: same names, same labels, same totals."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents.extensions.models.litellm_model import LitellmModel

from litespan import _api
from litespan.export.pipeline import Pipeline, build
from litespan.settings import load_settings
from litespan.testing import Provider
from tests.fakes.ports import free_port
from tests.fakes.prometheus_names import Series, pushed, scraped
from tests.flow.team import build_team, play, run_team
from tests.versions import needs

pytestmark = needs("opentelemetry-exporter-prometheus", "0.66")

RESOURCE = (
    "service.namespace=shop,service.instance.id=one,deployment.environment.name=test,host.name=secret,zone=b"
)


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Pipeline, int]]:
    """Instrument for a pipeline that serves metrics and writes them to a file; return its port too."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", RESOURCE)
    port = free_port()
    settings = load_settings(
        {},
        service_name="helper",
        traces_exporter="none",
        metrics_exporter="prometheus,litespan_file",
        metrics_file=tmp_path / "metrics.jsonl",
        prometheus_port=port,
    )
    pipeline = build(settings, use_globals=False)
    _api.install(settings, pipeline)
    yield pipeline, port
    _api.uninstrument()
    assert pipeline.shutdown(5)


def scrape(port: int) -> Series:
    """Return what Prometheus would get."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        return scraped(response.read().decode())


async def test_scraped_equals_pushed(both: tuple[Pipeline, int], provider: Provider, tmp_path: Path) -> None:
    """After runs with tools, handoffs, streams and retries, scrape and file agree in every series."""
    pipeline, port = both
    provider.respond = play
    team = build_team(lambda name: LitellmModel(f"openai/{name}", base_url=provider.base_url, api_key="k"))
    for number in range(4):
        await run_team(team, number)
    seen = scrape(port)
    assert pipeline.flush(5)

    assert pushed(tmp_path / "metrics.jsonl") == seen
    assert {
        "gen_ai_client_operation_duration_seconds_count",
        "gen_ai_client_token_usage_sum",
        "gen_ai_client_operation_cost_sum",
        "gen_ai_client_inference_usage_input_tokens_total",
        "litespan_cost_total",
        "litespan_calls_total",
        "litespan_calls_active",
    } <= {name for name, _ in seen}
    assert provider.delivered().input_tokens == sum(
        value
        for (name, _), value in seen.items()
        if name == "gen_ai_client_inference_usage_input_tokens_total"
    )


async def test_labels_of_the_service(both: tuple[Pipeline, int], provider: Provider) -> None:
    """Every series says which service it is of; nothing else of the resource or the scope is a label."""
    provider.respond = play
    team = build_team(lambda name: LitellmModel(f"openai/{name}", base_url=provider.base_url, api_key="k"))
    await run_team(team, 1)

    service = {
        ("service_name", "helper"),
        ("service_namespace", "shop"),
        ("service_instance_id", "one"),
        ("deployment_environment_name", "test"),
    }
    for name, labels in scrape(both[1]):
        assert service <= set(labels), name
        assert not [key for key, _ in labels if key.startswith(("otel_scope", "host", "zone"))], name
