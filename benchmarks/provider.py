"""The benchmark's provider, in a process of its own: one tool call, then an answer. Prints its base URL."""

from __future__ import annotations

import sys

from litespan.testing import Provider, Reply, Request, ServedUsage, ToolCall

USAGE = ServedUsage(input_tokens=120, output_tokens=24)


def answer(request: Request) -> Reply:
    """Ask for the tool first, and answer in words once its result is there."""
    if request.messages and request.messages[-1].get("role") == "tool":
        return Reply.says("It is sunny.", usage=USAGE)
    return Reply.calls(ToolCall("weather", {"city": "Ulm"}), usage=USAGE)


if __name__ == "__main__":
    with Provider(remember_payloads=False) as provider:
        provider.respond = answer
        print(provider.base_url, flush=True)  # noqa: T201 - the parent reads it
        sys.stdin.read()
