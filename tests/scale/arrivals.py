"""Which of the accepted runs Jaeger has whole."""

from __future__ import annotations

from collections.abc import Mapping

from tests.integration.servers.jaeger_api import JaegerApi
from tests.scale.driver import Sent


class Arrivals:
    """Looks for runs by their ids, and asks again only for those that were not whole.

    ``runs`` are the accepted runs by trace id; it may grow.
    """

    def __init__(self, jaeger: JaegerApi, runs: Mapping[str, Sent]) -> None:
        self._jaeger = jaeger
        self._runs = runs
        self._whole: set[str] = set()

    def lacking(self, before: float) -> Mapping[str, int]:
        """Return how many spans are missing of each run that is not whole, by trace id.

        Args:
            before: runs that were accepted later than this are not looked at (`time.monotonic`, in seconds).

        Raises:
            httpx.HTTPError: if Jaeger does not answer.
        """
        found = {
            trace_id: len(run.copy.run.spans) - len(self._jaeger.trace(trace_id))
            for trace_id, run in list(self._runs.items())
            if trace_id not in self._whole and run.end <= before
        }
        self._whole.update(trace_id for trace_id, missing in found.items() if not missing)
        return {trace_id: missing for trace_id, missing in found.items() if missing}
