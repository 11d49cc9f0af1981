"""Ollama's own API, by both of LiteLLM's ways: `ollama_chat/` and `ollama/`.

Followed is Ollama's page "API": `POST /api/chat` and `/api/generate` answer with `prompt_eval_count` and
`eval_count`, in a stream of JSON lines in the last one, that has `done`. No part of the tokens is told apart.
`POST /api/embed` has `prompt_eval_count`. The server leaves out a count that is 0.
"""

from __future__ import annotations

import pytest

from litespan.testing import Reply
from litespan.testing.wire import encode
from tests.fakes.ollama_wire import CREATED, OllamaWire
from tests.flow import figures
from tests.ledger.wires.agreement import call
from tests.ledger.wires.cases import Case, Scenario, every_scenario

JSON = {"Content-Type": "application/json"}

CASES = {name: Case(OllamaWire, f"{name}/llama3.1", "ollama") for name in ("ollama_chat", "ollama")}


@pytest.mark.parametrize("name", CASES)
@every_scenario()
async def test_figures_are_the_providers(name: str, happens: Scenario) -> None:
    """Whatever happens to a call, its tokens and its cost are what the provider served."""
    await happens(CASES[name])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("left_out", ["prompt_eval_count", "eval_count"])
async def test_count_that_is_left_out(name: str, left_out: str) -> None:
    """A count that the server leaves out is not there; LiteLLM's own guess is not taken, nor priced."""
    with CASES[name].serving(Reply.garbage(answer_without(left_out), headers=JSON)) as (provider, capture):
        await call(**CASES[name].to(provider))

        [span] = capture.named("chat")
        expected = (0, 9, 0, 0, 0) if left_out == "prompt_eval_count" else (12, 0, 0, 0, 0)
        assert expected == figures.of_spans([span]) == figures.of_metrics(capture)
        assert "gen_ai.usage.cost.amount" not in (span.attributes or {})


def answer_without(field: str) -> bytes:
    """Return the body of an answer of either endpoint that has one count only."""
    document = {
        "model": "llama3.1",
        "created_at": CREATED,
        "message": {"role": "assistant", "content": "Hi"},
        "response": "Hi",
        "done": True,
        "prompt_eval_count": 12,
        "eval_count": 9,
    }
    return encode({key: value for key, value in document.items() if key != field})
