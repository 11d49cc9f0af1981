"""The scrape endpoint: where it listens, what it shows, how it ends, and what cannot work."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from litespan.export import prometheus
from litespan.export.pipeline import Pipeline, build
from litespan.export.prometheus import SerialRegistry
from litespan.setting_checks import ConfigurationError
from litespan.settings import load_settings
from tests.fakes.ports import free_port
from tests.versions import needs

needs_labels = needs("opentelemetry-exporter-prometheus", "0.66")
Build = Callable[..., Pipeline]


@pytest.fixture
def make() -> Iterator[Build]:
    """Build pipelines whose metrics go to Prometheus, and end them afterwards."""
    made: list[Pipeline] = []

    def make_one(**settings: object) -> Pipeline:
        chosen = {"traces_exporter": "none", "metrics_exporter": "prometheus"} | settings
        made.append(build(load_settings(None, **chosen), use_globals=False))
        return made[-1]

    yield make_one
    for pipeline in made:
        pipeline.shutdown(5)


def record(pipeline: Pipeline, tokens: int = 42, name: str = "tokens") -> None:
    """Make one measurement."""
    meter = pipeline.meter_provider.get_meter("test")
    meter.create_counter(name, unit="{token}").add(tokens, {"model": "gpt-4o"})


def scrape(port: int, host: str = "127.0.0.1") -> str:
    """Return the page that Prometheus gets."""
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=10) as response:
        return str(response.read().decode())


def value_of(page: str, name: str = "tokens_total") -> float:
    """Return the value of a metric with one series."""
    (value,) = [
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == name
    ]
    return float(value)


@needs_labels
def test_scrape(make: Build) -> None:
    """The endpoint shows the values at the time of the scrape; only this machine can reach it by default."""
    port = free_port()
    pipeline = make(prometheus_port=port)
    record(pipeline)
    first = value_of(scrape(port))
    record(pipeline)

    assert (42, 84) == (first, value_of(scrape(port)))
    assert f"metrics: Prometheus scrapes http://127.0.0.1:{port}/metrics" in pipeline.describe()
    assert pipeline.flush(5)


@needs_labels
def test_address_from_the_environment(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard variables choose the address."""
    port = free_port()
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost")
    monkeypatch.setenv("OTEL_EXPORTER_PROMETHEUS_PORT", str(port))
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "prometheus")
    record(make(metrics_exporter=None))

    assert 42 == value_of(scrape(port, "localhost"))


@needs_labels
def test_shutdown_frees_the_port(make: Build) -> None:
    """After the shutdown nothing listens, and the next pipeline can have the port."""
    port = free_port()
    assert make(prometheus_port=port).shutdown(5)

    with pytest.raises(urllib.error.URLError):
        scrape(port)
    record(make(prometheus_port=port))
    assert 42 == value_of(scrape(port))


@needs_labels
def test_adopted_registry(make: Build) -> None:
    """Metrics join a registry of the program; no server is started; the shutdown takes them out."""
    registry = CollectorRegistry()
    port = free_port()
    pipeline = make(prometheus_registry=registry, prometheus_port=port)
    record(pipeline)

    assert 42 == value_of(generate_latest(registry).decode())
    with pytest.raises(urllib.error.URLError):
        scrape(port)
    assert "metrics: the application's Prometheus registry" in pipeline.describe()
    assert pipeline.shutdown(5)
    assert b"" == generate_latest(registry)


@needs_labels
def test_provider_that_was_shut_down_before(make: Build) -> None:
    """A program that shuts the meter provider down itself can shut litespan down after it."""
    pipeline = make(prometheus_port=free_port())
    pipeline.meter_provider.shutdown()  # type: ignore[attr-defined]

    assert pipeline.shutdown(5)


class Visitors:
    """A collector that knows how many scrapes are inside at once; each waits a little for another."""

    def __init__(self) -> None:
        self.together = threading.Barrier(2)
        self.met = 0

    def collect(self) -> Iterator[Metric]:
        """Wait for another scrape; note it if one comes."""
        with suppress(threading.BrokenBarrierError):
            self.together.wait(0.2)
            self.met += 1
        yield GaugeMetricFamily("visited", "", 1)


def test_scrapes_at_the_same_time() -> None:
    """Of several scrapes at once, one collects at a time, and each gets everything."""
    registry, visitors = SerialRegistry(), Visitors()
    registry.register(visitors)
    with ThreadPoolExecutor(2) as threads:
        pages = list(threads.map(lambda _: generate_latest(registry), range(2)))

    assert 0 == visitors.met
    assert [b"visited 1.0\n"] * 2 == [page.splitlines(keepends=True)[-1] for page in pages]


@needs_labels
def test_port_in_use(make: Build) -> None:
    """A port that is taken is an error that names the setting, and leaves nothing behind."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}.*in use.*prometheus_port"):
            make(prometheus_port=port)
    record(make(prometheus_port=port))
    assert 42 == value_of(scrape(port))


@needs_labels
def test_port_stays_free_if_another_exporter_fails(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where something else cannot work, the port is not taken."""
    port = free_port()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        make(metrics_exporter="prometheus,litespan_file", metrics_file="/nowhere/m", prometheus_port=port)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "none")
    with pytest.raises(ConfigurationError, match="OTEL_BSP_MAX_QUEUE_SIZE"):
        make(prometheus_port=port)
    monkeypatch.delenv("OTEL_BSP_MAX_QUEUE_SIZE")

    record(make(prometheus_port=port))
    assert 42 == value_of(scrape(port))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"prometheus_host": "192.0.2.1"}, "192.0.2.1:9464.*prometheus_host", marks=needs_labels),
        ({"prometheus_port": 70_000}, "prometheus_port=70000 must be a port"),
        ({"prometheus_port": "http"}, "prometheus_port='http' must be a number"),
        ({"prometheus_registry": "default"}, "must be a prometheus_client.CollectorRegistry"),
        ({"traces_exporter": "prometheus"}, "traces_exporter='prometheus' is not valid"),
    ],
)
def test_wrong_settings(make: Build, settings: dict[str, object], message: str) -> None:
    """What cannot work is said when it is configured."""
    with pytest.raises(ConfigurationError, match=message):
        make(**settings)


def test_exponential_histograms_are_refused(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exponential histograms would break every scrape, so the variable that asks for them is an error."""
    variable = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
    monkeypatch.setenv(variable, "base2_exponential_bucket_histogram")
    with pytest.raises(ConfigurationError, match=f"{variable}=.*cannot show exponential histograms"):
        make(metrics_exporter="prometheus,otlp")


def test_missing_extra() -> None:
    """Without the extra, the error says how to install it; other exporters do not need it."""
    program = (
        "import sys\n"
        "sys.modules['prometheus_client'] = sys.modules['opentelemetry.exporter.prometheus'] = None\n"
        "import litespan\n"
        "litespan.configure(traces_exporter='none', metrics_exporter='none')\n"
        "litespan.shutdown()\n"
        "try:\n    litespan.configure(traces_exporter='none', metrics_exporter='prometheus')\n"
        "except litespan.ConfigurationError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=50
    )

    assert "pip install 'opentelemetry-exporter-prometheus" in done.stdout


class OlderReader:
    """Takes what OpenTelemetry's reader took before 0.66b1."""

    def __init__(self, prefix: str = "") -> None:
        """Take what it took."""


def test_exporter_that_is_too_old(make: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older exporter is refused with the version that is needed."""
    monkeypatch.setattr(prometheus, "PrometheusMetricReader", OlderReader)
    with pytest.raises(ConfigurationError, match=r"needs a newer OpenTelemetry exporter: pip install"):
        make()
