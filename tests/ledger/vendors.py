"""The providers of the load: how LiteLLM calls each of them, and what of a usage each of them can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from litespan.testing.openai_wire import OpenAIWire
from litespan.testing.wire import Wire
from tests.fakes.anthropic_wire import AnthropicWire
from tests.fakes.bedrock_wire import BedrockWire
from tests.fakes.dialects import DIALECTS
from tests.fakes.gemini_wire import GeminiWire
from tests.fakes.openai_like import OpenAILikeWire

READ: Final = "cache_read_tokens"
WRITE: Final = "cache_write_tokens"
WRITE_1H: Final = "cache_write_1h_tokens"
REASONING: Final = "reasoning_tokens"

_AWS: Final = {
    "aws_access_key_id": "AKIAFAKE",
    "aws_secret_access_key": "fake",
    "aws_region_name": "us-east-1",
}

_MUTE: Final = frozenset({"databricks"})
_ONE_LOOP: Final = frozenset({"databricks"})


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
        retries: the client below LiteLLM repeats a failed request by itself.
        one_loop: LiteLLM has a single client for it, which breaks when two event loops use it at once
            (litellm 1.83.0: `module_level_aclient`).
        costs: it says what a call cost.
        operations: it also has embeddings, text completions and responses.
        options: further arguments of a call.
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
    options: Mapping[str, Any] = field(default_factory=lambda: {"api_key": "k"})

    @property
    def served_models(self) -> tuple[str, ...]:
        """The models as they are named on the wire."""
        return tuple(model.rpartition("/")[2] for model in self.models)


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
        "anthropic", AnthropicWire, models, frozenset({READ, WRITE, WRITE_1H}), lead=3, one_loop=True
    )


def _gemini() -> Vendor:
    models = ("gemini/gemini-2.5-flash", "gemini/gemini-2.5-pro")
    return Vendor("gemini", GeminiWire, models, frozenset({READ, REASONING}), lead=0, one_loop=True)


def _bedrock() -> Vendor:
    models = (
        "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "bedrock/us.amazon.nova-pro-v1:0",
    )
    return Vendor("bedrock", BedrockWire, models, frozenset({READ, WRITE}), one_loop=True, options=_AWS)


def _like_openai(name: str) -> Vendor:
    dialect = DIALECTS[name]
    return Vendor(
        name,
        lambda: OpenAILikeWire(dialect),
        (f"{name}/ledger-{name}-a", f"{name}/ledger-{name}-b"),
        dialect.tells,
        asked=dialect.places == {"asked"},
        mute=name in _MUTE,
        one_loop=name in _ONE_LOOP,
    )


VENDORS: Final[tuple[Vendor, ...]] = (
    _openai(),
    _anthropic(),
    _gemini(),
    _bedrock(),
    *(_like_openai(name) for name in DIALECTS),
)
"""All providers of the load. A new wire gets an entry here."""

CORE: Final = tuple(vendor for vendor in VENDORS if vendor.name in {"openai", "anthropic", "gemini", "xai"})
"""Those whose rules differ most, for runs that must be short."""
