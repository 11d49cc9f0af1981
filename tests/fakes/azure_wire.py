"""The Azure OpenAI wire: the deployment is in the path, the API's version in the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from litespan.testing.openai_chat import ChatCompletions
from litespan.testing.openai_common import OpenAIErrors
from litespan.testing.openai_embeddings import Embeddings
from litespan.testing.reply import Reply
from litespan.testing.wire import Arrival, Endpoint, Part, Request, server_sent

UNFILTERED = {"hate": {"filtered": False, "severity": "safe"}}


class AzureWire:
    """Azure OpenAI: chat and embeddings of a deployment."""

    name = "azure"
    base_path = "/azure"

    def __init__(self) -> None:
        root = f"{self.base_path}/openai/deployments/{{deployment}}"
        self.endpoints: Sequence[Endpoint] = (
            OfDeployment(ChatCompletions(), f"{root}/chat/completions"),
            OfDeployment(Embeddings(), f"{root}/embeddings"),
        )


class OfDeployment(OpenAIErrors):
    """An endpoint of OpenAI's under a deployment, whose name stands for the model."""

    def __init__(self, endpoint: ChatCompletions | Embeddings, path: str) -> None:
        self.operation = endpoint.operation
        self.path = path
        self._endpoint = endpoint

    def read(self, arrival: Arrival) -> Request:
        """Understand a request."""
        return replace(self._endpoint.read(arrival), wire="azure", model=arrival.match["deployment"])

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body."""
        return self._endpoint.whole(request, reply)

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Write the answer as the events of a stream, after one on the content filter that has no choice."""
        checked = {"prompt_index": 0, "content_filter_results": UNFILTERED}
        first = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
        opening = Part(server_sent({**first, "prompt_filter_results": [checked]}))
        return [opening, *self._endpoint.events(request, reply)]
