"""Where the load is played: the fake provider, LiteLLM's cache, and who waits for what."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

import litellm
from litellm.caching.caching import Cache

from litespan.testing import Provider, Reply, Request
from litespan.testing.refusal import refuse
from tests.flow.troubles import until
from tests.ledger.vendors import Vendor

STRICT: Final = "ledger-strict"
"""A model whose server refuses the usage option of streams."""

NO_JOB: Final = 0
"""The number of what no job sends; jobs count from 1."""

_JOB: Final = re.compile(r"\bjob-(\d+)\b")
_WAIT: Final = 60.0  # seconds


class Stage:
    """Knows which request belongs to which job, and answers it with the job's next reply.

    `keys` are the arguments with which a program signs in, by the name of the provider.
    """

    def __init__(self, provider: Provider, cache: Cache, keys: Mapping[str, Mapping[str, Any]]) -> None:
        self.provider = provider
        self.cache = cache
        self.keys = keys
        self.job_of: dict[int, int] = {}
        self._replies: dict[int, Sequence[Reply]] = {}
        self._counts: defaultdict[int, int] = defaultdict(int)
        self._arrivals: defaultdict[int, Future[None]] = defaultdict(Future)
        self._cached: Mapping[str, Any] = cache.cache.cache_dict  # type: ignore[attr-defined]
        provider.respond = self._respond

    def url(self, vendor: Vendor, model: int = 0) -> str:
        """Return the `api_base` of a provider for one of its models."""
        base = self.provider.url(vendor.name)
        return f"{base}/models/{vendor.served_models[model]}" if vendor.model_in_url else base

    def target(self, vendor: Vendor, model: int = 0) -> dict[str, Any]:
        """Return the arguments that send a call to one of a provider's models."""
        address = {"model": vendor.models[model], "api_base": self.url(vendor, model)}
        return {**address, **self.keys[vendor.name]}

    def expect(self, number: int, replies: Sequence[Reply]) -> None:
        """Have the requests of a job answered with these replies, in the order of their arrival."""
        self._replies[number] = replies

    def warm_up(self, vendors: Sequence[Vendor]) -> None:
        """Have LiteLLM make its clients for threads, one after the other; the requests are of no job.

        It keeps one for all threads. When several make it at once, all but one are closed while
        they are used (litellm 1.83.0).
        """
        self.expect(NO_JOB, [Reply.says("warm")] * 2 * len(vendors))
        for vendor in vendors:
            for stream in (False, True):
                answer = litellm.completion(
                    messages=[{"role": "user", "content": f"This is job-{NO_JOB}."}],
                    stream=stream,
                    **self.target(vendor),
                )
                if stream:
                    list(answer)

    async def arrived(self, number: int) -> None:
        """Wait until the job's first request has arrived."""
        await asyncio.wait_for(asyncio.wrap_future(self._arrivals[number]), _WAIT)

    async def cached(self, arguments: Mapping[str, Any]) -> None:
        """Wait until LiteLLM, which does it in the background, has written the answer to its cache."""
        key = self.cache.get_cache_key(**arguments)
        await until(lambda: key in self._cached, _WAIT)

    def _respond(self, request: Request) -> Reply:
        said = _JOB.findall(str(request.messages))
        number = int(said[0])
        self.job_of[request.number] = number
        if request.model == STRICT and "stream_options" in request.json:
            return refuse("stream_options", 400)
        index = self._counts[number]
        self._counts[number] += 1
        arrival = self._arrivals[number]
        if not arrival.done():
            arrival.set_result(None)
        replies = self._replies[number]
        return replies[index] if index < len(replies) else Reply.fails(418, message="one request too many")
