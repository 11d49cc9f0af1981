"""A real Prometheus with the shipped configuration and rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.fakes.ports import free_port
from tests.integration.servers.prometheus_api import PrometheusApi
from tests.integration.servers.server import DEPLOY, LOOPBACK, Server

SHIPPED: Final = DEPLOY / "prometheus"
COMPOSE: Final = DEPLOY.parent / "docker-compose.yml"


class Prometheus(Server):
    """Prometheus 3. ``scraped`` maps jobs of its configuration to the host:port where they are here."""

    name = "prometheus"

    def __init__(
        self, folder: Path, scraped: Mapping[str, str] | None = None, interval: str | None = None
    ) -> None:
        super().__init__(folder)
        self.address = f"{LOOPBACK}:{free_port()}"
        self.url = f"http://{self.address}"
        self.health = f"{self.url}/-/ready"
        self.api = PrometheusApi(self.url)
        self._interval = interval
        self.scrape(scraped or {})

    def scrape(self, scraped: Mapping[str, str]) -> None:
        """Write the configuration with these targets; before the start, when all ports are known."""
        shipped = yaml.safe_load((SHIPPED / "prometheus.yml").read_text(encoding="utf-8"))
        here = on_this_machine(shipped, {"prometheus": self.address, **scraped}, self._interval)
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(here), encoding="utf-8")

    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command."""
        return [
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
            *shipped_flags(),
        ]


def shipped_flags() -> list[str]:
    """Return the flags that docker-compose.yml starts Prometheus with, without those that name places."""
    compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    places = ("--config.file", "--storage.tsdb.path", "--web.listen-address")
    return [flag for flag in compose["services"]["prometheus"]["command"] if not flag.startswith(places)]


def on_this_machine(
    shipped: dict[str, Any], addresses: Mapping[str, str], interval: str | None
) -> dict[str, Any]:
    """Return Prometheus' shipped configuration with what differs in a test, and nothing else changed.

    Prometheus reads no environment variables here, so it is done from outside: the targets of the jobs get
    this machine's addresses (a job without one is left out), the rule files are those of the project, and
    with an ``interval`` ("1s") scrapes and rules come as often as that.
    """
    jobs = [job for job in shipped["scrape_configs"] if job["job_name"] in addresses]
    for job in jobs:
        job["static_configs"] = [{"targets": [addresses[job["job_name"]]]}]
    rules = [str(SHIPPED / pattern) for pattern in shipped["rule_files"]]
    pace = {"scrape_interval": interval, "evaluation_interval": interval} if interval else {}
    return {
        **shipped,
        "global": {**shipped["global"], **pace},
        "rule_files": rules,
        "scrape_configs": jobs,
    }
