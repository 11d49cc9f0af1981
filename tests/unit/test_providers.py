"""Provider and model names: LiteLLM's spelling becomes the conventions'."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litespan.providers import (
    provider_family,
    provider_name,
    provider_of_any_llm,
    provider_of_host,
    split_model,
)

KNOWN = ("openai", "azure", "anthropic", "bedrock", "openrouter", "vertex_ai", "gemini", "groq")


@pytest.mark.parametrize(
    ("litellm_provider", "expected"),
    [
        ("openai", "openai"),
        ("text-completion-openai", "openai"),
        ("chatgpt", "openai"),
        ("aiohttp_openai", "openai"),
        ("azure", "azure.ai.openai"),
        ("azure_text", "azure.ai.openai"),
        ("azure_ai", "azure.ai.inference"),
        ("anthropic", "anthropic"),
        ("anthropic_text", "anthropic"),
        ("bedrock", "aws.bedrock"),
        ("bedrock_mantle", "aws.bedrock"),
        ("vertex_ai", "gcp.vertex_ai"),
        ("vertex_ai_beta", "gcp.vertex_ai"),
        ("gemini", "gcp.gemini"),
        ("cohere", "cohere"),
        ("cohere_chat", "cohere"),
        ("mistral", "mistral_ai"),
        ("codestral", "mistral_ai"),
        ("text-completion-codestral", "mistral_ai"),
        ("groq", "groq"),
        ("deepseek", "deepseek"),
        ("perplexity", "perplexity"),
        ("xai", "x_ai"),
        ("watsonx", "ibm.watsonx.ai"),
        ("watsonx_text", "ibm.watsonx.ai"),
        ("moonshot", "moonshot_ai"),
        ("ollama_chat", "ollama"),
    ],
)
def test_known_providers(litellm_provider: str, expected: str) -> None:
    """A provider that the conventions list gets their name."""
    assert provider_name(litellm_provider) == expected


@pytest.mark.parametrize("litellm_provider", ["openrouter", "litellm_proxy", "ollama", "my_own"])
def test_other_providers_pass_through(litellm_provider: str) -> None:
    """A provider that the conventions do not list keeps LiteLLM's name."""
    assert provider_name(litellm_provider) == litellm_provider


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", "openai"),
        ("EU.api.openai.com", "openai"),
        ("api.openai.com.evil.example", "custom_openai"),
        ("notapi.openai.com", "custom_openai"),
        ("127.0.0.1", "custom_openai"),
        (None, "custom_openai"),
    ],
)
def test_openai_compatible_is_openai_only_on_its_host(host: str | None, expected: str) -> None:
    """A server that merely speaks OpenAI's protocol is not called OpenAI."""
    assert provider_name("custom_openai", host) == expected


def test_unknown_provider() -> None:
    """The required attribute says "unknown" where nothing is known, and is not guessed from odd hosts."""
    assert provider_name(None) == "unknown"
    assert provider_name("", "127.0.0.1") == "unknown"
    assert provider_name(None, "api.openai.com") == "openai"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("anthropic/claude-x", ("anthropic", "claude-x")),
        ("openai/gpt-4o", ("openai", "gpt-4o")),
        ("openai/responses/gpt-4o", ("openai", "gpt-4o")),
        ("azure/responses/my-deployment", ("azure", "my-deployment")),
        ("azure/o_series/my-deployment", ("azure", "my-deployment")),
        ("azure/eu/gpt-4o", ("azure", "eu/gpt-4o")),
        ("openrouter/anthropic/claude", ("openrouter", "anthropic/claude")),
        ("openrouter/openrouter/auto", ("openrouter", "openrouter/auto")),
        ("bedrock/converse/us.anthropic.claude-v1:0", ("bedrock", "us.anthropic.claude-v1:0")),
        ("bedrock/us-east-1/anthropic.claude-v2:1", ("bedrock", "us-east-1/anthropic.claude-v2:1")),
        ("gpt-4o", (None, "gpt-4o")),
        ("meta-llama/Llama-3", (None, "meta-llama/Llama-3")),
        ("openai/", (None, "openai/")),
        ("openai/responses/", ("openai", "responses/")),
        ("/", (None, "/")),
        ("", (None, "")),
    ],
)
def test_split_model(model: str, expected: tuple[str | None, str]) -> None:
    """LiteLLM's prefix and route are taken off the name, and nothing else."""
    assert split_model(model, KNOWN, None) == expected


@pytest.mark.parametrize(
    ("model", "custom", "expected"),
    [
        ("gpt-4o", "azure", ("azure", "gpt-4o")),
        ("azure/gpt-4o", "azure", ("azure", "gpt-4o")),
        ("anthropic/claude", "openrouter", ("openrouter", "anthropic/claude")),
        ("anthropic/claude", "my_own", ("my_own", "anthropic/claude")),
        ("converse/us.amazon.nova", "bedrock", ("bedrock", "us.amazon.nova")),
    ],
)
def test_explicit_provider_wins(model: str, custom: str, expected: tuple[str, str]) -> None:
    """The provider that the call names wins over one in the model's name."""
    assert split_model(model, KNOWN, custom) == expected


def test_litellm_enumerations_become_plain_text() -> None:
    """LiteLLM's provider enumeration is accepted on both sides and never formats as its class name."""
    from litellm.types.utils import LlmProviders

    assert provider_name(LlmProviders.OPENROUTER) == "openrouter"
    assert type(provider_name(LlmProviders.OPENROUTER)) is str
    assert split_model("groq/llama", list(LlmProviders), None) == ("groq", "llama")
    assert split_model("llama", (), LlmProviders.GROQ) == ("groq", "llama")


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("openai", "openai"),
        ("text-completion-openai", "openai"),
        ("custom_openai", "custom_openai"),
        ("azure_text", "azure"),
        ("azure_ai", "azure_ai"),
        ("vertex_ai-anthropic_models", "vertex_ai"),
        ("bedrock_converse", "bedrock"),
        ("bedrock_mantle", "bedrock_mantle"),
        ("fireworks_ai-embedding-models", "fireworks_ai"),
        ("ollama_chat", "ollama"),
    ],
)
def test_families(name: str, family: str) -> None:
    """Variants of one provider share a family; another provider never does."""
    assert provider_family(name) == family


odd = st.none() | st.integers() | st.binary() | st.text() | st.lists(st.text())


@given(model=odd, custom=odd, host=odd)
def test_odd_values_never_raise(model: Any, custom: Any, host: Any) -> None:
    """Values of a wrong type give names, never an exception."""
    provider, name = split_model(model, KNOWN, custom)

    assert provider is None or isinstance(provider, str)
    assert isinstance(name, str)
    assert isinstance(provider_name(custom, host), str)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", "openai"),
        ("EU.api.openai.com", "openai"),
        ("mine.openai.azure.com", "azure"),
        ("mine.services.ai.azure.com", "azure_ai"),
        ("api.groq.com", "groq"),
        ("api.openai.com.evil.example", None),
        ("notapi.x.ai", None),
        ("127.0.0.1", None),
        ("", None),
        (None, None),
    ],
)
def test_provider_of_host(host: str | None, expected: str | None) -> None:
    """A provider's own hosts tell it, those below its domain too, and no other."""
    assert expected == provider_of_host(host)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai", "openai"),
        ("mistral", "mistral_ai"),
        ("gemini", "gcp.gemini"),
        ("vertexai", "gcp.vertex_ai"),
        ("azure", "azure.ai.inference"),
        ("azureopenai", "azure.ai.openai"),
        ("xai", "x_ai"),
        ("llamafile", "llamafile"),
    ],
)
def test_provider_of_any_llm(name: str, expected: str) -> None:
    """any-llm's names become the conventions', by way of LiteLLM's."""
    assert expected == provider_name(provider_of_any_llm(name))
