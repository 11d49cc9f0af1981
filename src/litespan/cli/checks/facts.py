"""What is known of this Python: versions, packages, names of variables. No judgement."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Final

import litespan
from litespan.cli.checks.doubling import PACKAGES
from litespan.cli.checks.tracing import DISABLED

_MALICIOUS_FILE: Final = "litellm_init.pth"
_INSTRUMENTORS: Final = "opentelemetry_instrumentor"
# Read by OpenTelemetry's instrumentations, whose module of names is not always installed.
_MORE_VARIABLES: Final = ("OTEL_SEMCONV_STABILITY_OPT_IN", DISABLED)


def version_of(package: str) -> str | None:
    """Return the installed version; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def other_instrumentations() -> dict[str, tuple[str, ...]]:
    """Return the packages that are there, each with its names for `opentelemetry-instrument`."""
    installed = (package for package in PACKAGES if version_of(package) is not None)
    return {package: tuple(_names_of(package)) for package in installed}


def _names_of(package: str) -> Iterator[str]:
    for entry in metadata.distribution(package).entry_points:
        if entry.group == _INSTRUMENTORS:
            yield entry.name


def known_variables() -> frozenset[str]:
    """Return the environment variables that the installed packages of OpenTelemetry say they read."""
    return frozenset((*_MORE_VARIABLES, *_declared_variables()))


def _declared_variables() -> Iterator[str]:
    for entry in metadata.entry_points(group="opentelemetry_environment_variables"):
        for value in vars(entry.load()).values():
            if isinstance(value, str) and value.startswith("OTEL_"):
                yield value


def other_samplers() -> tuple[str, ...]:
    """Return the names of the samplers that installed packages offer."""
    return tuple(entry.name for entry in metadata.entry_points(group="opentelemetry_traces_sampler"))


def folders_with_malicious_file() -> tuple[str, ...]:
    """Return the folders of packages that hold the file of the malicious LiteLLM 1.82.8."""
    folders: Iterable[str] = {*sys.path, *site.getsitepackages(), site.getusersitepackages()}
    return tuple(
        sorted(folder for folder in folders if os.path.exists(os.path.join(folder, _MALICIOUS_FILE)))
    )


def installed_at() -> float:
    """Return when litespan was installed, by its file's time, in seconds since the Unix epoch."""
    return os.path.getmtime(litespan.__file__)


def can_be_scraped() -> bool:
    """Say whether the exporter for Prometheus is there, and new enough."""
    try:
        from litespan.export.prometheus import has_labels_of_resource
    except ImportError:
        return False
    return has_labels_of_resource()
