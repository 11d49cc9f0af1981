"""What the tests ask Jaeger, over the HTTP API that its own page uses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import httpx

_LOOK_BACK = 3_600.0  # seconds


@dataclass(frozen=True)
class JaegerSpan:
    """A span as Jaeger returns it.

    Attributes:
        tags: attributes by name, in Jaeger's types; an array comes as JSON text.
        types: Jaeger's word for the type of each tag: string, bool, int64, float64.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    service: str
    tags: Mapping[str, Any]
    types: Mapping[str, str]


class JaegerApi:
    """A client. Each method raises httpx.HTTPStatusError if Jaeger refuses."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api", timeout=30.0, trust_env=False)

    def services(self) -> list[str]:
        """Return the names of all services that sent spans."""
        return self._get("services") or []

    def operations(self, service: str) -> set[str]:
        """Return the names of a service's spans. Of their kinds Jaeger's storage on disk knows nothing."""
        return {operation["name"] for operation in self._get("operations", service=service) or ()}

    def traces(
        self, service: str, tags: Mapping[str, str] | None = None, limit: int = 10_000
    ) -> dict[str, list[JaegerSpan]]:
        """Return the traces of the last hour by id, each whole; or those with a span that has all tags."""
        now = time.time()
        found = self._get(
            "traces",
            service=service,
            limit=limit,
            start=int((now - _LOOK_BACK) * 1e6),
            end=int((now + 1) * 1e6),
            **({"tags": json.dumps(tags)} if tags else {}),
        )
        return {trace["traceID"]: list(_spans(trace)) for trace in found or ()}

    def trace(self, trace_id: str) -> list[JaegerSpan]:
        """Return the spans of a trace; none if Jaeger does not know it."""
        response = self._client.get(f"traces/{trace_id}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return []
        return [span for trace in response.raise_for_status().json()["data"] for span in _spans(trace)]

    def monitor(
        self,
        figure: Literal["calls", "errors", "latencies"],
        service: str,
        kind: Literal["client", "internal"],
        quantile: float | None = None,
    ) -> Sequence[float]:
        """Return what the Monitor tab draws of the last ten minutes: rates, or milliseconds."""
        parameters = {"quantile": quantile} if quantile is not None else {}
        found = self._client.get(
            f"metrics/{figure}",
            params={
                "service": service,
                "spanKind": kind,
                "endTs": int(time.time() * 1000),
                "lookback": 600_000,
                "step": 5_000,
                "ratePer": 60_000,
                **parameters,
            },
        )
        metrics = found.raise_for_status().json()["metrics"]
        return [
            float(point["gaugeValue"]["doubleValue"])
            for metric in metrics
            for point in metric["metricPoints"]
            if point["gaugeValue"]["doubleValue"] != "NaN"
        ]

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._client.get(path, params=parameters).raise_for_status().json()["data"]


def _spans(trace: Mapping[str, Any]) -> Iterator[JaegerSpan]:
    for span in trace["spans"]:
        parents = [ref["spanID"] for ref in span["references"] if ref["refType"] == "CHILD_OF"]
        yield JaegerSpan(
            trace["traceID"],
            span["spanID"],
            parents[0] if parents else None,
            span["operationName"],
            trace["processes"][span["processID"]]["serviceName"],
            {tag["key"]: tag["value"] for tag in span["tags"]},
            {tag["key"]: tag["type"] for tag in span["tags"]},
        )
