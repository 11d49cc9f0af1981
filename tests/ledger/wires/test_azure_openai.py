"""Azure OpenAI, chat and embeddings.

Followed is the page "Azure OpenAI REST API reference": the deployment is in the path and `api-version` in the
query. The usage is OpenAI's (`prompt_tokens_details.cached_tokens`,
`completion_tokens_details.reasoning_tokens`); a stream has it in a chunk of its own for who asks, and begins
with a chunk without choices that tells of the content filter (`prompt_filter_results`).
"""

from __future__ import annotations

from litespan.testing import Reply
from tests.fakes.azure_wire import AzureWire
from tests.ledger.wires.agreement import call
from tests.ledger.wires.cases import ANSWER, Case, Scenario, every_scenario

CASE = Case(AzureWire, "azure/my-deployment", "azure.ai.openai", {"api_version": "2024-10-21"})


@every_scenario()
async def test_figures_are_the_providers(happens: Scenario) -> None:
    """Whatever happens to a call, its tokens and its cost are what the provider served."""
    await happens(CASE)


async def test_request_names_deployment_and_version() -> None:
    """The deployment is in the path, the version in the query, and the deployment is the request's model."""
    with CASE.serving(ANSWER) as (provider, capture):
        await call(**CASE.to(provider))

        [served] = provider.served
        assert served.request.path.endswith("/openai/deployments/my-deployment/chat/completions")
        assert "2024-10-21" == served.request.query["api-version"]
        [span] = capture.named("chat")
        assert "my-deployment" == (span.attributes or {})["gen_ai.request.model"]


async def test_stream_names_the_model_behind_the_deployment() -> None:
    """The response's model is the one that answered, not the empty name of the stream's first chunk."""
    reply: Reply = ANSWER.but(model="gpt-4o-mini-2024-07-18")
    with CASE.serving(reply) as (provider, capture):
        await call(**CASE.to(provider, stream=True))

        [span] = capture.named("chat")
        assert "gpt-4o-mini-2024-07-18" == (span.attributes or {})["gen_ai.response.model"]
