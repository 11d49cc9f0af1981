"""LiteLLM's own arithmetic beside litespan's, over LiteLLM's whole table and several shapes of usage."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import litellm
from litellm.types.utils import Usage as HostUsage

from litespan.pricing import PriceBook
from litespan.providers import split_model
from litespan.records import ModelCall
from litespan.settings import Settings
from litespan.sources.litellm_usage import usage_from
from tests.ledger.causes import Difference, cause_of


class Shape(NamedTuple):
    """A usage of 200 output tokens, and the service tier that answered."""

    prompt: Mapping[str, Any] = {}
    completion: Mapping[str, Any] = {}
    input_tokens: int = 1000
    tier: str | None = None

    @property
    def usage(self) -> HostUsage:
        """The usage as LiteLLM hands it over."""
        return HostUsage(
            prompt_tokens=self.input_tokens,
            completion_tokens=200,
            total_tokens=self.input_tokens + 200,
            prompt_tokens_details=dict(self.prompt) or None,
            completion_tokens_details=dict(self.completion) or None,
        )


def _written(minutes: int, hour: int) -> dict[str, Any]:
    lifetimes = {"ephemeral_5m_input_tokens": minutes, "ephemeral_1h_input_tokens": hour}
    return {"cache_creation_tokens": minutes + hour, "cache_creation_token_details": lifetimes}


_LONG: Final = 300_000  # above every size at which prices change, up to 272k
SHAPES: Final[Mapping[str, Shape]] = {
    "plain": Shape(),
    "cached": Shape({"cached_tokens": 400}),
    "writes_5m": Shape(_written(300, 0)),
    "writes_1h": Shape(_written(100, 200)),
    "reasoning": Shape(completion={"reasoning_tokens": 150}),
    "audio_input": Shape({"audio_tokens": 400}),
    "audio_output": Shape(completion={"audio_tokens": 150}),
    "image_input": Shape({"image_tokens": 400}),
    "long": Shape(input_tokens=_LONG),
    "long_cached": Shape({"cached_tokens": 100_000}, input_tokens=_LONG),
    "priority": Shape(tier="priority"),
    "priority_cached": Shape({"cached_tokens": 400}, tier="priority"),
    "flex": Shape(tier="flex"),
    "long_priority": Shape(input_tokens=_LONG, tier="priority"),
}


def chat_entries() -> dict[str, dict[str, Any]]:
    """Return the entries of LiteLLM's table whose models answer in tokens."""
    modes = ("chat", "completion", "responses")
    return {key: entry for key, entry in litellm.model_cost.items() if entry.get("mode") in modes}


def differences(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[Difference]:
    """Price every entry in every shape twice; yield where the two do not agree."""
    book = PriceBook(Settings(), litellm.model_cost.get, "LiteLLM's table")
    for key, entry in entries.items():
        provider = _provider(entry)
        name = split_model(key, (), provider)[1]
        for label, shape in SHAPES.items():
            usage = shape.usage
            theirs = _theirs(name, provider, usage, shape.tier)
            call = ModelCall(
                model=name, litellm_provider=provider, usage=usage_from(usage), service_tier=shape.tier
            )
            cost = book.cost(call)
            found = Difference(key, entry, label, shape.tier, cost.amount if cost else None, theirs)
            if not found.agrees:
                yield found


def by_cause(found: Iterator[Difference]) -> dict[str, dict[str, list[str]]]:
    """Group differences: cause, shape, and the keys of the table."""
    groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for difference in found:
        groups[cause_of(difference)][difference.shape].append(difference.key)
    return {cause: dict(shapes) for cause, shapes in groups.items()}


def fingerprint(shapes: Mapping[str, list[str]]) -> str:
    """Return a short text that changes with any name in a group."""
    lines = sorted(f"{shape} {key}" for shape, keys in shapes.items() for key in keys)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _provider(entry: Mapping[str, Any]) -> str:
    """Return the provider of an entry as calls name it."""
    owner = str(entry.get("litellm_provider"))
    for family in ("vertex_ai", "fireworks_ai"):
        if owner.startswith(f"{family}-"):
            return family
    return "bedrock" if owner == "bedrock_converse" else owner


def _theirs(model: str, provider: str, usage: HostUsage, tier: str | None) -> float | None:
    """Return LiteLLM's figure; ``None`` where it raises: it has no other way to say that it knows none."""
    try:
        parts = litellm.cost_per_token(
            model=model, custom_llm_provider=provider, usage_object=usage, service_tier=tier
        )
    except Exception:  # noqa: BLE001 - it raises bare ones
        return None
    return sum(parts)


def main(causes: list[str]) -> None:
    """Write the groups in the form of the committed table; the names too of the causes that are asked for."""
    litellm.suppress_debug_info = True
    for cause, shapes in sorted(by_cause(differences(chat_entries())).items()):
        pairs = ", ".join(f"{shape} = {len(keys)}" for shape, keys in shapes.items())
        lines = [f"[causes.{cause}]", f"pairs = {{ {pairs} }}", f'fingerprint = "{fingerprint(shapes)}"', ""]
        if cause in causes:
            lines += [json.dumps(shapes, indent=1), ""]
        sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
