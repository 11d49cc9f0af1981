"""Models that a program writes itself: each opens a generation span around the calls that it makes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import litellm
from agents import ModelResponse, Usage, generation_span
from agents.extensions.models.litellm_model import LitellmConverter
from agents.models.chatcmpl_converter import Converter
from agents.models.chatcmpl_stream_handler import ChatCmplStreamHandler
from agents.models.fake_id import FAKE_RESPONSES_ID
from agents.models.interface import Model
from openai.types.responses import Response

from litespan.testing import Provider

Ask = Callable[..., Awaitable[Any]]


class OwnModel(Model):
    """Calls LiteLLM inside a generation span of its own.

    `ask` makes the calls: it takes LiteLLM's arguments and returns LiteLLM's answer. `usage` is what the
    model writes on its span.
    """

    def __init__(
        self,
        provider: Provider,
        ask: Ask | None = None,
        *,
        usage: dict[str, Any] | None = None,
        span_model: str = "my-model",
    ) -> None:
        self._provider = provider
        self._ask = ask
        self._usage = usage
        self._span_model = span_model

    async def get_response(
        self, system_instructions: Any, input: Any, model_settings: Any, *args: Any, **kwargs: Any
    ) -> ModelResponse:
        """Answer with one message."""
        with generation_span(model=self._span_model, model_config={"temperature": 0.1}) as span:
            answer = await self._answer(input, temperature=model_settings.temperature)
            span.span_data.usage = self._usage
        message = LitellmConverter.convert_message_to_openai(answer.choices[0].message)
        items = Converter.message_to_output_items(message)
        return ModelResponse(output=items, usage=Usage(requests=1), response_id=None)

    async def stream_response(
        self, system_instructions: Any, input: Any, model_settings: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Answer with events."""
        with generation_span(model=self._span_model) as span:
            chunks = await self._answer(input, stream=True)
            async for event in ChatCmplStreamHandler.handle_stream(_blank_response(), chunks):
                yield event
            span.span_data.usage = self._usage

    async def _answer(self, input: Any, **options: Any) -> Any:
        arguments = {
            "model": "openai/gpt-4o-mini",
            "api_base": self._provider.base_url,
            "api_key": "k",
            "num_retries": 0,
            "max_retries": 0,
            "messages": Converter.items_to_messages(input),
            **options,
        }
        return await (self._ask or litellm.acompletion)(**arguments)


def _blank_response() -> Response:
    return Response(
        id=FAKE_RESPONSES_ID,
        created_at=0,
        model="my-model",
        object="response",
        output=[],
        tool_choice="auto",
        tools=[],
        parallel_tool_calls=False,
    )
