"""The constructor, the types and the copies of a model."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest
from agents import Model
from agents.extensions.models.litellm_model import LitellmModel as SdkModel
from agents.models.reasoning_content_replay import ReasoningContentReplayContext

import litespan
from litespan import ConfigurationError
from tests.contract.adapter.harness import Adapter

PRICE = {"input": 1.0, "output": 2.0}


def replay(context: ReasoningContentReplayContext) -> bool:
    """Say yes."""
    return True


def pickled(model: Any) -> Any:
    """Return what comes out of a pickle."""
    return pickle.loads(pickle.dumps(model))  # noqa: S301 - made here


def public(model: Any) -> dict[str, Any]:
    """Return the public attributes of a model."""
    return {name: value for name, value in vars(model).items() if not name.startswith("_")}


def test_positional_arguments(adapter: Adapter) -> None:
    """Model, URL, key and replay hook can be given by position, in the SDK's order."""
    assert {
        "model": "openai/m",
        "base_url": "http://localhost/v1",
        "api_key": "k",
        "should_replay_reasoning_content": replay,
    } == public(adapter.model_class("openai/m", "http://localhost/v1", "k", replay))


def test_keyword_arguments(adapter: Adapter) -> None:
    """All of them can be given by name."""
    given = {
        "model": "openai/m",
        "base_url": "http://localhost/v1",
        "api_key": "k",
        "should_replay_reasoning_content": replay,
    }
    assert given == public(adapter.model_class(**given))


def test_defaults(adapter: Adapter) -> None:
    """Only the model is needed; the rest is LiteLLM's to find."""
    assert {
        "model": "openai/m",
        "base_url": None,
        "api_key": None,
        "should_replay_reasoning_content": None,
    } == public(adapter.model_class("openai/m"))


def test_unknown_arguments(adapter: Adapter) -> None:
    """An argument that the SDK's class does not know is a ``TypeError``."""
    with pytest.raises(TypeError, match="temperature"):
        adapter.model_class("openai/m", temperature=0.5)


def test_the_sdks_parameters_are_known() -> None:
    """The SDK's constructor has the parameters that litespan's documentation names, and no others."""
    known = ["self", "model", "base_url", "api_key", "should_replay_reasoning_content"]
    assert known == list(inspect.signature(SdkModel.__init__).parameters)


@pytest.mark.parametrize("model", [None, "", "  ", 7])
def test_missing_model(model: Any) -> None:
    """A model without a name is refused at once, with an example of one."""
    with pytest.raises(ConfigurationError, match=r"needs a model name, for example LitellmModel\('openai/"):
        litespan.LitellmModel(model)


def test_no_arguments() -> None:
    """So is a model without any argument."""
    with pytest.raises(ConfigurationError, match="got None"):
        litespan.LitellmModel()


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ({"input": -1.0, "output": 2.0}, "price: the price of 'input' is -1.0"),
        ({"input": 1.0}, "price: the price of output tokens is missing"),
        ({**PRICE, "cached": 1.0}, "price: unknown token class 'cached'"),
        ({"input": "1", "output": 2.0}, "price: the price of 'input' is '1'"),
        (3.0, "price=3.0 must map token classes to USD per million tokens"),
    ],
)
def test_wrong_price(price: Any, message: str) -> None:
    """A wrong price is refused at once, and the message says what is wrong."""
    with pytest.raises(ConfigurationError, match=message):
        litespan.LitellmModel("openai/m", price=price)


@pytest.mark.parametrize("word", ["NO_CONTENT", "no", 0])
def test_a_word_on_content_that_is_no_boolean(word: Any) -> None:
    """What only looks like a no is refused at once, in place of capturing what it forbids."""
    with pytest.raises(ConfigurationError, match=f"capture_content={word!r} is no boolean"):
        litespan.LitellmModel("openai/m", capture_content=word)


def test_price_is_by_name_only() -> None:
    """The price and the word on content are given by name, so that places stay free for the SDK's own."""
    parameters = inspect.signature(litespan.LitellmModel.__init__).parameters
    kinds = {parameters[name].kind for name in ("price", "capture_content")}
    assert {inspect.Parameter.KEYWORD_ONLY} == kinds


def test_it_is_the_sdks_class(adapter: Adapter) -> None:
    """A model is an instance of the SDK's class and interface."""
    model = adapter.model()
    assert isinstance(model, SdkModel)
    assert isinstance(model, Model)


def test_interface_is_kept() -> None:
    """Calls are a coroutine and an async iterator, as the SDK's runner expects."""
    assert inspect.iscoroutinefunction(litespan.LitellmModel.get_response)
    assert not inspect.iscoroutinefunction(litespan.LitellmModel.stream_response)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
async def test_copies(adapter: Adapter, duplicate: Any) -> None:
    """A model can be copied and pickled, and the copy answers."""
    model = adapter.model(should_replay_reasoning_content=replay)
    twin = duplicate(model)
    assert type(model) is type(twin)
    assert public(model) == public(twin)
    assert (await adapter.respond(model=twin)).output


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickled])
def test_copies_keep_the_price(duplicate: Any) -> None:
    """A model with a price can be copied and pickled as well, and keeps it."""
    twin = duplicate(litespan.LitellmModel("openai/m", price=PRICE, capture_content=False))
    assert (PRICE, False) == (dict(twin._call_options.price), twin._call_options.capture_content)
