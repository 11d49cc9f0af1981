"""Whether Prometheus can scrape the program."""

from __future__ import annotations

import socket
from typing import Final

from litespan.cli.checks.finding import Finding, ok, problem, warning
from litespan.export.scraping import INSTALLATION, netloc
from litespan.settings import Settings

CHECK: Final = "scraping"


def is_free(host: str, port: int) -> bool:
    """Say whether a program could listen there now."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    return True


def check_scraping(settings: Settings, *, installed: bool, free: bool) -> Finding:
    """Judge the address that is offered to Prometheus."""
    address = netloc(settings)
    if not installed:
        return problem(CHECK, "the exporter is not installed, or too old", INSTALLATION)
    if not free:
        return warning(
            CHECK,
            f"{address} is taken: by your program, which then runs already, or by another",
            f"export OTEL_EXPORTER_PROMETHEUS_PORT={settings.prometheus_port % 65535 + 1}"
            "  # if it is another one's",
        )
    return ok(CHECK, f"{address} is free for your program")
