"""Calls of LiteLLM without agents, with a canary in every place that a call has."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import litellm
import pytest
from litellm.types.utils import CredentialItem
from openai import AsyncOpenAI, OpenAI

from litespan.testing import Provider, Reply
from litespan.testing.wire import Request
from tests.fakes.litellm_calls import MODELS
from tests.fakes.ports import free_port
from tests.flow.entrances import finish
from tests.safety.canaries import CANARIES

MODEL = MODELS["openai"]
MESSAGES: list[Any] = [{"role": "user", "content": CANARIES["user_prompt"]}]
ONCE: dict[str, Any] = {"num_retries": 0, "max_retries": 0}


def steered(url: str) -> dict[str, Any]:
    """Return arguments that authenticate and steer a call, with a canary in each."""
    return {
        **ONCE,
        "api_base": url,
        "api_key": CANARIES["call_key"],
        "headers": {"x-secret": CANARIES["header"]},
        "extra_headers": {"x-extra": CANARIES["extra_header"]},
        "extra_body": {"secret": {"deep": [CANARIES["extra_body"]]}},
        "extra_query": {"token": CANARIES["extra_query"]},
        "metadata": {"secret": CANARIES["call_metadata"]},
        "organization": CANARIES["organization"],
        "user": CANARIES["end_user"],
    }


def secret_url(url: str, place: str = "url_password") -> str:
    """Return a URL with user-info, whose password is the canary of a place."""
    return url.replace("://", f"://{CANARIES['url_user']}:{CANARIES[place]}@")


def _forget_clients() -> None:
    forget: Any = litellm.in_memory_llm_clients_cache.flush_cache
    forget()


def echo(request: Request) -> Reply:
    """Refuse a request as chatty gateways do: by quoting all of it."""
    quoted = [CANARIES["provider_error"], request.headers, request.query, request.json]
    return Reply.fails(401, code="invalid_api_key", message=json.dumps(quoted, default=dict))


async def good(provider: Provider) -> None:
    """Call well: whole and streamed, awaited and blocking."""
    provider.default = Reply.says(CANARIES["answer"], reasoning=CANARIES["reasoning"])
    arguments = {"model": MODEL, "messages": MESSAGES, **steered(provider.url())}
    for stream in (False, True):
        await finish(await litellm.acompletion(**arguments, stream=stream))
        await finish(litellm.completion(**arguments, stream=stream))


async def refused(provider: Provider) -> None:
    """Be refused by somebody who quotes the whole request."""
    provider.respond = echo
    await finish(
        await litellm.acompletion(model=MODEL, messages=MESSAGES, **steered(provider.url()), stream=True)
    )


async def refused_blocking(provider: Provider) -> None:
    """Do the same where the transport probe sees nothing."""
    provider.respond = echo
    litellm.completion(model=MODEL, messages=MESSAGES, **steered(provider.url()))


async def environment_key(provider: Provider) -> None:
    """Be refused with the key that is in the environment."""
    provider.respond = echo
    await litellm.acompletion(model=MODEL, messages=MESSAGES, api_base=provider.url(), **ONCE)


async def environment_key_blocking(provider: Provider) -> None:
    """Do the same where the transport probe sees nothing."""
    provider.respond = echo
    litellm.completion(model=MODEL, messages=MESSAGES, api_base=provider.url(), **ONCE)


async def module_key(provider: Provider) -> None:
    """Be refused with the key that is set in the module `litellm`."""
    provider.respond = echo
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(litellm, "api_key", CANARIES["module_key"])
        litellm.completion(model=MODEL, messages=MESSAGES, api_base=provider.url(), **ONCE)


async def module_header(provider: Provider) -> None:
    """Be refused with the headers that are set in the module `litellm`."""
    provider.respond = echo
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(litellm, "headers", {"x-secret": CANARIES["module_header"]})
        given = {"api_base": provider.url(), "api_key": CANARIES["call_key"], **ONCE}
        litellm.completion(model=MODEL, messages=MESSAGES, **given)


async def stored_key(provider: Provider) -> None:
    """Be refused with a key that LiteLLM knows by a name, where the transport probe sees nothing."""
    provider.respond = echo
    stored = {"api_key": CANARIES["stored_key"], "api_base": provider.url()}
    credential = CredentialItem(credential_name="shop", credential_info={}, credential_values=stored)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(litellm, "credential_list", [credential])
        litellm.completion(
            model=MODEL,
            messages=MESSAGES,
            litellm_credential_name="shop",
            safety_identifier=CANARIES["safety_identifier"],
            **ONCE,
        )


async def own_client(provider: Provider) -> None:
    """Be refused with clients of the program's own, whose transport is not LiteLLM's."""
    provider.respond = echo
    given: dict[str, Any] = {
        "api_key": CANARIES["own_client_key"],
        "base_url": provider.url(),
        "default_headers": {"x-own": CANARIES["own_client_header"]},
        "max_retries": 0,
    }
    with contextlib.suppress(Exception):
        await litellm.acompletion(MODEL, MESSAGES, client=AsyncOpenAI(**given), **ONCE)
    litellm.completion(MODEL, MESSAGES, client=OpenAI(**given), **ONCE)


async def model_url(provider: Provider) -> None:
    """Name models by a URL, well and refused; the provider answers with the name that it was asked for."""
    user_info = f"{CANARIES['model_url_user']}:{CANARIES['model_url_password']}"
    model = f"openai/https://{user_info}@models.example/v1?key={CANARIES['model_url_query']}"
    given = {**steered(provider.url()), "model": model, "messages": MESSAGES}
    for stream in (False, True):
        await finish(await litellm.acompletion(**given, stream=stream))
    provider.respond = echo
    litellm.completion(**given)


async def url_user_info(provider: Provider) -> None:
    """Put user-info into the base URL; the SDK of OpenAI refuses that."""
    for wire, model in MODELS.items():
        given = {"api_key": CANARIES["call_key"], **ONCE}
        with contextlib.suppress(Exception):
            await litellm.acompletion(model, MESSAGES, api_base=secret_url(provider.url(wire)), **given)


async def url_query(provider: Provider) -> None:
    """Put a query into the base URL."""
    url = f"{provider.url()}?key={CANARIES['url_query']}"
    await litellm.acompletion(**steered(url), model=MODEL, messages=MESSAGES)


async def unreachable(provider: Provider) -> None:
    """Call an address where nobody is."""
    url = secret_url(f"http://127.0.0.1:{free_port()}")
    await litellm.acompletion(**steered(url), model=MODELS["anthropic"], messages=MESSAGES)


async def no_address(provider: Provider) -> None:
    """Call a URL that is none: its port is no number."""
    await litellm.acompletion(
        **steered(secret_url("http://127.0.0.1:port")), model=MODELS["anthropic"], messages=MESSAGES
    )


async def egress_proxy(provider: Provider) -> None:
    """Go through a proxy of the environment whose password is wrong, or which is not there."""
    with pytest.MonkeyPatch.context() as patch:
        proxy = f"http://me:{CANARIES['egress_proxy_password']}@127.0.0.1:{free_port()}"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            patch.setenv(name, proxy)
        patch.delenv("NO_PROXY", raising=False)
        patch.delenv("no_proxy", raising=False)
        _forget_clients()  # of clients that were made without the proxy
        try:
            litellm.completion(model=MODEL, messages=MESSAGES, **steered(provider.url()))
        finally:
            _forget_clients()


async def router(provider: Provider) -> None:
    """Call a deployment of a Router, and be refused."""
    deployment = {
        "model": MODEL,
        "api_base": provider.url(),
        "api_key": CANARIES["router_key"],
        "extra_headers": {"x-extra": CANARIES["router_header"]},
        "max_retries": 0,
    }
    address = secret_url(provider.url("anthropic"), "router_url_password")
    other = {**deployment, "model": MODELS["anthropic"], "api_base": address}
    made = litellm.Router(
        [
            {"model_name": "first", "litellm_params": deployment},
            {"model_name": "second", "litellm_params": other},
        ],
        num_retries=0,
        disable_cooldowns=True,
    )
    provider.respond = echo
    with contextlib.suppress(Exception):
        await made.acompletion(model="second", messages=MESSAGES)
    await made.acompletion(model="first", messages=MESSAGES)


async def gateway(provider: Provider) -> None:
    """Call a LiteLLM proxy, and be refused."""
    provider.respond = echo
    await litellm.acompletion(
        model="litellm_proxy/gpt-4o-mini",
        messages=MESSAGES,
        api_base=provider.url(),
        api_key=CANARIES["gateway_key"],
        **ONCE,
    )


async def azure(provider: Provider) -> None:
    """Call Azure with a token of its directory."""
    await litellm.acompletion(
        model="azure/gpt-4o-mini",
        messages=MESSAGES,
        api_base=provider.url(),
        api_version="2024-06-01",
        azure_ad_token=CANARIES["azure_token"],
        **ONCE,
    )


async def bedrock(provider: Provider) -> None:
    """Call Bedrock with a secret key."""
    await litellm.acompletion(
        model="bedrock/anthropic.claude-3-haiku-20240307-v1:0",
        messages=MESSAGES,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key=CANARIES["aws_secret"],
        aws_session_token=CANARIES["aws_session_token"],
        aws_region_name="us-east-1",
        aws_bedrock_runtime_endpoint=provider.url(),
        **ONCE,
    )


async def vertex(provider: Provider) -> None:
    """Call Vertex AI with credentials that are no good."""
    credentials = {"type": "service_account", "private_key": CANARIES["vertex_private_key"]}
    await litellm.acompletion(
        model="vertex_ai/gemini-2.5-flash",
        messages=MESSAGES,
        vertex_credentials=json.dumps(credentials),
        vertex_project="p",
        vertex_location="us-central1",
        **ONCE,
    )


async def picture(provider: Provider) -> None:
    """Show a picture whose URL is signed."""
    url = f"https://pictures.example/a.png?signature={CANARIES['image_url_query']}"
    parts = [
        *({"type": "text", "text": m["content"]} for m in MESSAGES),
        {"type": "image_url", "image_url": url},
    ]
    await litellm.acompletion(
        model=MODEL, messages=[{"role": "user", "content": parts}], **steered(provider.url())
    )


async def other_operations(provider: Provider) -> None:
    """Use the Responses API, text completions and embeddings."""
    given = steered(provider.url())
    await litellm.aresponses(
        model=MODEL, input=CANARIES["response_input"], instructions=CANARIES["instructions"], **given
    )
    await litellm.atext_completion(model=MODEL, prompt=CANARIES["completion_prompt"], **given)
    given.pop("extra_query")
    await litellm.aembedding(
        model="openai/text-embedding-3-small", input=[CANARIES["embedding_input"]], **given
    )


CALLS = (
    good, refused, refused_blocking, environment_key, environment_key_blocking, module_key, module_header,
    stored_key, own_client, model_url, url_user_info, url_query, unreachable, no_address, egress_proxy,
    router, gateway, azure, bedrock, vertex, picture, other_operations,
)  # fmt: skip
