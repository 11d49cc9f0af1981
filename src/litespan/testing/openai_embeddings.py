"""OpenAI embeddings: `POST /v1/embeddings`."""

from __future__ import annotations

import base64
import struct
from typing import Any

from litespan.testing.openai_common import OpenAIErrors, as_listed, read_request
from litespan.testing.reply import Reply, ServedUsage
from litespan.testing.wire import Arrival, Part, Request, encode


class Embeddings(OpenAIErrors):
    """The embeddings endpoint: one vector for each input, the same for all."""

    operation = "embeddings"
    path = "/v1/embeddings"

    def read(self, arrival: Arrival) -> Request:
        """Understand a request; the inputs are its messages."""
        return read_request(arrival, self.operation, as_listed(arrival.json.get("input")))

    def whole(self, request: Request, reply: Reply) -> Part:
        """Write the answer as one body. Its usage knows input tokens only."""
        vector = _vector(reply.embedding, request.json.get("encoding_format"))
        data = [
            {"object": "embedding", "index": index, "embedding": vector}
            for index in range(len(request.messages))
        ]
        document: dict[str, Any] = {"object": "list", "data": data, "model": reply.model or request.model}
        if reply.usage is None:
            return Part(encode(document))
        tokens = reply.usage.input_tokens
        document["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
        return Part(encode(document), ServedUsage(input_tokens=tokens))

    def events(self, request: Request, reply: Reply) -> list[Part]:
        """Embeddings do not stream: the answer is one body."""
        return [self.whole(request, reply)]


def _vector(numbers: tuple[float, ...], encoding: object) -> list[float] | str:
    if encoding != "base64":
        return list(numbers)
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
