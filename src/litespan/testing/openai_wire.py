"""The OpenAI wire: chat, responses, text completions and embeddings under `/v1`."""

from __future__ import annotations

from collections.abc import Sequence

from litespan.testing.openai_chat import ChatCompletions
from litespan.testing.openai_completions import TextCompletions
from litespan.testing.openai_embeddings import Embeddings
from litespan.testing.openai_responses import Responses
from litespan.testing.wire import Endpoint


class OpenAIWire:
    """OpenAI's API, as every OpenAI-compatible server speaks it."""

    name = "openai"
    base_path = "/v1"

    def __init__(self) -> None:
        self.endpoints: Sequence[Endpoint] = (
            ChatCompletions(),
            Responses(),
            TextCompletions(),
            Embeddings(),
        )
