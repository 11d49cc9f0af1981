"""What a server tells of itself on its metrics page."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Metrics:
    """The page at a URL. Figures that a server has not counted yet are 0."""

    def __init__(self, url: str) -> None:
        self.url = url
        # One client, as a new one takes longer than the page; no connection is kept, as servers are killed.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(timeout=10.0, trust_env=False, limits=limits)

    def total(self, name: str, **labels: str) -> float:
        """Return the sum of all series of this name that have these labels.

        Raises:
            httpx.HTTPError: if the server does not answer.
        """
        page = self._client.get(self.url).raise_for_status().text
        # The parser takes its time, and this is asked while the machine's speed is measured.
        lines = "\n".join(line for line in page.splitlines() if line.startswith(name))
        return sum(
            sample.value
            for family in text_string_to_metric_families(lines)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
