"""A meter provider of OpenTelemetry's SDK in a forked child: locks of its own, and no sums of its parent.

The SDK's locks around measurements are inherited as they were at the moment of the fork. If a thread of the
parent was counting or collecting right then, they are never released in the child, and the first measurement
there would wait for ever. The SDK (1.45.1) makes new ones for its processors, not for these.
"""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader

from litespan.export.adoption import is_of_api
from litespan.guard import guarded


def leave_to_parent(provider: MeterProvider, reader: MetricReader) -> bool:
    """Take a reader, with the sums that it has, out of a provider, whoever holds the provider's locks.

    True if it is out. This is private access: there is no public way that takes no lock. Where the SDK is
    another one than is expected here, nothing is changed.
    """
    return bool(guarded("export.fork")(_take_out)(provider, reader))


def start_from_zero(provider: object, scope: str) -> bool:
    """Forget the parent's sums of one scope's instruments, for all readers of a provider.

    True if none are left. False where the provider is not the SDK's own: its readers go on from the sums.
    """
    if is_of_api(provider):
        return True  # it keeps nothing, and hands on to a provider that is set in the child
    return isinstance(provider, MeterProvider) and bool(guarded("export.fork")(_forget)(provider, scope))


def _forget(provider: MeterProvider, scope: str) -> bool:
    consumer: Any = provider._measurement_consumer  # noqa: SLF001 - as above
    for storage in consumer._reader_storages.values():  # noqa: SLF001
        for instrument, matches in storage._instrument_view_instrument_matches.items():  # noqa: SLF001
            if instrument.instrumentation_scope.name == scope:
                for match in matches:
                    match._attributes_aggregation = {}  # noqa: SLF001
    # What remembers aggregations looks for them anew when this is replaced, as the SDK does.
    consumer._reader_storages = dict(consumer._reader_storages)  # noqa: SLF001
    return True


def _take_out(provider: MeterProvider, reader: MetricReader) -> bool:
    consumer: Any = provider._measurement_consumer  # noqa: SLF001 - see above
    kept = {other: sums for other, sums in consumer._reader_storages.items() if other is not reader}  # noqa: SLF001
    meters = list(provider._meters.values())  # noqa: SLF001
    consumer._lock = threading.Lock()  # noqa: SLF001
    type(provider)._all_metric_readers_lock = threading.Lock()  # noqa: SLF001
    for meter in meters:
        _renew_locks(meter)
    # The SDK has started the reader's thread anew; from now on it collects nothing.
    reader._set_collect_callback(_collect_nothing)  # noqa: SLF001
    consumer._reader_storages = kept  # noqa: SLF001
    return True


def _renew_locks(meter: Any) -> None:
    for name in ("_instrument_ids_lock", "_instrument_registration_lock"):
        if hasattr(meter, name):
            setattr(meter, name, threading.Lock())


def _collect_nothing(*_: object, **__: object) -> Any:
    """Return no metrics to a reader, which then has nothing to send."""
    return None
