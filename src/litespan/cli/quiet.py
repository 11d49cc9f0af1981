"""Make a process of the command line fit to show agents: nothing switched off, and no noise of the hosts."""

from __future__ import annotations

import logging
import os
from typing import Any, Final

from litespan.cli.interrupts import heeded

# What would hide runs or spans from a command whose purpose is to show them.
_SWITCHES: Final = (
    "OPENAI_AGENTS_DISABLE_TRACING",
    "OTEL_SDK_DISABLED",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "LITELLM_LOG",
)

_NOISY: Final = (
    "LiteLLM",
    "LiteLLM Proxy",
    "LiteLLM Router",
    "asyncio",  # LiteLLM leaves tasks of its own behind when the event loop ends
    "openai.agents",
    "opentelemetry",  # litespan says itself what could not be exported
)


def prepare_environment() -> None:
    """Set what the hosts read when they are imported; call it before that."""
    for name in _SWITCHES:
        os.environ.pop(name, None)
    # LiteLLM would fetch its price table from the network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"


def bypass_proxy(host: str) -> None:
    """Reach ``host`` directly, whatever proxy the environment names."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), host)))


def import_litellm() -> Any:
    """Return LiteLLM, with its prints and the hosts' logs kept off the terminal."""
    with heeded():
        import litellm

    litellm.suppress_debug_info = True
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return litellm
