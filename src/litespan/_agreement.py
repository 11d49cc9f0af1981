"""Whether what a program asks for agrees with what is set up already; silence would look like success."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from litespan.setting_checks import ConfigurationError
from litespan.settings import EXPORT_SETTINGS, Settings

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from litespan._installation import Installation

    Providers: TypeAlias = tuple[TracerProvider | None, MeterProvider | None, LoggerProvider | None]


def is_set_up(
    installed: Installation | None, loaded: Settings, but: Sequence[str] = ()
) -> TypeGuard[Installation]:
    """Say whether litespan is set up like this already, ``but`` for some settings.

    An implicit set-up is replaced by an explicit one.

    Raises:
        ConfigurationError: if it is set up with other settings.
    """
    if installed is None or installed.implicit:
        return False
    names = [spec.name for spec in fields(Settings) if spec.name not in but]
    others = [name for name in names if getattr(installed.settings, name) != getattr(loaded, name)]
    if not others:
        return True
    raise ConfigurationError(
        f"litespan is already set up with other settings: {', '.join(others)}. "
        "Call litespan.uninstrument() first, or set it up in one place only."
    )


def check_built(installed: Installation | None, configured: Installation | None) -> None:
    """Check that what is set up was built by ``configure()``: after ``instrument()`` nothing exports.

    Raises:
        ConfigurationError: if it was not.
    """
    if installed is not configured:
        raise ConfigurationError(
            "litespan.instrument() was called before, which exports nothing. "
            "Call litespan.configure() alone, or litespan.uninstrument() first."
        )


def check_nothing_exported(settings: Iterable[str]) -> None:
    """Check that no setting says where data goes, for ``instrument()``.

    Raises:
        ConfigurationError: if one does.
    """
    for name in settings:
        if name in EXPORT_SETTINGS:
            raise ConfigurationError(
                f"{name} says where data goes; instrument() uses providers that exist and exports nothing. "
                "Use litespan.configure(), or set it on your own OpenTelemetry provider."
            )


def check_providers(given: Providers) -> None:
    """Check that the providers that are given are providers.

    Raises:
        ConfigurationError: if one is not; the message names it.
    """
    for signal, provider in zip(("tracer", "meter", "logger"), given, strict=True):
        if provider is not None and not callable(getattr(provider, f"get_{signal}", None)):
            raise ConfigurationError(
                f"{signal}_provider must be an OpenTelemetry provider, which has get_{signal}(), not "
                f"{type(provider).__name__}. Leave it out to use the global one."
            )


def check_in_use(installed: Installation, given: Providers) -> None:
    """Check that the providers that are given are those in use.

    Raises:
        ConfigurationError: if one is not.
    """
    pipeline = installed.pipeline
    used = (pipeline.tracer_provider, pipeline.meter_provider, pipeline.logger_provider)
    # Without events a logger provider is not used at all.
    asked = given[:2] if pipeline.logger_provider is None else given
    if any(provider is not None and all(provider is not one for one in used) for provider in asked):
        raise ConfigurationError(
            "litespan is already set up with other OpenTelemetry providers. "
            "Call litespan.uninstrument() first."
        )
