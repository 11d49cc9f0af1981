"""The providers of the load: how LiteLLM calls each of them, and what of a usage each of them can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

from litespan.records import CONNECTION, ERROR
from litespan.testing.openai_wire import OpenAIWire
from litespan.testing.wire import Wire
from tests.fakes.anthropic_wire import AnthropicWire
from tests.fakes.azure_wire import AzureWire
from tests.fakes.bedrock_wire import BedrockWire
from tests.fakes.deepseek_wire import DEEPSEEK
from tests.fakes.dialects import DIALECTS
from tests.fakes.gemini_wire import GeminiWire, VertexWire
from tests.fakes.google_tokens import service_account
from tests.fakes.ollama_wire import OllamaWire
from tests.fakes.openai_like import Dialect, OpenAILikeWire, no_cost
from tests.fakes.openrouter_wire import OPENROUTER
from tests.fakes.perplexity_wire import PERPLEXITY
from tests.fakes.proxy_wire import PROXY
from tests.versions import installed

READ: Final = "cache_read_tokens"
WRITE: Final = "cache_write_tokens"
WRITE_1H: Final = "cache_write_1h_tokens"
REASONING: Final = "reasoning_tokens"

_KEY: Final = {"api_key": "k"}
_AWS: Final = {
    "aws_access_key_id": "AKIAFAKE",
    "aws_secret_access_key": "fake",
    "aws_region_name": "us-east-1",
}

_MUTE: Final = frozenset({"databricks"})
_ONE_LOOP: Final = frozenset({"databricks"})
_FAILS_AS_ERROR: Final = frozenset({"databricks"})


@dataclass(frozen=True, slots=True)
class Vendor:
    """One provider.

    Attributes:
        wire: makes the wire of the fake provider that speaks for it.
        models: two models, named as a program does.
        tells: the parts of a usage that it counts apart, in the words of `ServedUsage`.
        lead: the events of a stream before the first piece of text.
        asked: a stream tells its usage only to who asks for it.
        mute: LiteLLM does not ask this provider for the usage of a stream, whoever wishes it.
        retries: the client below LiteLLM repeats a failed request by itself, as often as the call asks. For
            Azure LiteLLM keeps the client that the first call has made, with its retries (litellm 1.83.0).
        one_loop: LiteLLM has a single client for it, which breaks when two event loops use it at once
            (litellm 1.83.0: `module_level_aclient`, and Azure's in its cache).
        failing: what LiteLLM makes of an error in a stream: `error`, or `connection` (litellm 1.83.0).
        costs: it says what a call cost.
        operations: it also has embeddings, text completions and responses.
        model_in_url: LiteLLM takes the model's name as a part of the base URL.
        signed_in: signs in to it for the time of a load; gives further arguments of a call.
    """

    name: str
    wire: Callable[[], Wire]
    models: tuple[str, str]
    tells: frozenset[str] = frozenset()
    lead: int = 1
    asked: bool = False
    mute: bool = False
    retries: bool = False
    one_loop: bool = False
    costs: bool = False
    operations: bool = False
    failing: str = CONNECTION
    model_in_url: bool = False
    signed_in: Callable[[], AbstractContextManager[Mapping[str, Any]]] = lambda: nullcontext(_KEY)

    @property
    def served_models(self) -> tuple[str, ...]:
        """The models as they are named on the wire."""
        return tuple(model.rpartition("/")[2] for model in self.models)


def _unless_newer(reason: str, newer: str) -> str:
    """Return the reason that comes of what LiteLLM 1.83 raises, or of what newer versions do."""
    return reason if installed("litellm") < (1, 84) else newer


def _openai() -> Vendor:
    return Vendor(
        "openai",
        OpenAIWire,
        ("openai/ledger-openai-a", "openai/ledger-openai-b"),
        frozenset({READ, WRITE, REASONING}),
        asked=True,
        retries=True,
        costs=True,
        operations=True,
    )


def _anthropic() -> Vendor:
    models = ("anthropic/claude-sonnet-4-5", "anthropic/claude-haiku-4-5")
    return Vendor(
        "anthropic",
        AnthropicWire,
        models,
        frozenset({READ, WRITE, WRITE_1H}),
        lead=3,
        one_loop=True,
    )


def _gemini() -> Vendor:
    models = ("gemini/gemini-2.5-flash", "gemini/gemini-2.5-pro")
    parts = frozenset({READ, REASONING})
    return Vendor("gemini", GeminiWire, models, parts, lead=0, one_loop=True)


def _bedrock() -> Vendor:
    models = (
        "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/us.amazon.nova-pro-v1:0",
    )
    return Vendor(
        "bedrock",
        BedrockWire,
        models,
        frozenset({READ, WRITE}),
        one_loop=True,
        failing=_unless_newer(ERROR, CONNECTION),
        signed_in=lambda: nullcontext(_AWS),
    )


def _vertex() -> Vendor:
    models = ("vertex_ai/gemini-2.5-flash-lite", "vertex_ai/gemini-2.0-flash")
    return replace(
        _gemini(), name="vertex_ai", wire=VertexWire, models=models, model_in_url=True, signed_in=_in_project
    )


@contextmanager
def _in_project() -> Iterator[Mapping[str, Any]]:
    with service_account() as account:
        place = {"vertex_project": "fake-project", "vertex_location": "us-central1"}
        yield {"vertex_credentials": account, **place}


def _azure() -> Vendor:
    version = {"api_version": "2024-10-21"}
    return Vendor(
        "azure",
        AzureWire,
        ("azure/ledger-azure-a", "azure/ledger-azure-b"),
        frozenset({READ, WRITE, REASONING}),
        lead=2,
        asked=True,
        one_loop=True,
        signed_in=lambda: nullcontext({**_KEY, **version}),
    )


def _ollama() -> Vendor:
    models = ("ollama_chat/ledger-ollama-a", "ollama_chat/ledger-ollama-b")
    return Vendor("ollama", OllamaWire, models, lead=0)


def _like_openai(dialect: Dialect) -> Vendor:
    name = dialect.name
    return Vendor(
        name,
        lambda: OpenAILikeWire(dialect),
        (f"{name}/ledger-{name}-a", f"{name}/ledger-{name}-b"),
        dialect.tells,
        asked=dialect.places == {"asked"},
        mute=name in _MUTE,
        one_loop=name in _ONE_LOOP,
        failing=ERROR if name in _FAILS_AS_ERROR else CONNECTION,
        costs=dialect.cost is not no_cost,
    )


_BESIDE_OTHERS: Final = tuple(dialect for dialect in DIALECTS.values() if dialect.name != "together_ai")

VENDORS: Final[tuple[Vendor, ...]] = (
    _openai(),
    _anthropic(),
    _gemini(),
    _bedrock(),
    _vertex(),
    _azure(),
    _ollama(),
    *map(_like_openai, (*_BESIDE_OTHERS, DEEPSEEK, OPENROUTER, PERPLEXITY, PROXY)),
)
"""The providers of the mixed load. A new wire gets an entry here."""

TOGETHER: Final = _like_openai(DIALECTS["together_ai"])
"""For a load of its own. At each of its calls LiteLLM 1.83.0 runs into Python's recursion limit and goes on:
`get_model_info` and `get_supported_openai_params` ask each other. What the garbage collector wants to end at
that depth fails, and so do, once in thousands, streams and connections of other jobs."""

CORE: Final = tuple(vendor for vendor in VENDORS if vendor.name in {"openai", "anthropic", "gemini", "xai"})
"""Those whose rules differ most, for runs that must be short."""
