"""Metrics that Prometheus refuses, or that arrive twice."""

from __future__ import annotations

from litespan.cli.checks.doubling import check_metrics_once
from litespan.cli.checks.finding import Finding, Status
from litespan.cli.checks.metric_shape import check_metric_shape
from litespan.cli.checks.scraping import check_scraping, is_free
from litespan.cli.checks.wires import read_wire
from litespan.export.scraping import INSTALLATION
from litespan.settings import load_settings
from tests.fakes.otlp_receivers import silent_receiver
from tests.fakes.ports import free_port

PREFERENCE = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
AGGREGATION = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"


def shape(path: str = "", **environ: str) -> Finding:
    """Check the shape of metrics that go to a path of a receiver."""
    environ = {**environ, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:9090{path}"}
    wire = read_wire("metrics", load_settings(environ), environ)
    return check_metric_shape(environ, ("otlp",), wire)


def test_temporality() -> None:
    """Cumulative is well; delta is a problem for Prometheus, and for others a question."""
    assert Status.OK is shape().status
    assert Status.OK is shape(**{PREFERENCE: "Cumulative"}).status
    assert Status.WARNING is shape(**{PREFERENCE: "delta"}).status
    assert Status.WARNING is shape(**{PREFERENCE: "LowMemory"}).status
    assert Status.PROBLEM is shape("/api/v1/otlp", **{PREFERENCE: "delta"}).status
    assert (f"unset {PREFERENCE}",) == shape("/api/v1/otlp", **{PREFERENCE: "delta"}).mends
    assert Status.PROBLEM is shape(**{PREFERENCE: "dleta"}).status


def test_spool_needs_cumulative() -> None:
    """A spool may send a batch twice, which delta would count twice."""
    environ = {PREFERENCE: "delta", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    wire = read_wire("metrics", load_settings(environ), environ)

    assert Status.PROBLEM is check_metric_shape(environ, ("otlp",), wire, spooled=True).status


def test_histograms() -> None:
    """Exponential histograms are not what the dashboards read."""
    finding = shape(**{AGGREGATION: "base2_exponential_bucket_histogram"})

    assert (Status.WARNING, (f"unset {AGGREGATION}",)) == (finding.status, finding.mends)


def test_without_otlp_nothing_is_delta() -> None:
    """The variable is OTLP's alone."""
    assert Status.OK is check_metric_shape({PREFERENCE: "delta"}, ("litespan_file",), None).status


def test_scraped_and_pushed() -> None:
    """Both ways at once double every sum."""
    assert Status.WARNING is check_metrics_once(("otlp", "prometheus")).status
    assert Status.OK is check_metrics_once(("prometheus",)).status


def test_scraping() -> None:
    """A missing exporter is a problem; a port that is taken, seen for real, is a warning."""
    with silent_receiver() as address:
        taken = not is_free("127.0.0.1", int(address.partition(":")[2]))
    settings = load_settings({})

    assert (True, True) == (taken, is_free("127.0.0.1", free_port()))
    assert (INSTALLATION,) == check_scraping(settings, installed=False, free=True).mends
    assert Status.WARNING is check_scraping(settings, installed=True, free=False).status
    assert Status.OK is check_scraping(settings, installed=True, free=True).status


def test_an_address_of_ipv6_is_told_as_urls_write_it() -> None:
    """The host keeps its brackets, so that the port can be told from it."""
    settings = load_settings({}, prometheus_host="::1", prometheus_port=9464)

    assert check_scraping(settings, installed=True, free=True).says.startswith("[::1]:9464 is free")
