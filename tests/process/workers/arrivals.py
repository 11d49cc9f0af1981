"""What arrived from which process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from tests.fakes.otlp_server import Received

AGENT, CALL = "invoke_agent Helper", "chat gpt-4.1-mini"


def runs_by_process(received: Received) -> dict[str, int]:
    """Return the number of complete runs (a root, an agent and a call) by ``service.instance.id``."""
    names: dict[str, Counter[str]] = {}
    for instance, resource in _resources(received.trace_requests, "resource_spans"):
        found = names.setdefault(instance, Counter())
        found.update(span.name for scope in resource.scope_spans for span in scope.spans)
    for found in names.values():
        assert found[AGENT] == found[CALL] == found["invoke_workflow Helper"], found
    return {instance: found[CALL] for instance, found in names.items()}


def calls_by_process(received: Received) -> dict[str, int]:
    """Return the counter of model calls, as of the last export, by ``service.instance.id``."""
    counted: dict[str, int] = {}
    for instance, resource in _resources(received.metric_requests, "resource_metrics"):
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            if metric.name == "litespan.calls":
                counted[instance] = int(
                    sum(point.as_double + point.as_int for point in metric.sum.data_points)
                )
    return counted


def durations_by_process(received: Received) -> dict[str, int]:
    """Return how many calls the histogram of their duration has, likewise."""
    counted: dict[str, int] = {}
    for instance, resource in _resources(received.metric_requests, "resource_metrics"):
        for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
            if metric.name == "gen_ai.client.operation.duration":
                points = metric.histogram.data_points
                counted[instance] = sum(
                    point.count
                    for point in points
                    if any(a.value.string_value == "chat" for a in point.attributes)
                )
    return counted


def _resources(requests: Iterable[Any], field: str) -> Iterable[tuple[str, Any]]:
    for request in requests:
        for resource in getattr(request, field):
            (instance,) = (
                attribute.value.string_value
                for attribute in resource.resource.attributes
                if attribute.key == "service.instance.id"
            )
            yield instance, resource
