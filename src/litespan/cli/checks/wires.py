"""How OpenTelemetry's OTLP exporters would connect: read from the environment, as they read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from litespan.export.choice import GRPC, otlp_target
from litespan.export.otlp.options import PREFIX, OtlpOptions, given, otlp_options
from litespan.setting_checks import ConfigurationError
from litespan.settings import Settings

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# A name of gRPC without a port means this one.
_GRPC_DEFAULT_PORT: Final = 443


class Way(NamedTuple):
    """A protocol of OTLP, with TLS or without."""

    protocol: str
    tls: bool

    @property
    def words(self) -> str:
        """The way in words."""
        if self.protocol == GRPC:
            return "gRPC with TLS" if self.tls else "gRPC without TLS"
        return "https" if self.tls else "http"

    @property
    def scheme(self) -> str:
        """The scheme of its URLs."""
        return "https" if self.tls else "http"


@dataclass(frozen=True, slots=True)
class Wire:
    """Where and how one signal is sent.

    Attributes:
        signal: ``traces``, ``metrics`` or ``logs``.
        way: protocol and TLS.
        host: name or address, without brackets.
        port: the port in force.
        has_port: whether the endpoint names it.
        scheme: the scheme as it is written; empty for a gRPC endpoint that is no URL.
        path: the path of the URL; empty for gRPC.
        variable: the environment variable that gave the endpoint.
        protocol_variable: the one that gives the protocol.
        headers: what is sent with each request; may hold secrets.
        query: the query of the URL; may hold secrets.
        login: the user-info of the URL, with its ``@``; a secret.
        certificate: the file of the certificate authority; None for the usual ones.
        client: the files of the client's certificate and key.
        overruled_by: the variable of the library `requests` that goes before ``certificate``, if it is set
            and OpenTelemetry's exporter sends; the spool's sender is not overruled.
    """

    signal: str
    way: Way
    host: str
    port: int
    has_port: bool
    scheme: str
    path: str
    variable: str
    protocol_variable: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: str = field(default="", repr=False)
    login: str = field(default="", repr=False)
    certificate: str | None = None
    client: tuple[str, str | None] | None = None
    overruled_by: str | None = None

    @property
    def address(self) -> str:
        """Host and port, as URLs and gRPC write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, path: str | None = None) -> str:
        """Return the URL for requests, which may hold secrets."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.way.scheme}://{self.login}{self.address}{self.path if path is None else path}{query}"

    def shown(self, path: str | None = None, way: Way | None = None) -> str:
        """Return the URL for people: without user-info and query."""
        scheme = (way or self.way).scheme
        return f"{scheme}://{self.address}{self.path if path is None else path}"


def read_wire(signal: str, settings: Settings, environ: Mapping[str, str]) -> Wire:
    """Resolve one signal's wire.

    Raises:
        ConfigurationError: if the endpoint is no URL, the protocol is unknown, or a variable about how to
            send is wrong.
    """
    variable = given(environ, signal, "ENDPOINT") or f"{PREFIX}_ENDPOINT"
    try:
        target, options = otlp_target(signal, settings, environ), otlp_options(signal, environ)
        parts = _split(target.endpoint)
        port = parts.port
    except ConfigurationError:
        raise
    except ValueError as error:
        raise ConfigurationError(f"The port in {variable} is no number from 0 to 65535.") from error
    if not parts.hostname:
        raise ConfigurationError(f"{variable} names no host, for example http://localhost:4318.")
    is_grpc = target.protocol == GRPC
    tls = not _insecure(signal, parts.scheme, environ) if is_grpc else parts.scheme == "https"
    default_port = _GRPC_DEFAULT_PORT if is_grpc else _DEFAULT_PORTS[parts.scheme]
    return Wire(
        signal=signal,
        way=Way(target.protocol, tls),
        host=parts.hostname,
        port=port or default_port,
        has_port=port is not None,
        scheme=parts.scheme,
        path="" if is_grpc else parts.path,
        variable=variable,
        protocol_variable=given(environ, signal, "PROTOCOL") or f"{PREFIX}_PROTOCOL",
        headers=options.headers,
        query="" if is_grpc else parts.query,
        login="" if is_grpc else "".join(parts.netloc.rpartition("@")[:2]),
        certificate=options.certificate,
        client=_client(options, is_grpc=is_grpc),
        overruled_by=_overruling(environ)
        if options.certificate and not (is_grpc or settings.spool_dir)
        else None,
    )


def _client(options: OtlpOptions, *, is_grpc: bool) -> tuple[str, str | None] | None:
    certificate, key = options.client_certificate, options.client_key
    # Over gRPC the client's own certificate is read only beside that of an authority, and only with its key.
    if not certificate or (is_grpc and not (options.certificate and key)):
        return None
    return certificate, key


def _overruling(environ: Mapping[str, str]) -> str | None:
    return next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if environ.get(name)), None)


def _insecure(signal: str, scheme: str, environ: Mapping[str, str]) -> bool:
    """Say whether gRPC goes without TLS. The scheme `https` wins; then the variables; then the scheme."""
    if scheme == "https":
        return False
    text = environ.get(f"{PREFIX}_{signal.upper()}_INSECURE", environ.get(f"{PREFIX}_INSECURE"))
    return scheme == "http" if text is None else text.lower() == "true"


def _split(endpoint: str) -> SplitResult:
    # gRPC takes `host:port` too, which is no URL.
    return urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
