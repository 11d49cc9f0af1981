"""What the exporters would do with the environment: read as they read it."""

from __future__ import annotations

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

from litespan.cli.checks.endpoints import other_paths
from litespan.cli.checks.wires import Wire, read_wire
from litespan.setting_checks import ConfigurationError
from litespan.settings import load_settings

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
GRPC = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}


def wire(**environ: str) -> Wire:
    """Read the wire of traces from this environment."""
    return read_wire("traces", load_settings(environ), environ)


def test_the_variable_of_the_signal_goes_first() -> None:
    """An endpoint of one signal is used as it is; the common one gets the path."""
    both = wire(**{BASE: "http://a:1", TRACES: "http://b:2/x"})

    assert (TRACES, "http://b:2/x") == (both.variable, both.url())
    assert "http://a:1/v1/traces" == wire(**{BASE: "http://a:1/"}).url()


def test_secrets_are_sent_and_not_shown() -> None:
    """User-info, query and headers are for requests only."""
    secret = wire(**{BASE: "http://u:p@a:1", "OTEL_EXPORTER_OTLP_HEADERS": "k=v3ry"})

    assert "http://u:p@a:1/v1/traces" == secret.url()
    assert "http://a:1/v1/traces" == secret.shown()
    assert not any(text in repr(secret) for text in ("u:p", "v3ry"))


@pytest.mark.parametrize(
    "environ",
    [
        {BASE: "http://a:1"},
        {BASE: "https://a:1"},
        {BASE: "a:1"},
        {BASE: "a:1", "OTEL_EXPORTER_OTLP_INSECURE": "true"},
        {BASE: "http://a:1", "OTEL_EXPORTER_OTLP_INSECURE": "false"},
        {BASE: "https://a:1", "OTEL_EXPORTER_OTLP_INSECURE": "true"},
        {BASE: "http://a:1", "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "false"},
        {BASE: "a:1", "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "true", "OTEL_EXPORTER_OTLP_INSECURE": "false"},
    ],
)
def test_tls_of_grpc(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether gRPC goes with TLS is decided as OpenTelemetry's exporter decides it."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    exporter = OTLPSpanExporter()
    exporter.shutdown()

    assert wire(**environ, **GRPC).way.tls is not exporter._insecure
    assert ("a", 1) == (wire(**environ, **GRPC).host, wire(**environ, **GRPC).port)


@pytest.mark.parametrize("endpoint", ["http://a:port", "http://a:99999", "http://:4318", "collector:4318"])
def test_endpoints_that_are_none(endpoint: str) -> None:
    """An endpoint without a host, with a port that is none, or without a scheme for HTTP is refused."""
    with pytest.raises(ConfigurationError):
        wire(**{BASE: endpoint})


@pytest.mark.parametrize("name", ["CERTIFICATE", "TRACES_CLIENT_CERTIFICATE", "CLIENT_KEY"])
def test_certificates_that_are_not_there(name: str) -> None:
    """A file that `litespan.configure()` would refuse is refused here, too."""
    with pytest.raises(ConfigurationError, match=f"OTEL_EXPORTER_OTLP_{name}='/no/such.pem' cannot be read"):
        wire(**{BASE: "http://a:1", f"OTEL_EXPORTER_OTLP_{name}": "/no/such.pem"})


def test_ipv6() -> None:
    """Addresses of IPv6 keep their brackets where they are written."""
    assert ("::1", "[::1]:4318") == (
        wire(**{BASE: "http://[::1]:4318"}).host,
        wire(**{BASE: "http://[::1]:4318"}).address,
    )


def test_other_paths() -> None:
    """What was doubled is taken off first; then come the usual places; never the same path."""
    assert "/v1/traces" == next(other_paths("/v1/traces/v1/traces", "traces"))
    assert "/x/v1/metrics" == next(other_paths("/x/v1/traces/v1/metrics", "metrics"))
    assert "/v1/traces" not in other_paths("/v1/traces", "traces")
    assert "/api/v1/otlp/v1/metrics" in other_paths("/v1/metrics", "metrics")
