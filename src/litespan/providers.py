"""Names of providers and models: from LiteLLM's spelling to the one of the conventions."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from types import MappingProxyType
from typing import Final

UNKNOWN: Final = "unknown"

# LiteLLM's provider -> ``gen_ai.provider.name``. One that the conventions do not list keeps LiteLLM's name.
_CONVENTIONAL: Final = MappingProxyType(
    {
        "aiohttp_openai": "openai",
        "chatgpt": "openai",
        "text-completion-openai": "openai",
        "azure": "azure.ai.openai",
        "azure_text": "azure.ai.openai",
        "azure_ai": "azure.ai.inference",
        "anthropic_text": "anthropic",
        "bedrock": "aws.bedrock",
        "bedrock_converse": "aws.bedrock",
        "bedrock_mantle": "aws.bedrock",
        "vertex_ai": "gcp.vertex_ai",
        "vertex_ai_beta": "gcp.vertex_ai",
        "gemini": "gcp.gemini",
        "cohere_chat": "cohere",
        "mistral": "mistral_ai",
        "codestral": "mistral_ai",
        "text-completion-codestral": "mistral_ai",
        "xai": "x_ai",
        "watsonx": "ibm.watsonx.ai",
        "watsonx_text": "ibm.watsonx.ai",
        "moonshot": "moonshot_ai",
        "ollama_chat": "ollama",
    }
)
# Names under which LiteLLM calls any server that speaks OpenAI's protocol.
_OPENAI_COMPATIBLE: Final = frozenset({"custom_openai", "openai_like"})
_OPENAI_HOST: Final = "api.openai.com"

# Variants of one provider that share its price list. The price table spells some of them with a suffix,
# as in ``vertex_ai-anthropic_models``.
_FAMILIES: Final = MappingProxyType(
    {
        "aiohttp_openai": "openai",
        "text-completion-openai": "openai",
        "azure_text": "azure",
        "anthropic_text": "anthropic",
        "bedrock_converse": "bedrock",
        "vertex_ai_beta": "vertex_ai",
        "cohere_chat": "cohere",
        "ollama_chat": "ollama",
        "text-completion-codestral": "codestral",
        "watsonx_text": "watsonx",
        "ai21_chat": "ai21",
        "sagemaker_chat": "sagemaker",
        "sagemaker_nova": "sagemaker",
    }
)
_FAMILY_PREFIXES: Final = ("vertex_ai-", "fireworks_ai-")

# Words that LiteLLM accepts between provider and model to choose an API; they are no part of the name.
_ROUTES: Final = MappingProxyType(
    {
        "azure": ("responses/", "o_series/", "gpt5_series/"),
        "bedrock": ("converse/", "converse_like/", "invoke/", "async_invoke/"),
    }
)
_COMMON_ROUTES: Final = ("responses/",)

# Domains of providers that can be called with OpenAI's client -> LiteLLM's provider.
_DOMAINS: Final = MappingProxyType(
    {
        "api.openai.com": "openai",
        "openai.azure.com": "azure",
        "cognitiveservices.azure.com": "azure",
        "services.ai.azure.com": "azure_ai",
        "api.anthropic.com": "anthropic",
        "generativelanguage.googleapis.com": "gemini",
        "api.mistral.ai": "mistral",
        "api.cohere.ai": "cohere",
        "api.groq.com": "groq",
        "api.deepseek.com": "deepseek",
        "api.x.ai": "xai",
        "api.perplexity.ai": "perplexity",
        "api.cerebras.ai": "cerebras",
        "api.deepinfra.com": "deepinfra",
        "api.fireworks.ai": "fireworks_ai",
        "api.moonshot.ai": "moonshot",
        "api.sambanova.ai": "sambanova",
        "api.together.xyz": "together_ai",
        "integrate.api.nvidia.com": "nvidia_nim",
        "openrouter.ai": "openrouter",
    }
)
# any-llm's provider -> LiteLLM's, where they differ.
_ANY_LLM: Final = MappingProxyType(
    {
        "azure": "azure_ai",
        "azureanthropic": "azure_ai",
        "azureopenai": "azure",
        "fireworks": "fireworks_ai",
        "lmstudio": "lm_studio",
        "together": "together_ai",
        "vertexai": "vertex_ai",
        "vertexaianthropic": "vertex_ai",
    }
)


def provider_of_host(host: str | None) -> str | None:
    """Return LiteLLM's provider for the host of a base URL; ``None`` where it is not known."""
    name = _text(host).lower()
    while name:
        if (provider := _DOMAINS.get(name)) is not None:
            return provider
        name = name.partition(".")[2]
    return None


def provider_of_any_llm(name: str) -> str:
    """Return LiteLLM's provider for a provider of any-llm."""
    return _ANY_LLM.get(_text(name), _text(name))


def provider_name(litellm_provider: str | None, host: str | None = None) -> str:
    """Return ``gen_ai.provider.name`` for LiteLLM's provider; ``host`` is the name of the server called.

    The attribute is required on every model call, so a provider that is not known is ``"unknown"`` unless
    the host is OpenAI's: a guess would put its tokens and errors on another provider's account. The generic
    "speaks OpenAI's protocol" providers are ``openai`` only on OpenAI's own host.
    """
    name = _text(litellm_provider)
    if (not name or name in _OPENAI_COMPATIBLE) and _is_openai(host):
        return "openai"
    return _CONVENTIONAL.get(name, name) or UNKNOWN


@lru_cache(maxsize=256)
def provider_family(litellm_provider: str) -> str:
    """Return the name under which the variants of one provider share a price list."""
    name = _text(litellm_provider)
    for prefix in _FAMILY_PREFIXES:
        if name.startswith(prefix):
            return prefix[:-1]
    return _FAMILIES.get(name, name)


def split_model(
    model: str, known_providers: Collection[str], custom_llm_provider: str | None
) -> tuple[str | None, str]:
    """Return LiteLLM's provider and the model without what LiteLLM puts before its name.

    ``known_providers`` are LiteLLM's providers and ``custom_llm_provider`` is the argument of the call: where
    it is set it wins, and only its own name is taken off. The provider is ``None`` when the name does not
    tell it. Never raises, also on values of a wrong type.
    """
    given, name = _text(custom_llm_provider), _text(model)
    prefix, slash, rest = name.partition("/")
    if given:
        return given, without_route(given, rest if rest and prefix == given else name)
    if slash and rest and prefix in known_providers:
        return prefix, without_route(prefix, rest)
    return None, name


def without_route(provider: str, model: str) -> str:
    """Return a model's name without the word that chooses one of the provider's APIs."""
    for route in _ROUTES.get(provider, _COMMON_ROUTES):
        if model.startswith(route) and len(model) > len(route):
            return model[len(route) :]
    return model


def _is_openai(host: str | None) -> bool:
    """Tell OpenAI's API host, regional ones (``eu.api.openai.com``) included."""
    name = _text(host).lower()
    return name == _OPENAI_HOST or name.endswith(f".{_OPENAI_HOST}")


def _text(value: object) -> str:
    """Return plain text, empty for what is none: formatting LiteLLM's enumerations gives their class name."""
    return str.__str__(value) if isinstance(value, str) else ""
