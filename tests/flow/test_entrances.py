"""Every way into LiteLLM that a program without agents has: seen once, and counted right."""

from __future__ import annotations

import copy
import inspect
import pickle
from pathlib import Path
from typing import Any

import litellm
import pytest
from inline_snapshot import snapshot
from litellm.types.caching import LiteLLMCacheType

from litespan.sources.litellm_entrances import ENTRANCES
from litespan.testing import Capture, Provider, Reply, ServedUsage
from tests.flow import figures
from tests.flow.entrances import (
    FAILS,
    Host,
    Way,
    anthropic_style,
    batch,
    client,
    custom_provider,
    disk_cache,
    first_of_models,
    in_thread,
    judged_by,
    make_router,
    plain,
    routed,
    to_models,
    twice,
    with_fallback,
)

USAGE = ServedUsage(100, 20, cache_read_tokens=40, reasoning_tokens=5)
TEXT, VECTORS = "text_completion", "embeddings"
MOCK = {"mock_response": "Hi"}

WAYS: dict[str, Way] = {
    # -- functions -----------------------------------------------------------------------------------------
    "acompletion": Way(plain("acompletion")),
    "acompletion, stream": Way(plain("acompletion", stream=True)),
    "completion": Way(plain("completion")),
    "completion, stream": Way(plain("completion", stream=True)),
    "completion in a thread": Way(in_thread("completion")),
    "atext_completion": Way(plain("atext_completion"), TEXT),
    "atext_completion, stream": Way(plain("atext_completion", stream=True), TEXT),
    "text_completion": Way(plain("text_completion"), TEXT),
    "text_completion, stream": Way(plain("text_completion", stream=True), TEXT),
    "aembedding": Way(plain("aembedding"), VECTORS),
    "embedding": Way(plain("embedding"), VECTORS),
    "aresponses": Way(plain("aresponses")),
    "aresponses, stream": Way(plain("aresponses", stream=True)),
    "responses": Way(plain("responses")),
    "responses, stream": Way(plain("responses", stream=True)),
    "aresponses after another": Way(plain("aresponses", previous_response_id="resp_000001")),
    "aresponses over Anthropic": Way(plain("aresponses", "anthropic")),
    "aresponses over Anthropic, stream": Way(plain("aresponses", "anthropic", stream=True)),
    "aresponses over Gemini": Way(plain("aresponses", "gemini")),
    "aresponses over Gemini, stream": Way(plain("aresponses", "gemini", stream=True)),
    "acompletion over Responses": Way(plain("acompletion", model="openai/responses/gpt-4o-mini")),
    "acompletion over Responses, stream": Way(
        plain("acompletion", model="openai/responses/gpt-4o-mini", stream=True)
    ),
    # -- Anthropic's format --------------------------------------------------------------------------------
    "anthropic_messages": Way(plain("anthropic_messages", "anthropic")),
    "anthropic_messages over Gemini": Way(plain("anthropic_messages", "gemini")),
    "anthropic_messages over Gemini, stream": Way(plain("anthropic_messages", "gemini", stream=True)),
    "anthropic_messages over OpenAI": Way(plain("anthropic_messages")),
    "anthropic_messages over OpenAI, stream": Way(plain("anthropic_messages", stream=True)),
    "anthropic.messages.acreate": Way(anthropic_style("acreate", "anthropic")),
    "anthropic.messages.create": Way(anthropic_style("create", "gemini"), lost=("reasoning",)),
    # -- one call, several requests or models --------------------------------------------------------------
    "fallbacks": Way(with_fallback("acompletion"), script=(FAILS,)),
    "fallbacks, stream": Way(with_fallback("acompletion", stream=True), script=(FAILS,)),
    "fallbacks, sync in a loop": Way(with_fallback("completion"), script=(FAILS,)),
    "num_retries": Way(plain("acompletion", num_retries=2), script=(FAILS,)),
    "acompletion_with_retries": Way(plain("completion_with_retries"), script=(FAILS,)),
    "aresponses_with_retries": Way(plain("aresponses_with_retries"), script=(FAILS,)),
    "batch_completion": Way(batch("batch_completion"), billed=3),
    "batch_completion_models": Way(first_of_models, billed=2),
    "batch_completion_models_all_responses": Way(
        to_models("batch_completion_models_all_responses"), billed=2
    ),
    # -- Router --------------------------------------------------------------------------------------------
    "Router.acompletion": Way(routed("acompletion")),
    "Router.acompletion, stream": Way(routed("acompletion", stream=True)),
    "Router.completion": Way(routed("completion")),
    "Router.completion, stream": Way(routed("completion", stream=True)),
    "Router.atext_completion": Way(routed("atext_completion"), TEXT),
    "Router.aembedding": Way(routed("aembedding"), VECTORS),
    "Router.embedding": Way(routed("embedding"), VECTORS),
    "Router.aresponses": Way(routed("aresponses")),
    "Router.aresponses, stream": Way(routed("aresponses", stream=True)),
    "Router.responses": Way(routed("responses")),
    "Router.anthropic_messages": Way(routed("anthropic_messages", "anthropic")),
    "Router.acompletion, built before": Way(routed("acompletion"), before=make_router),
    "Router.aresponses, built before": Way(routed("aresponses"), before=make_router),
    "Router.responses, built before": Way(routed("responses"), before=make_router),
    "Router.anthropic_messages, built before": Way(
        routed("anthropic_messages", "anthropic"), before=lambda host: make_router(host, "anthropic")
    ),
    "Router with retries": Way(
        routed("acompletion", router={"num_retries": 2, "retry_after": 0}), refused=2, script=(FAILS, FAILS)
    ),
    "Router with fallbacks": Way(
        routed("acompletion", router={"fallbacks": [{"first": ["second"]}]}), refused=1, script=(FAILS,)
    ),
    "Router.aresponses with fallbacks": Way(
        routed("aresponses", router={"fallbacks": [{"first": ["second"]}]}), refused=1, script=(FAILS,)
    ),
    "Router.abatch_completion": Way(routed("abatch_completion", models=["first", "second"]), billed=2),
    # -- LiteLLM's client ----------------------------------------------------------------------------------
    "LiteLLM().chat.completions": Way(client()),
    "LiteLLM().chat.completions, stream": Way(client(stream=True)),
    # -- calls inside calls --------------------------------------------------------------------------------
    "acompletion in a callback": Way(judged_by(plain("acompletion")), billed=2),
    "completion in a callback": Way(judged_by(plain("completion")), billed=2),
    "responses in a callback": Way(judged_by(plain("aresponses")), billed=2),
    "CustomLLM over acompletion": Way(custom_provider, free=1),
    # -- no provider ---------------------------------------------------------------------------------------
    "cache": Way(twice(plain("acompletion")), free=1),
    "cache, stream": Way(twice(plain("acompletion", stream=True)), free=1),
    "cache of embeddings": Way(twice(plain("aembedding")), VECTORS, free=1),
    "cache of text completions": Way(twice(plain("atext_completion")), TEXT, free=1),
    "cache of responses": Way(twice(plain("aresponses")), free=1),
    "mock": Way(plain("acompletion", **MOCK), billed=0, free=1),
    "mock, sync": Way(plain("completion", **MOCK), billed=0, free=1),
    "mock, stream": Way(plain("acompletion", stream=True, **MOCK), billed=0, free=1),
    "mock of a text completion": Way(plain("atext_completion", **MOCK), TEXT, billed=0, free=1),
    "mock of a response": Way(plain("aresponses", **MOCK), billed=0, free=1),
    "mock of embeddings": Way(plain("aembedding", mock_response=[0.1]), VECTORS, billed=0, free=1),
    "mock in a Router": Way(routed("acompletion", mock_response="Hi"), billed=0, free=1),
}
# LiteLLM from 1.110 on keeps no answers on the disk.
if "DISK" in LiteLLMCacheType.__members__:
    WAYS["cache on disk"] = Way(twice(plain("acompletion"), disk_cache), free=1)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_every_call_is_seen_once(
    way: Way, provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One span and one count for each call, and exactly the tokens that the provider served."""
    provider.default = Reply.says("Hello to you", usage=USAGE)
    provider.script("*", *way.script)
    host = Host(provider, monkeypatch, tmp_path)
    host.before = way.before(host)
    with Capture() as capture:
        await way.act(host)

    spans = capture.named(way.operation)
    assert way.calls == len(spans) == len(capture.spans) == figures.calls(capture)
    assert way.billed == sum(served.status == 200 for served in provider.served)
    assert way.refused == figures.calls(capture, litespan__outcome="error")
    assert way.billed + way.free == figures.calls(capture, litespan__outcome="ok")
    assert 0 == capture.total("litespan.calls.active") == capture.total("litespan.calls.usage_missing")
    counted = figures.of_metrics(capture)
    assert figures.of_spans(spans) == counted
    served = figures.of_provider(provider.delivered())
    assert served._replace(**dict.fromkeys(way.lost, 0)) == counted


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_every_call_stands_under_what_makes_it(
    way: Way, provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever thread LiteLLM makes a call in, it is in the trace of the program's own span around it."""
    provider.script("*", *way.script)
    host = Host(provider, monkeypatch, tmp_path)
    host.before = way.before(host)
    with (
        Capture() as capture,
        capture.tracer_provider.get_tracer("mine").start_as_current_span("mine") as mine,
    ):
        await way.act(host)

    assert way.calls == len(capture.named(way.operation))
    assert {mine.get_span_context().trace_id} == {span.context.trace_id for span in capture.spans}


@pytest.mark.parametrize("name", ENTRANCES)
def test_functions_are_what_they_are_without_litespan(name: str) -> None:
    """A function of LiteLLM is copied and pickled as before, and says the same of itself."""

    def told() -> dict[str, Any]:
        function = getattr(litellm, name)
        called = function(model="none", messages=[]) if inspect.iscoroutinefunction(function) else None
        if called is not None:
            called.close()
        return {
            "itself": [
                made is function
                for made in (
                    copy.copy(function),
                    copy.deepcopy({"call": function})["call"],
                    pickle.loads(pickle.dumps(function)),  # noqa: S301 - made here
                )
            ],
            "repr": repr(function),
            "signature": str(inspect.signature(function)),
            "kinds": (inspect.isfunction(function), inspect.iscoroutinefunction(function)),
            "names": (function.__name__, function.__qualname__, function.__module__, function.__doc__),
            "coroutine": called and (called.__name__, called.__qualname__),
        }

    bare = told()
    with Capture():
        assert bare == told()


def test_methods_are_what_they_are_without_litespan() -> None:
    """A method that was read from LiteLLM's client is copied and pickled as before."""

    def told() -> list[Any]:
        create = litellm.LiteLLM().chat.completions.create
        made = (copy.copy(create), copy.deepcopy(create), pickle.loads(pickle.dumps(create)))  # noqa: S301
        return [one.__qualname__ for one in made] + [repr(create).partition(" at ")[0]]

    bare = told()
    with Capture():
        assert bare == told()


SHAPES = {
    "fallbacks": snapshot("chat gpt-4o litespan.outcome=ok gen_ai.usage.input_tokens=100"),
    "batch_completion": snapshot("""\
chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100
chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100
chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100\
"""),
    "Router with retries": snapshot("""\
chat gpt-4o-mini litespan.outcome=error
chat gpt-4o-mini litespan.outcome=error
chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100\
"""),
    "Router with fallbacks": snapshot("""\
chat gpt-4o-mini litespan.outcome=error
chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100\
"""),
    "acompletion in a callback": snapshot("""\
chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100
  chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100\
"""),
    "CustomLLM over acompletion": snapshot("""\
chat outer litespan.outcome=ok
  chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100\
"""),
    "cache": snapshot("""\
chat gpt-4o-mini litespan.outcome=ok gen_ai.usage.input_tokens=100
chat gpt-4o-mini litespan.outcome=ok litespan.cache_hit=True\
"""),
    "mock": snapshot("chat gpt-4o-mini litespan.outcome=ok litespan.mocked=True"),
}


@pytest.mark.parametrize(("name", "tree"), SHAPES.items(), ids=SHAPES)
async def test_shape(
    name: str, tree: str, provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Calls stand side by side, and those made inside another call stand under it."""
    provider.default = Reply.says("Hello to you", usage=USAGE)
    provider.script("*", *WAYS[name].script)
    with Capture() as capture:
        await WAYS[name].act(Host(provider, monkeypatch, tmp_path))

    shown = ("litespan.outcome", "gen_ai.usage.input_tokens", "litespan.cache_hit", "litespan.mocked")
    assert tree == capture.tree(*shown)
