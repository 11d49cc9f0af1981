"""Whether a real model can be asked: known to LiteLLM, and its key in the environment. Nothing is sent."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from typing import Any

from litespan.cli import quiet


class ModelError(ValueError):
    """The model is unknown to LiteLLM, or what it needs is not in the environment."""


def check_model(name: str) -> None:
    """Raise ModelError if LiteLLM cannot ask this model; the message says what to set."""
    litellm = quiet.import_litellm()
    try:
        provider = litellm.get_llm_provider(name)[1]
    except litellm.exceptions.BadRequestError as error:
        raise ModelError(_unknown(name, litellm.model_cost, [*litellm.models_by_provider])) from error
    # LiteLLM would take an empty variable for a key.
    for variable in [key for key, value in os.environ.items() if key.endswith("_API_KEY") and not value]:
        del os.environ[variable]
    found = litellm.validate_environment(name)
    if not found["keys_in_environment"]:
        raise ModelError(_no_key(name, provider, found["missing_keys"]))


def _unknown(name: str, table: Mapping[str, Mapping[str, Any]], providers: Sequence[str]) -> str:
    """Return what to say of a name; ``table`` is LiteLLM's price table, which lists the models it knows."""
    prefix, slash, rest = name.partition("/")
    if slash:
        close = [f"{provider}/{rest}" for provider in difflib.get_close_matches(prefix, providers, n=1)]
    else:
        models = difflib.get_close_matches(name, table, n=1)
        close = [_with_provider(model, table[model].get("litellm_provider"), providers) for model in models]
    hint = f"Did you mean {close[0]}?" if close else "Example: --model openai/gpt-4.1-mini"
    return f"LiteLLM does not know the model {name!r}. Write it as provider/model. {hint}"


def _with_provider(model: str, provider: object, providers: Sequence[str]) -> str:
    return f"{provider}/{model}" if "/" not in model and provider in providers else model


def _no_key(name: str, provider: str, variables: Sequence[str]) -> str:
    missing = ", ".join(variables) or "its key"
    example = f"\nFor example: export {variables[-1]}=..." if variables else ""
    return f"{name} needs access to {provider}. In your environment there is no {missing}.{example}"
