"""A real Prometheus in the place of Mimir or Thanos: it takes remote write as they do."""

from __future__ import annotations

from collections.abc import Sequence

from tests.integration.servers.prometheus import Prometheus


class MetricsStore(Prometheus):
    """Prometheus with the shipped configuration and rules, which is written to and scrapes nobody else."""

    @property
    def remote_write(self) -> str:
        """Where gateways write."""
        return f"{self.url}/api/v1/write"

    def arguments(self) -> Sequence[str]:
        """Return the arguments of the command."""
        return [*super().arguments(), "--web.enable-remote-write-receiver"]
