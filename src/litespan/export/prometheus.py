"""The parts that are made of the Prometheus client; imported only where the extra is asked for."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from inspect import signature

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from prometheus_client import CollectorRegistry, Metric


class SerialRegistry(CollectorRegistry):
    """A registry that is collected by one scrape at a time.

    OpenTelemetry's collector keeps what it reads in one queue: two scrapes at once show some metrics twice.
    """

    def __init__(self) -> None:
        super().__init__(auto_describe=False)
        self._one_at_a_time = threading.Lock()

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics as they are now."""
        with self._one_at_a_time:
            metrics = list(super().collect())
        return iter(metrics)


def has_labels_of_resource() -> bool:
    """Say whether OpenTelemetry's reader can put attributes of the resource on metrics; from 0.66b1 on."""
    return "resource_attribute_filter" in signature(PrometheusMetricReader).parameters


def make_reader(registry: CollectorRegistry, resource_labels: Collection[str]) -> PrometheusMetricReader:
    """Make a reader whose metrics have the labels of pushed ones: these of the resource, none of a scope."""
    return PrometheusMetricReader(
        scope_info_enabled=False,
        resource_attribute_filter=lambda key: key in resource_labels,
        registry=registry,
    )
