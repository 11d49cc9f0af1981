"""Drop-in replacements of the Agents SDK's LiteLLM adapter. Behaviour is the SDK's own, by inheritance."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from agents import ModelResponse
from agents.extensions.models.litellm_model import LitellmModel as _LitellmModel
from agents.extensions.models.litellm_provider import LitellmProvider as _LitellmProvider
from agents.items import TResponseStreamEvent
from agents.models.default_models import get_default_model
from agents.models.interface import Model

from litespan.setting_checks import ConfigurationError, parse_bool, parse_price
from litespan.sources import call_options
from litespan.sources.call_options import CallOptions

# Set by the composition root: constructing a model is enough to be instrumented.
on_construction: Callable[[], None] = lambda: None  # noqa: E731 - a hook that does nothing yet


class LitellmModel(_LitellmModel):
    """The Agents SDK's ``LitellmModel``, observed by litespan.

    Args:
        model: model name as LiteLLM knows it, for example ``"anthropic/claude-sonnet-4-5"``.
        base_url: base URL of the provider, if it is not LiteLLM's default.
        api_key: key for the provider; else LiteLLM reads its environment variable.
        price: price of this model's calls in USD per million tokens by class (``input``, ``output``, and
            optionally ``cache_read``, ``cache_write``, ``cache_write_1h``, ``reasoning``); it goes before
            every other source of cost.
        capture_content: ``False`` keeps prompts and answers of this model out of the telemetry even if
            content is on; it never switches content on.
        **kwargs: further arguments of the SDK's class, such as ``should_replay_reasoning_content``.

    Raises:
        ConfigurationError: if ``model`` is missing, the price is wrong, or ``capture_content`` is no boolean.
    """

    def __init__(
        self,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        *args: Any,
        price: Mapping[str, float] | None = None,
        capture_content: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(model, str) or not model.strip():
            raise ConfigurationError(
                "LitellmModel needs a model name, for example LitellmModel('openai/gpt-4o-mini'); "
                f"got {model!r}."
            )
        super().__init__(model, base_url, api_key, *args, **kwargs)
        # A plain dict, so that the model can be copied and pickled as the SDK's class can.
        checked = dict(parse_price("price", price)) if price is not None else None
        # The setting of that name takes words: "NO_CONTENT" here must not capture what it forbids.
        content = None if capture_content is None else parse_bool("capture_content", capture_content)
        given = checked is not None or content is not None
        self._call_options = CallOptions(checked, content) if given else None
        on_construction()

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Call the model, as the SDK's class does."""
        token = call_options.current.set(call_options.given_here(self._call_options))
        try:
            return await super().get_response(*args, **kwargs)
        finally:
            call_options.reset(token)

    def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Stream the model's answer, as the SDK's class does."""
        stream = super().stream_response(*args, **kwargs)
        return stream if self._call_options is None else _with_options(stream, self._call_options)


async def _with_options(
    stream: AsyncIterator[TResponseStreamEvent], options: CallOptions
) -> AsyncIterator[TResponseStreamEvent]:
    """Pass a stream through with the options set while it runs, and never across a yield."""
    while True:
        token = call_options.current.set(call_options.given_here(options))
        try:
            event = await stream.__anext__()
        except StopAsyncIteration:
            return
        finally:
            call_options.reset(token)
        try:
            yield event
        except BaseException:  # as when nobody reads on; a stream that raised itself is closed by that
            await stream.aclose()  # type: ignore[attr-defined]
            raise


class LitellmProvider(_LitellmProvider):
    """The Agents SDK's ``LitellmProvider`` whose models are :class:`LitellmModel`.

    Use it as ``RunConfig(model_provider=LitellmProvider())``.
    """

    def get_model(self, model_name: str | None) -> Model:
        """Return the model of that name, or the SDK's default model."""
        return LitellmModel(model_name or get_default_model())
