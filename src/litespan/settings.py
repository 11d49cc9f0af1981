"""Settings: arguments, then environment variables, then defaults; anything unknown is a clear error."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import InitVar, dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final

from litespan.labels import AttributeValue
from litespan.setting_checks import (
    ConfigurationError,
    list_of,
    listed,
    one_of,
    parse_attributes,
    parse_baggage_keys,
    parse_bool,
    parse_callable,
    parse_count,
    parse_metric_keys,
    parse_optional_path,
    parse_path,
    parse_port,
    parse_positive,
    parse_prices,
    parse_registry,
    parse_text,
    parse_wait,
)

NO_CONTENT: Final = "NO_CONTENT"
SPAN_ONLY: Final = "SPAN_ONLY"
EVENT_ONLY: Final = "EVENT_ONLY"
SPAN_AND_EVENT: Final = "SPAN_AND_EVENT"

TRACES_EXPORTERS: Final = ("otlp", "console", "litespan_file", "none")
METRICS_EXPORTERS: Final = ("otlp", "console", "litespan_file", "prometheus", "none")
LOGS_EXPORTERS: Final = ("otlp", "console", "litespan_file", "none")
PROTOCOLS: Final = ("http/protobuf", "grpc")
CONTENT_MODES: Final = (NO_CONTENT, SPAN_ONLY, EVENT_ONLY, SPAN_AND_EVENT)
SEMCONV_GENERATIONS: Final = ("gen1", "latest")
# Settings that only litespan.configure() reads: they say what is exported, and where to.
EXPORT_SETTINGS: Final = (
    "service_name",
    "traces_exporter",
    "metrics_exporter",
    "logs_exporter",
    "otlp_endpoint",
    "otlp_protocol",
    "traces_file",
    "metrics_file",
    "logs_file",
    "file_max_bytes",
    "file_backups",
    "metric_interval",
    "spool_dir",
    "spool_max_bytes",
    "spool_max_age",
    "prometheus_host",
    "prometheus_port",
    "prometheus_registry",
)


def _setting(
    default: Any,
    parse: Callable[[str, object], Any],
    env: str | None,
    doc: str,
    parse_env: Callable[[str, str], Any] | None = None,
) -> Any:
    metadata = {"parse": parse, "env": env, "doc": doc, "parse_env": parse_env or parse}
    if isinstance(default, dict):
        return field(default_factory=lambda: MappingProxyType(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of litespan. Build it with :func:`load_settings`.

    The metadata of each field holds its check, its environment variable and its description; the table in
    the README is made from it. ``arguments`` are the names of those that were given as arguments, which go
    before all variables, also before those that no setting names. Settings are equal if their values are.
    """

    arguments: InitVar[Collection[str]] = ()

    service_name: str | None = _setting(
        None, parse_text, "OTEL_SERVICE_NAME", "Name of your service (`service.name`)."
    )
    traces_exporter: tuple[str, ...] | None = _setting(
        None,
        list_of(TRACES_EXPORTERS),
        "OTEL_TRACES_EXPORTER",
        "Where spans go: `otlp`, `console`, `litespan_file`, `none`; a list with commas. "
        "Default: `otlp` if an OTLP endpoint is set, else `litespan_file`.",
        listed,
    )
    metrics_exporter: tuple[str, ...] | None = _setting(
        None,
        list_of(METRICS_EXPORTERS),
        "OTEL_METRICS_EXPORTER",
        "Where metrics go; as above, or `prometheus`.",
        listed,
    )
    logs_exporter: tuple[str, ...] | None = _setting(
        None,
        list_of(LOGS_EXPORTERS),
        "OTEL_LOGS_EXPORTER",
        "Where events go, if `capture_content` asks for them; values and default as for spans.",
        listed,
    )
    otlp_endpoint: str | None = _setting(
        None, parse_text, "OTEL_EXPORTER_OTLP_ENDPOINT", "Base URL of an OTLP receiver."
    )
    otlp_protocol: str = _setting(
        "http/protobuf",
        one_of(PROTOCOLS),
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "`http/protobuf` or `grpc` (gRPC does not survive a fork).",
    )
    traces_file: str = _setting(
        "litespan-traces.jsonl", parse_path, "LITESPAN_TRACES_FILE", "File of OTLP JSON lines for spans."
    )
    metrics_file: str = _setting(
        "litespan-metrics.jsonl", parse_path, "LITESPAN_METRICS_FILE", "The same for metrics."
    )
    logs_file: str = _setting("litespan-logs.jsonl", parse_path, "LITESPAN_LOGS_FILE", "The same for events.")
    file_max_bytes: int = _setting(
        100_000_000, parse_count, "LITESPAN_FILE_MAX_BYTES", "A file is rotated before it grows past this."
    )
    file_backups: int = _setting(
        3, parse_count, "LITESPAN_FILE_BACKUPS", "Rotated files that are kept (`.1` is the newest)."
    )
    metric_interval: float = _setting(
        60.0, parse_wait, "LITESPAN_METRIC_INTERVAL", "Seconds between two exports of metrics."
    )
    prometheus_host: str = _setting(
        "127.0.0.1", parse_text, "OTEL_EXPORTER_PROMETHEUS_HOST", "Address on which Prometheus may scrape."
    )
    prometheus_port: int = _setting(
        9464, parse_port, "OTEL_EXPORTER_PROMETHEUS_PORT", "Its port; each process needs one of its own."
    )
    prometheus_registry: Any = _setting(
        None,
        parse_registry,
        None,
        "A registry of `prometheus_client` that your program already serves; litespan then serves none.",
    )
    spool_dir: str | None = _setting(
        None,
        parse_optional_path,
        "LITESPAN_SPOOL_DIR",
        "Folder in which what goes by OTLP is kept until the receiver has it; unset, nothing is kept.",
    )
    spool_max_bytes: int = _setting(
        100_000_000,
        parse_count,
        "LITESPAN_SPOOL_MAX_BYTES",
        "Bytes in the spool for each process and signal; beyond, the oldest are dropped.",
    )
    spool_max_age: float = _setting(
        172_800.0, parse_positive, "LITESPAN_SPOOL_MAX_AGE", "Seconds that something is kept in the spool."
    )
    exit_timeout: float = _setting(
        5.0,
        parse_wait,
        "LITESPAN_EXIT_TIMEOUT",
        "Seconds that the interpreter's exit may wait for exports.",
    )
    capture_content: str = _setting(
        NO_CONTENT,
        one_of(CONTENT_MODES),
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "`NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY` or `SPAN_AND_EVENT`: whether and where prompts and answers "
        "are recorded.",
    )
    content_max_bytes: int = _setting(
        16_384, parse_count, "LITESPAN_CONTENT_MAX_BYTES", "Largest content attribute, in bytes of JSON."
    )
    redact: Callable[[str], str] | None = _setting(
        None,
        parse_callable,
        None,
        "A function from text to text that every captured text passes; if it raises, content is dropped.",
    )
    request_stream_usage: bool = _setting(
        True, parse_bool, "LITESPAN_REQUEST_STREAM_USAGE", "Ask providers for the usage of streams."
    )
    openai_traces: bool = _setting(
        False,
        parse_bool,
        "LITESPAN_OPENAI_TRACES",
        "Keep the Agents SDK's own exporter, which sends traces (prompts included) to OpenAI.",
    )
    enable_agents_tracing: bool = _setting(
        False,
        parse_bool,
        "LITESPAN_ENABLE_AGENTS_TRACING",
        "Clear the Agents SDK's global `set_tracing_disabled(True)`; the tree comes from that tracing.",
    )
    follow_agents_tracing: bool = _setting(
        False,
        parse_bool,
        "LITESPAN_FOLLOW_AGENTS_TRACING",
        "Where the Agents SDK's tracing is disabled, record no model calls either.",
    )
    turn_spans: bool = _setting(
        False,
        parse_bool,
        "LITESPAN_TURN_SPANS",
        "Show the SDK's task and turn spans instead of folding them.",
    )
    transport_probe: bool = _setting(
        True,
        parse_bool,
        "LITESPAN_TRANSPORT_PROBE",
        "Observe LiteLLM's HTTP transport to know attempts and cut connections.",
    )
    prices: Mapping[str, Mapping[str, float]] = _setting(
        {},
        parse_prices,
        "LITESPAN_PRICES",
        "Prices by model name, in USD per million tokens by class, or the path of a JSON or TOML file; "
        "they go before all other sources of cost.",
    )
    price_hook: Callable[[str, str | None], Mapping[str, float] | None] | None = _setting(
        None,
        parse_callable,
        None,
        "A function from model name and LiteLLM provider to a price as in `prices`, or `None`.",
    )
    record_max_age: float = _setting(
        21_600.0,
        parse_positive,
        "LITESPAN_RECORD_MAX_AGE",
        "Seconds after which something that never ended is closed.",
    )
    extra_attributes: Mapping[str, AttributeValue] = _setting(
        {},
        parse_attributes,
        "LITESPAN_EXTRA_ATTRIBUTES",
        "Attributes of your own on all spans, for example `stage=prod,region=eu`.",
    )
    metric_keys: tuple[str, ...] = _setting(
        (),
        parse_metric_keys,
        "LITESPAN_METRIC_KEYS",
        "Names of extra attributes that are put on counters too; a list with commas.",
    )
    baggage_keys: tuple[str, ...] = _setting(
        ("user.id", "session.id"),
        parse_baggage_keys,
        "LITESPAN_BAGGAGE_KEYS",
        "Entries of OpenTelemetry's baggage that become span attributes; a list with commas.",
    )
    propagate_baggage: bool = _setting(
        False,
        parse_bool,
        "LITESPAN_PROPAGATE_BAGGAGE",
        "Let `using(user=…, session=…)` send both on with outgoing requests, also to model providers.",
    )
    semconv: str = _setting(
        "gen1",
        one_of(SEMCONV_GENERATIONS),
        "LITESPAN_SEMCONV",
        "Names of OpenTelemetry's conventions: `gen1` (v1.41, what backends read today) or `latest`.",
    )

    def __post_init__(self, arguments: Collection[str]) -> None:
        """Remember what was given as an argument; beside the fields, since it is no setting."""
        object.__setattr__(self, "_arguments", frozenset(arguments))

    def is_argument(self, name: str) -> bool:
        """Say whether a setting was given as an argument, whatever its value is."""
        return name in self._arguments  # type: ignore[attr-defined] # set above

    @property
    def content_on_spans(self) -> bool:
        """Whether prompts, answers, tool arguments and results may go on spans."""
        return self.capture_content in (SPAN_ONLY, SPAN_AND_EVENT)

    @property
    def events(self) -> bool:
        """Whether each model call is also told as an event, with its prompts and answers."""
        return self.capture_content in (EVENT_ONLY, SPAN_AND_EVENT)


def check_exporters(setting: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Check the names of exporters that an environment variable has given, where they are needed.

    Raises:
        ConfigurationError: if litespan does not know one of them.
    """
    (spec,) = (spec for spec in fields(Settings) if spec.name == setting)
    checked: tuple[str, ...] = spec.metadata["parse"](spec.metadata["env"], ",".join(names))
    return checked


def variables_of(names: Collection[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of these settings only."""
    variables = [spec.metadata["env"] for spec in fields(Settings) if spec.name in names]
    return {variable: environ[variable] for variable in variables if variable and variable in environ}


def load_settings(environ: Mapping[str, str] | None = None, **arguments: object) -> Settings:
    """Build :class:`Settings` from arguments, then from the environment, then from the defaults.

    An empty environment variable counts as unset, as OpenTelemetry's specification says. Exporters that a
    variable names are checked where litespan makes them (:func:`check_exporters`), since the providers may be
    another's.

    Raises:
        ConfigurationError: on an unknown setting or a wrong value; it lists what is valid.
    """
    environ = os.environ if environ is None else environ
    known = {f.name: f for f in fields(Settings)}
    for name in arguments:
        if name not in known:
            from difflib import get_close_matches  # not before somebody needs it: programs wait for imports

            close = get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ConfigurationError(
                f"Unknown setting {name!r}.{hint} Valid settings: {', '.join(sorted(known))}."
            )
    values: dict[str, Any] = {}
    given = {name for name in arguments if arguments[name] is not None or known[name].default is not None}
    for name, spec in known.items():
        env = spec.metadata["env"]
        if name in given:
            values[name] = spec.metadata["parse"](name, arguments[name])
        elif env and environ.get(env, "").strip():
            values[name] = spec.metadata["parse_env"](env, environ[env])
    return Settings(**values, arguments=given)
