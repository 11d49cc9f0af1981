"""Lines of OTLP/JSON as export requests: the way back from :mod:`litespan.export.otlp_json`."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.json_format import ParseDict, ParseError

from litespan.export.ledger import LOGS, METRICS, TRACES
from litespan.export.otlp.requests_pb import NAMES, Part, part_of

_SIGNALS: Final = {"resourceSpans": TRACES, "resourceMetrics": METRICS, "resourceLogs": LOGS}
_ID_FIELDS: Final = ("traceId", "spanId", "parentSpanId")


class NoRequestError(ValueError):
    """A line holds no export request; the message says what is wrong with it."""


def request_from_json(line: bytes) -> tuple[str, Part]:
    """Return the signal and the request of a line; unknown fields are left out, as OTLP asks of receivers.

    Raises:
        NoRequestError: if it is no JSON, or no request of spans, metrics or log records.
    """
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise NoRequestError("it is no JSON") from error
    signal = next((s for key, s in _SIGNALS.items() if isinstance(document, dict) and key in document), None)
    if signal is None:
        raise NoRequestError("it holds no spans, metrics or log records")
    try:
        for holder in _holders(document):
            _ids_to_base64(holder)
        return signal, part_of(
            signal, ParseDict(document, NAMES[signal].request(), ignore_unknown_fields=True)
        )
    except (ParseError, ValueError, RecursionError) as error:
        raise NoRequestError("it is not as OTLP says") from error


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects; ids are in spans, links, log records and exemplars."""
    if isinstance(value, dict):
        yield value
        # Attributes hold no ids, and are most of what there is.
        for key, inner in value.items():
            if key not in ("attributes", "body"):
                yield from _holders(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _holders(inner)


def _ids_to_base64(holder: dict[str, Any]) -> None:
    for name in _ID_FIELDS:
        if isinstance(holder.get(name), str):
            holder[name] = base64.b64encode(bytes.fromhex(holder[name])).decode()
