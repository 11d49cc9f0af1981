"""The two adapters, the Agents SDK's and litespan's, called alike at a fake provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from agents import ModelProvider, ModelResponse, ModelSettings, trace
from agents.items import TResponseStreamEvent
from agents.models.interface import ModelTracing

from litespan.testing import Provider, Reply, Request
from tests.fakes.litellm_calls import API_KEY, MODELS

INCLUDING_USAGE = ModelSettings(include_usage=True)
"""Settings with which both adapters report the usage of a stream."""


@dataclass(frozen=True)
class Adapter:
    """One adapter: its classes, and ways to call its models."""

    name: str
    model_class: type[Any]
    provider_class: type[ModelProvider]
    provider: Provider

    def model(self, wire: str = "openai", name: str | None = None, **options: Any) -> Any:
        """Return a model that calls the provider over that wire."""
        options = {"base_url": self.provider.url(wire), "api_key": API_KEY, **options}
        return self.model_class(name or MODELS[wire], **options)

    async def respond(self, input: Any = "Hi", *, model: Any = None, **given: Any) -> ModelResponse:
        """Call a model without a stream, inside a trace of the SDK."""
        with trace("adapter contract"):
            answer = await (model or self.model()).get_response(**arguments(input, given))
            return cast("ModelResponse", answer)

    async def stream(
        self, input: Any = "Hi", *, model: Any = None, **given: Any
    ) -> list[TResponseStreamEvent]:
        """Stream a model's answer to its end, inside a trace of the SDK."""
        with trace("adapter contract"):
            events = (model or self.model()).stream_response(**arguments(input, given))
            return [event async for event in cast("AsyncIterator[TResponseStreamEvent]", events)]

    @property
    def sent(self) -> Request:
        """The last request that reached the provider."""
        return self.provider.served[-1].request


@dataclass(frozen=True)
class Caller:
    """An adapter that is called in one of the two ways, whole or streamed."""

    adapter: Adapter
    streamed: bool

    async def ask(self, input: Any = "Hi", **given: Any) -> Request:
        """Call a model; return the request on the wire."""
        if self.streamed:
            await self.adapter.stream(input, **given)
        else:
            await self.adapter.respond(input, **given)
        return self.adapter.sent

    async def answer(self, *replies: Reply, **given: Any) -> Any:
        """Call a model that gives this reply; return what has ``output`` and ``usage``."""
        self.adapter.provider.script("*", *replies)
        given = {"settings": INCLUDING_USAGE, **given}
        if not self.streamed:
            return await self.adapter.respond(**given)
        last: Any = (await self.adapter.stream(**given))[-1]
        return last.response


def arguments(input: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Name the arguments of a call as the SDK's interface does, which has no defaults for most."""
    defaults: dict[str, Any] = {
        "system_instructions": None,
        "model_settings": given.get("settings") or ModelSettings(),
        "tools": [],
        "output_schema": None,
        "handoffs": [],
        "tracing": ModelTracing.ENABLED,
        "previous_response_id": None,
        "conversation_id": None,
        "prompt": None,
    }
    others = {name: value for name, value in given.items() if name != "settings"}
    return {"input": input, **defaults, **others}


def dumped(items: Sequence[Any]) -> list[dict[str, Any]]:
    """Return pydantic objects as plain data, without what is empty."""
    return [item.model_dump(exclude_none=True) for item in items]
