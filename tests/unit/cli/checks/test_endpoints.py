"""Endpoints that are set up wrongly, each for real: what is wrong is found, and the mend works."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import certifi
import grpc
import pytest

from litespan.cli.checks.diagnosis import diagnose
from litespan.cli.checks.endpoints import try_endpoint
from litespan.cli.checks.finding import Finding, Status
from litespan.cli.checks.wires import read_wire
from litespan.settings import load_settings
from tests.fakes.otlp_receivers import (
    ALL_SIGNALS,
    Certificates,
    Manners,
    grpc_receiver,
    http_receiver,
    silent_receiver,
)
from tests.fakes.otlp_server import collector, dead_endpoint

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
RIGHT = "s3cret"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return an authority that nobody knows, and what it signed."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(autouse=True)
def no_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what goes before OpenTelemetry's variables about certificates."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def find(environ: Mapping[str, str], signal: str = "traces", timeout: float = 5) -> Finding:
    """Try the endpoint of this environment."""
    return diagnose(try_endpoint(read_wire(signal, load_settings(environ), environ), timeout))


def mended(environ: Mapping[str, str], finding: Finding) -> Finding:
    """Do what the finding says, and try again."""
    return find(
        {**environ, **dict(re.findall(r"^export (\w+)=(\S+)", "\n".join(finding.mends), re.MULTILINE))}
    )


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_right_endpoint(signal: str, protocol: str) -> None:
    """A receiver that takes an export of nothing is well, for each signal and protocol; nothing is stored."""
    with collector(protocol) as received:  # type: ignore[arg-type]
        finding = find({BASE: received.endpoint, PROTOCOL: protocol}, signal)

    assert (Status.OK, ()) == (finding.status, finding.mends)
    assert ([], [], []) == (received.spans(), received.metrics(), received.logs())
    assert len(received.headers) == 1


def test_grpc_port_given_to_http() -> None:
    """A gRPC port with HTTP as protocol: the protocol is the mend."""
    with collector("grpc") as received:
        environ = {BASE: received.endpoint}
        finding = find(environ)

        assert (Status.PROBLEM, Status.OK) == (finding.status, mended(environ, finding).status)
    assert "it speaks gRPC without TLS" in finding.says
    assert finding.mends[0].startswith(f"export {PROTOCOL}=grpc ")


def test_http_port_given_to_grpc() -> None:
    """A HTTP port with gRPC as protocol: the protocol is the mend."""
    with collector() as received:
        environ = {BASE: received.endpoint, PROTOCOL: "grpc"}
        finding = find(environ)

        assert (Status.PROBLEM, Status.OK) == (finding.status, mended(environ, finding).status)
    assert finding.says.endswith("it speaks http")
    assert finding.mends[0].startswith(f"export {PROTOCOL}=http/protobuf ")


def test_variables_of_one_signal() -> None:
    """Where one signal has variables of its own, those are mended, and the path is added."""
    with collector() as received:
        environ = {TRACES: received.endpoint, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}
        finding = find(environ)

        assert Status.OK is mended(environ, finding).status
    assert finding.mends[0].startswith("export OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf ")
    assert finding.mends[1] == f"export {TRACES}={received.endpoint}/v1/traces"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_tls_given_to_plain(protocol: str) -> None:
    """TLS to a receiver without TLS: http is the mend."""
    with collector(protocol) as received:  # type: ignore[arg-type]
        environ = {BASE: received.endpoint.replace("http:", "https:"), PROTOCOL: protocol}
        finding = find(environ)

        assert (Status.PROBLEM, Status.OK) == (finding.status, mended(environ, finding).status)
    assert (f"export {BASE}={received.endpoint}",) == finding.mends


def test_plain_given_to_https(certificates: Certificates) -> None:
    """Http to a receiver with TLS: https is the mend."""
    with http_receiver(Manners(statuses=ALL_SIGNALS, tls=certificates.context())) as visits:
        finding = find({BASE: f"http://{visits.address}"})

    assert "it speaks https" in finding.says
    assert (f"export {BASE}=https://{visits.address}",) == finding.mends


def test_plain_given_to_grpc_with_tls(certificates: Certificates) -> None:
    """Plain gRPC to a receiver with TLS: https is the mend."""
    with grpc_receiver(certificates) as address:
        environ = {
            BASE: f"http://{address}",
            PROTOCOL: "grpc",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.authority),
        }
        finding = find(environ)

        assert Status.OK is mended(environ, finding).status
    assert "it speaks gRPC with TLS" in finding.says
    assert (f"export {BASE}=https://{address}",) == finding.mends


def test_http_given_to_grpc_with_tls(certificates: Certificates) -> None:
    """Protocol and TLS are both wrong: both are mended."""
    with grpc_receiver(certificates) as address:
        finding = find({BASE: f"http://{address}"})

    assert finding.mends[0].startswith(f"export {PROTOCOL}=grpc ")
    assert f"export {BASE}=https://{address}" == finding.mends[1]


def test_grpc_without_a_scheme() -> None:
    """A gRPC endpoint of host and port alone means TLS, which is seldom meant: the scheme is the mend."""
    with collector("grpc") as received:
        environ = {BASE: received.endpoint.removeprefix("http://"), PROTOCOL: "grpc"}
        finding = find(environ)

        assert Status.OK is mended(environ, finding).status
    assert (f"export {BASE}={received.endpoint}",) == finding.mends


def test_grpc_with_tls_by_a_variable() -> None:
    """Where a variable switches TLS on in spite of the scheme, that variable is mended."""
    with collector("grpc") as received:
        environ = {BASE: received.endpoint, PROTOCOL: "grpc", "OTEL_EXPORTER_OTLP_INSECURE": "false"}
        finding = find(environ)

        assert Status.OK is mended(environ, finding).status
    assert finding.mends == ("export OTEL_EXPORTER_OTLP_INSECURE=true",)


def test_unknown_authority_over_http(certificates: Certificates) -> None:
    """A certificate that is not trusted: the file of its authority is the mend, and works."""
    with http_receiver(Manners(statuses=ALL_SIGNALS, tls=certificates.context())) as visits:
        environ = {BASE: f"https://{visits.address}"}
        finding = find(environ)
        mend = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.authority)}

        assert (Status.PROBLEM, Status.OK) == (finding.status, find(environ | mend).status)
    assert "certificate that is not trusted" in finding.says
    assert finding.mends[0].startswith("export OTEL_EXPORTER_OTLP_CERTIFICATE=")


def test_certificate_that_is_overruled(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable of `requests` that goes before OpenTelemetry's own is named."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    with http_receiver(Manners(statuses=ALL_SIGNALS, tls=certificates.context())) as visits:
        environ = {
            BASE: f"https://{visits.address}",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.authority),
            "REQUESTS_CA_BUNDLE": certifi.where(),
        }
        finding = find(environ)

    assert finding.mends[0].startswith("unset REQUESTS_CA_BUNDLE ")


def test_unknown_authority_over_grpc(certificates: Certificates) -> None:
    """The same over gRPC."""
    with grpc_receiver(certificates) as address:
        finding = find({BASE: f"https://{address}", PROTOCOL: "grpc"})

    assert "certificate that is not trusted" in finding.says
    assert finding.mends[0].startswith("export OTEL_EXPORTER_OTLP_CERTIFICATE=")


def test_client_certificate(certificates: Certificates) -> None:
    """A receiver that wants the client's certificate says so, and takes it."""
    manners = Manners(statuses=ALL_SIGNALS, tls=certificates.context(of_clients=True))
    with http_receiver(manners) as visits:
        environ = {
            BASE: f"https://{visits.address}",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.authority),
        }
        finding = find(environ)
        mend = {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(certificates.client)}

        assert Status.OK is find(environ | mend).status
    assert finding.mends[0].startswith("export OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=")


def test_certificate_file_that_goes(tmp_path: Path, certificates: Certificates) -> None:
    """A file of certificates that is not there when it is needed is a problem of the settings."""

    def found(**environ: str) -> Finding:
        wire = read_wire("traces", load_settings(environ), environ)
        return diagnose(try_endpoint(replace(wire, certificate=str(tmp_path / "none.pem")), 5))

    with http_receiver(Manners(tls=certificates.context())) as visits, grpc_receiver(certificates) as address:
        over_http = found(**{BASE: f"https://{visits.address}"})
        over_grpc = found(**{BASE: f"https://{address}", PROTOCOL: "grpc"})

    assert "cannot be tried with these settings" in over_http.says
    assert "cannot be tried with these settings" in over_grpc.says


def test_credentials_over_http() -> None:
    """401 names the variable and the headers that were sent, never their values; the right token is well."""
    with http_receiver(Manners(statuses=ALL_SIGNALS, token=RIGHT)) as visits:
        environ = {BASE: f"http://{visits.address}", HEADERS: "authorization=Bearer%20wr0ng"}
        finding = find(environ)

        assert Status.OK is find({**environ, HEADERS: f"authorization=Bearer%20{RIGHT}"}).status
    assert "HTTP 401" in finding.says
    assert finding.mends[0].startswith(f"export {HEADERS}=")
    assert finding.mends[0].endswith("sent now: authorization")
    assert "wr0ng" not in str(finding)


def test_credentials_over_grpc() -> None:
    """UNAUTHENTICATED is the same over gRPC."""
    with grpc_receiver(code=grpc.StatusCode.UNAUTHENTICATED) as address:
        finding = find({BASE: f"http://{address}", PROTOCOL: "grpc"})

    assert "gRPC UNAUTHENTICATED" in finding.says
    assert finding.mends[0].startswith(f"export {HEADERS}=")


def test_credentials_do_not_leave_on_other_ways() -> None:
    """A way that nobody configured is tried without headers, user-info and query."""
    with http_receiver(Manners(statuses=ALL_SIGNALS)) as visits:
        finding = find(
            {BASE: f"https://us3r:pa55@{visits.address}?key=qu3ry", HEADERS: "authorization=t0ken"}
        )

    with collector("grpc") as received:
        find({BASE: received.endpoint, HEADERS: "authorization=t0ken"})

    assert visits.headers
    assert received.headers
    assert not any("authorization" in headers for headers in visits.headers + received.headers)
    assert not any("?" in path for path in visits.paths)
    assert not any(secret in str(finding) for secret in ("us3r", "pa55", "qu3ry", "t0ken"))


def test_doubled_path() -> None:
    """The path of a signal in the common endpoint is added twice: the endpoint without it is the mend."""
    with http_receiver(Manners(statuses=ALL_SIGNALS)) as visits:
        environ = {BASE: f"http://{visits.address}/v1/traces"}
        finding = find(environ)

        assert Status.OK is mended(environ, finding).status
    assert "/v1/traces/v1/traces" in finding.says
    assert finding.mends[0].startswith(f"export {BASE}=http://{visits.address} ")


def test_missing_path() -> None:
    """The endpoint of one signal is used as it is, so it needs the path."""
    with http_receiver(Manners(statuses=ALL_SIGNALS)) as visits:
        environ = {TRACES: f"http://{visits.address}"}
        finding = find(environ)

        assert Status.OK is mended(environ, finding).status
    assert (f"export {TRACES}=http://{visits.address}/v1/traces",) == finding.mends


def test_path_of_prometheus() -> None:
    """Metrics to Prometheus at the usual path: its own path is found by trying."""
    path = "/api/v1/otlp/v1/metrics"
    with http_receiver(Manners(statuses={path: 200})) as visits:
        finding = find({BASE: f"http://{visits.address}"}, "metrics")

    assert (f"export OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://{visits.address}{path}",) == finding.mends


def test_prometheus_without_its_receiver() -> None:
    """Prometheus that was started without its OTLP receiver: the flag is named."""
    with http_receiver(Manners()) as visits:
        environ = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://{visits.address}/api/v1/otlp/v1/metrics"}
        finding = find(environ, "metrics")

    assert finding.mends[0] == "Start Prometheus with --web.enable-otlp-receiver."


def test_signal_that_is_not_taken() -> None:
    """A receiver of traces only: the exporter of metrics can be switched off."""
    with http_receiver(Manners(statuses={"/v1/traces": 200})) as visits, grpc_receiver() as address:
        over_http = find({BASE: f"http://{visits.address}"}, "metrics")
        over_grpc = find({BASE: f"http://{address}", PROTOCOL: "grpc"}, "metrics")

    assert over_http.mends[0].startswith("export OTEL_METRICS_EXPORTER=none ")
    assert over_grpc.mends[0].startswith("export OTEL_METRICS_EXPORTER=none ")


def test_web_page() -> None:
    """A server of web pages that answers 200 to everything is no receiver: another port is named."""
    with http_receiver(Manners(status=200, content_type="text/html; charset=utf-8")) as visits:
        finding, metrics = (
            find({BASE: f"http://{visits.address}"}, signal) for signal in ("traces", "metrics")
        )

    assert Status.PROBLEM is finding.status
    assert "web page" in finding.says
    assert finding.mends[0].endswith(f": export {BASE}=http://HOST:4318")
    assert finding.mends == metrics.mends


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_nobody_listens(protocol: str) -> None:
    """A port on which nothing listens."""
    finding = find({BASE: dead_endpoint(), PROTOCOL: protocol})

    assert "refuses connections" in finding.says
    assert finding.mends[0].startswith("Start the receiver there")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_unknown_name(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that the resolver does not know, and an address that is out of reach."""

    def unknown(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    far = find({BASE: "http://192.0.2.1:4318", PROTOCOL: protocol})
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    finding = find({BASE: "http://colector:4318", PROTOCOL: protocol})

    assert "has a name that is not known" in finding.says
    assert "cannot be reached" in far.says
    assert finding.mends[0].startswith("Correct the address")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_silence(protocol: str) -> None:
    """A receiver that takes connections and says nothing is named within a few timeouts."""
    with silent_receiver() as address:
        finding = find({BASE: f"http://{address}", PROTOCOL: protocol}, timeout=0.3)

    assert "takes the connection and does not answer" in finding.says
    assert finding.mends[0].startswith(f"Look what listens at {address}")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_overload(protocol: str) -> None:
    """A receiver that takes nothing at the moment is there: a warning."""
    with collector(protocol, "503") as received:  # type: ignore[arg-type]
        finding = find({BASE: received.endpoint, PROTOCOL: protocol})

    assert Status.WARNING is finding.status
    assert "is there and takes nothing now" in finding.says


def test_dead_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that is not there, for a receiver that is: going without is tried, and is the mend."""
    with collector() as received:
        monkeypatch.setenv("HTTP_PROXY", dead_endpoint())
        environ = {BASE: received.endpoint}
        finding = find(environ)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")

        assert Status.OK is find(environ).status
    assert "it answers when the environment's proxy is passed by" in finding.says
    assert finding.mends[0].startswith('export NO_PROXY="$NO_PROXY,127.0.0.1"')


def test_proxy_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that lets nobody through to this machine is told from a receiver that refuses."""
    with http_receiver(Manners(status=403)) as proxy, collector() as received:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
        finding = find({BASE: received.endpoint})

    assert finding.mends[0].startswith('export NO_PROXY="$NO_PROXY,127.0.0.1"')


def test_dead_proxy_for_grpc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for gRPC, which reads names in small letters."""
    with collector("grpc") as received:
        monkeypatch.setenv("http_proxy", dead_endpoint())
        finding = find({BASE: received.endpoint, PROTOCOL: "grpc"})

    assert "proxy" in finding.says
    assert finding.mends[0].startswith('export no_proxy="$no_proxy,127.0.0.1"')
