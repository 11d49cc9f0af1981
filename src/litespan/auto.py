"""litespan as ``opentelemetry-instrument`` finds it; needs the extra ``auto``."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from typing import Any, Final

try:
    # Its module is excluded from type checks by a comment of its own.
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
except ImportError as error:
    raise ImportError(
        "litespan.auto needs a package that is not installed: "
        "pip install 'opentelemetry-distro>=0.61b0,!=0.66b0'"
    ) from error

from litespan import _api
from litespan.setting_checks import ConfigurationError

logger = logging.getLogger("litespan")

# As in pyproject.toml.
_DEPENDENCIES: Final = ("openai-agents >= 0.21", "litellm >= 1.83.0")


class LitespanInstrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Instruments the Agents SDK and LiteLLM for OpenTelemetry's tools, which set the providers.

    ``instrument()`` without arguments is what ``opentelemetry-instrument`` calls. It does nothing if
    ``OTEL_SDK_DISABLED`` is true, sends what is left when SIGTERM ends the program, and gives way when the
    program's own code sets litespan up. A wrong environment variable is logged: it stops neither the program
    nor other instrumentations. With arguments it is :func:`litespan.instrument`.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the packages that are instrumented, with their versions."""
        return _DEPENDENCIES

    def _instrument(self, **kwargs: Any) -> None:
        if kwargs:
            _api.instrument(**kwargs)
        elif os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true":
            try:
                _api.instrument_from_outside()
            except ConfigurationError as error:
                logger.error("litespan is off: %s", error)  # noqa: TRY400 - the message says it all

    def _uninstrument(self, **kwargs: Any) -> None:
        _api.uninstrument()
