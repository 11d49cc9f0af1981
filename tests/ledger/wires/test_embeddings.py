"""Embeddings of providers other than OpenAI.

Followed are the pages: Cohere "Embed API (v2)" (`meta.billed_units.input_tokens`), Voyage "Text embedding
models" (`usage.total_tokens`), Azure OpenAI "Embeddings - Create" (`usage.prompt_tokens`), Ollama "Generate
Embeddings" (`prompt_eval_count`), Gemini "Embeddings: batchEmbedContents" (no usage at all).
"""

from __future__ import annotations

from decimal import Decimal

import litellm
import pytest
from openai import OpenAIError

from litespan.testing import Reply, ServedUsage
from tests.fakes.azure_wire import AzureWire
from tests.fakes.embedding_wires import cohere, gemini_embeddings, voyage
from tests.fakes.ollama_wire import OllamaWire
from tests.flow import figures
from tests.ledger.wires.agreement import bill
from tests.ledger.wires.cases import TOO_MANY, Case, assert_missing

CASES = {
    "azure": Case(AzureWire, "azure/my-vectors", "azure.ai.openai", {"api_version": "2024-10-21"}),
    "cohere": Case(cohere, "cohere/embed-english-v3.0", "cohere", base="/v2/embed"),
    "voyage": Case(voyage, "voyage/voyage-3", "voyage", base="/v1/embeddings"),
    "ollama": Case(OllamaWire, "ollama/nomic-embed-text", "ollama"),
}
GEMINI = Case(gemini_embeddings, "gemini/gemini-embedding-001", "gcp.gemini", base="/v1beta")
ANSWER = Reply(usage=ServedUsage(1200))


@pytest.mark.parametrize("name", CASES)
async def test_figures_are_the_providers(name: str) -> None:
    """Input tokens and cost are the provider's; there is no output."""
    with CASES[name].serving(ANSWER) as (provider, capture):
        await litellm.aembedding(**CASES[name].to(provider, input=["a", "b"]))

        [span] = capture.named("embeddings")
        attributes = span.attributes or {}
        assert CASES[name].provider == attributes["gen_ai.provider.name"]
        assert (1200, 0, 0, 0, 0) == figures.of_spans([span]) == figures.of_metrics(capture)
        assert bill(provider) == Decimal(capture.total("litespan.cost")) > 0
        assert not capture.points("gen_ai.client.inference.usage.output_tokens")


@pytest.mark.parametrize("name", CASES)
async def test_refused_call_is_not_billed(name: str) -> None:
    """A refused call has no tokens; the program's next one has its own."""
    with CASES[name].serving(TOO_MANY, ANSWER) as (provider, capture):
        arguments = CASES[name].to(provider, input=["a"], max_retries=0)
        with pytest.raises(OpenAIError):
            await litellm.aembedding(**arguments)
        await litellm.aembedding(**arguments)

        refused, answered = capture.named("embeddings")
        assert [429, 200] == [served.status for served in provider.served]
        assert (0, 0, 0, 0, 0) == figures.of_spans([refused])
        assert (1200, 0, 0, 0, 0) == figures.of_spans([answered]) == figures.of_metrics(capture)


@pytest.mark.parametrize(
    "case",
    [GEMINI, *(case for name, case in CASES.items() if name != "ollama")],  # LiteLLM fails on Ollama's
    ids=lambda case: case.provider,
)
async def test_usage_that_is_not_reported(case: Case) -> None:
    """What the provider does not count is missing, though LiteLLM fills a count of its own in."""
    with case.serving(ANSWER.but(usage=None)) as (provider, capture):
        await litellm.aembedding(**case.to(provider, input=["a long text to count"]))

        assert_missing(capture, "embeddings")
