"""Jobs of plain LiteLLM that end well: whole and streamed answers, retries, fallbacks, LiteLLM's cache."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any, Final

import litellm
from litellm import CustomLLM

from litespan.testing import Reply, ServedUsage
from tests.ledger.job import Call, Job, Plan
from tests.ledger.stage import STRICT, Stage

RELAY: Final = "ledger-relay"
"""A provider of the program's own, which calls LiteLLM in turn; its model is the number of the job."""

passed_on: Final[ContextVar[dict[str, Any]]] = ContextVar("passed_on")
"""What the relay calls."""

_AT_ONCE: Final = 0.001  # seconds after which a client may try again


async def read(answer: Any) -> Any:
    """Read an answer to its end, whether it is streamed or not."""
    if isinstance(answer, AsyncIterator) or hasattr(answer, "__anext__"):
        async for _ in answer:
            pass
    return answer


def chat(job: Job, **options: Any) -> Plan:
    """Make one call that ends well."""

    async def act(stage: Stage) -> None:
        await read(await litellm.acompletion(**job.arguments(stage, **options)))

    unasked = job.stream and _silent(job, options)
    return Plan(act, [job.thoughtful()], [Call(missing="not_reported" if unasked else None)])


def _silent(job: Job, options: dict[str, Any]) -> bool:
    declined = options.get("stream_options") == {"include_usage": False}
    return job.vendor.mute or (job.vendor.asked and declined)


def chat_asked(job: Job) -> Plan:
    """Ask for the usage of a stream, as the program's own wish."""
    return chat(job, stream_options={"include_usage": True})


def chat_declined(job: Job) -> Plan:
    """Ask the provider to keep the usage of a stream to itself."""
    return chat(job, stream_options={"include_usage": False})


def strict_server(job: Job) -> Plan:
    """Stream from a server that refuses the usage option; the first of these calls takes two requests."""

    async def act(stage: Stage) -> None:
        arguments = job.arguments(stage) | {"model": f"openai/{STRICT}"}
        await read(await litellm.acompletion(**arguments))

    return Plan(act, [job.answer()], [Call(STRICT, missing="not_reported")])


def client_retries(job: Job) -> Plan:
    """Let the client below LiteLLM try three times."""

    async def act(stage: Stage) -> None:
        await read(await litellm.acompletion(**job.arguments(stage)))

    failures = [Reply.fails(job.random.choice((429, 500, 503)), retry_after=_AT_ONCE) for _ in range(2)]
    return Plan(act, [*failures, job.answer()], [Call()])


def litellm_retries(job: Job) -> Plan:
    """Let LiteLLM try again."""

    async def act(stage: Stage) -> None:
        await read(await litellm.acompletion(**job.arguments(stage, num_retries=1, max_retries=0)))

    return Plan(act, [Reply.fails(500), job.answer()], [job.told()])


def lost_answer(job: Job) -> Plan:
    """Lose the connection in the middle of an answer, and let LiteLLM try again."""

    async def act(stage: Stage) -> None:
        await read(await litellm.acompletion(**job.arguments(stage, num_retries=1, max_retries=0)))

    return Plan(act, [job.answer(cut_after=0), job.answer()], [Call(missing="lost_attempt")])


def fallback(job: Job) -> Plan:
    """Let a Router fall back from one deployment to another."""

    async def act(stage: Stage) -> None:
        deployments = [
            {
                "model_name": name,
                "litellm_params": {**stage.target(job.vendor, index), "max_retries": 0},
            }
            for index, name in enumerate(("first", "second"))
        ]
        router: Any = litellm.Router(deployments, num_retries=0, fallbacks=[{"first": ["second"]}])
        messages = [{"role": "user", "content": job.text}]
        await read(await router.acompletion("first", messages, stream=job.stream))

    failure = Reply.fails(500, headers={"x-should-retry": "false"})
    return Plan(act, [failure, job.answer()], [Call(0, "error"), job.told(1)])


def cache_hit(job: Job) -> Plan:
    """Ask twice; the second answer comes from LiteLLM's own cache."""

    async def act(stage: Stage) -> None:
        arguments = job.arguments(stage, cache={"use-cache": True})
        await read(await litellm.acompletion(**arguments))
        await stage.cached(arguments)
        await read(await litellm.acompletion(**arguments))

    return Plan(act, [job.answer()], [job.told(), Call()])


def relayed(job: Job) -> Plan:
    """Call a provider of the program's own that calls LiteLLM in turn and passes the usage on."""

    async def act(stage: Stage) -> None:
        passed_on.set(job.arguments(stage))
        await litellm.acompletion(model=f"{RELAY}/{RELAY}", messages=[{"role": "user", "content": job.text}])

    return Plan(act, [job.answer()], [Call(RELAY), Call()])


class Relay(CustomLLM):
    """The program's own provider."""

    async def acompletion(self, *args: Any, **kwargs: Any) -> litellm.ModelResponse:
        """Pass the call on, and the answer back."""
        response = await litellm.acompletion(**passed_on.get())
        answer = litellm.ModelResponse(model=RELAY, choices=response.choices)
        answer.usage = response.usage  # type: ignore[attr-defined]
        return answer


def embeddings(job: Job) -> Plan:
    """Embed a text."""

    async def act(stage: Stage) -> None:
        arguments = stage.target(job.vendor)
        await litellm.aembedding(input=[job.text], **arguments)

    return Plan(act, [job.answer(usage=ServedUsage(job.random.randint(1, 3000)), cost=None)], [Call()])


def text_completion(job: Job) -> Plan:
    """Complete a text, the old way."""

    async def act(stage: Stage) -> None:
        arguments = {
            **stage.target(job.vendor),
            "model": job.vendor.models[0].replace("openai/", "text-completion-openai/"),
        }
        await read(await litellm.atext_completion(prompt=job.text, stream=job.stream, **arguments))

    # LiteLLM drops everything but the two counts from streamed ones (litellm 1.83.0).
    usage = ServedUsage(job.random.randint(1, 3000), job.random.randint(5, 900))
    return Plan(act, [job.answer(usage=usage, cost=None)], [Call()])


def responses(job: Job) -> Plan:
    """Use the Responses API."""

    async def act(stage: Stage) -> None:
        arguments = stage.target(job.vendor)
        await read(await litellm.aresponses(input=job.text, stream=job.stream, **arguments))

    return Plan(act, [job.answer(cost=None)], [Call()])


def blocking(job: Job) -> Plan:
    """Make one call without await, in a thread."""

    def act(stage: Stage) -> None:
        answer = litellm.completion(**job.arguments(stage))
        if isinstance(answer, Iterator) or hasattr(answer, "__next__"):
            for _ in answer:
                pass

    return Plan(act, [job.thoughtful()], [job.told()])
