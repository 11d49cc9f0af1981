"""OpenTelemetry's baggage: what comes with a request, and what goes out with the program's own requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from opentelemetry import baggage
from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from litespan import semconv
from litespan.emit.spans import ambient, detach
from litespan.labels import as_id

# Under which a context holds its baggage. Its API asks for it in six calls, and every record does so.
[_KEY] = baggage.set_baggage("any", "thing", Context())


def reader(keys: Sequence[str]) -> Callable[[], Mapping[str, str] | None]:
    """Return a function that reads the entries with these keys from the ambient context."""

    def read() -> Mapping[str, str] | None:
        entries = cast("Mapping[str, Any] | None", ambient().get(_KEY))
        if not entries:
            return None
        found = {key: text for key in keys if (text := as_id(entries.get(key))) is not None}
        return found or None

    return read


class Propagation:
    """Puts a user and a session into the ambient baggage, so that propagators send them on."""

    def attach(self, user: str | None, session: str | None) -> object:
        """Add to the baggage of this context; return what :meth:`detach` needs."""
        context = ambient()
        for key, value in ((semconv.USER_ID, user), (semconv.SESSION_ID, session)):
            if value is not None:
                context = baggage.set_baggage(key, value, context)
        return otel_context.attach(context), context

    def detach(self, attached: object) -> None:
        """Undo :meth:`attach`; does nothing in a context that did not attach it."""
        if isinstance(attached, tuple):
            token, context = attached
            detach(token, context, _sent_on)


def _sent_on(context: Context) -> tuple[object, ...]:
    """Return what is sent on in a context, and its span: one that the program began inside stays current."""
    keys = (semconv.USER_ID, semconv.SESSION_ID)
    return (get_current_span(context), *(baggage.get_baggage(key, context) for key in keys))
