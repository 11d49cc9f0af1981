"""A program to which everything happens once: `python -m tests.integration.everything_program`.

It exports its metrics once, by OTLP, and serves the same ones for a scrape. Its spans go where nobody takes
them, and its redaction fails, so that litespan has to tell of itself, too. It then writes a report and stays
as it is, with one call under way, until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path
from typing import Any, Final

from tests.isolation import clean_environment

clean_environment(os.environ)  # before LiteLLM is imported, which reads its variables then

import click  # noqa: E402
from opentelemetry import trace  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402

import litespan  # noqa: E402
from litespan.testing import Provider  # noqa: E402
from tests.fakes import all_wires_provider  # noqa: E402
from tests.flow.troubles import until  # noqa: E402
from tests.integration import everything  # noqa: E402
from tests.ledger import rates  # noqa: E402
from tests.ledger.output import unprinted  # noqa: E402

SERVICE: Final = "everything"
ENVIRONMENT: Final = "test"

_RESOURCE: Final = f"service.namespace=shop,deployment.environment.name={ENVIRONMENT}"
_NEVER: Final = 86_400  # seconds
_WAIT: Final = 60.0  # seconds
_LIFE: Final = 300.0  # seconds that it stays, if nobody ends it


@click.command()
@click.option("--otlp", required=True, help="Base URL of an OTLP receiver (http/protobuf).")
@click.option("--port", required=True, type=int, help="Where metrics can be scraped.")
@click.option("--report", required=True, type=Path, help="The file to write.")
def run(otlp: str, port: int, report: Path) -> None:
    """Play everything, export its metrics, write the report, and wait."""
    logging.disable(logging.CRITICAL)  # of what fails on purpose
    with rates.registered(*everything.PRICED), all_wires_provider() as provider, unprinted():
        everything.prepare(provider)
        _configure(otlp, f"{provider.base_url}/no-receiver", port)
        asyncio.run(_play(provider, report))


def _configure(otlp: str, nowhere: str, port: int) -> None:
    os.environ["OTEL_RESOURCE_ATTRIBUTES"] = _RESOURCE
    os.environ["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"] = f"{otlp}/v1/metrics"
    os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = nowhere
    litespan.configure(
        service_name=SERVICE,
        metrics_exporter="otlp,prometheus",
        prometheus_port=port,
        metric_interval=_NEVER,
        capture_content="SPAN_ONLY",
        redact=_broken,
    )


def _broken(text: str) -> str:
    raise ValueError(text)


async def _play(provider: Provider, report: Path) -> None:
    under_way = await everything.play_all(provider)
    spans = trace.get_tracer_provider()
    assert isinstance(spans, TracerProvider)
    await asyncio.to_thread(spans.force_flush)
    await until(lambda: litespan.stats()["export"]["traces"]["dropped"], _WAIT)
    await asyncio.to_thread(litespan.flush, _WAIT)
    _write(report, provider)
    await asyncio.wait([under_way], timeout=_LIFE)


def _write(report: Path, provider: Provider) -> None:
    tokens = provider.delivered()
    document: dict[str, Any] = {
        "stats": litespan.stats(),
        "usd": {model: float(usd) for model, usd in everything.usd_by_model(provider).items()},
        "saved_usd": float(everything.saved_usd(provider)),
        "input_tokens": tokens.input_tokens,
        "output_tokens": tokens.output_tokens,
    }
    unfinished = report.with_suffix(".part")
    unfinished.write_text(json.dumps(document), encoding="utf-8")
    unfinished.rename(report)


if __name__ == "__main__":
    run()
