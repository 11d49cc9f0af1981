"""A websocket that speaks just enough of OpenAI's realtime and streamed transcription APIs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.ports import free_port

Event = dict[str, Any]
Answer = Callable[[Event], Iterator[Event]]


class RealtimeTalk:
    """Answers a user's first message with a call of a tool, and the tool's result with words."""

    def __init__(self, tool: str, arguments: Event, words: str) -> None:
        self._call = {
            "id": "item_call", "type": "function_call", "status": "completed", "call_id": "call_1",
            "name": tool, "arguments": json.dumps(arguments),
        }  # fmt: skip
        self._message = {
            "id": "item_words", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": words}],
        }  # fmt: skip
        self._tool_was_called = False

    def __call__(self, event: Event) -> Iterator[Event]:
        """Answer one event of the client."""
        if event["type"] == "session.update":
            yield {"type": "session.updated", "session": event["session"]}
        elif event["type"] == "conversation.item.create":
            self._tool_was_called = event["item"]["type"] == "function_call_output"
        elif event["type"] == "response.create":
            yield from self._response(self._message if self._tool_was_called else self._call)

    def _response(self, item: Event) -> Iterator[Event]:
        answer = {"id": f"resp_{item['id']}", "object": "realtime.response", "output": [item]}
        yield {"type": "response.created", "response": {**answer, "status": "in_progress", "output": []}}
        yield {
            "type": "response.output_item.done", "response_id": answer["id"], "output_index": 0, "item": item,
        }  # fmt: skip
        yield {"type": "response.done", "response": {**answer, "status": "completed"}}


class TranscribedTalk:
    """Answers each piece of audio as a turn that was said."""

    def __init__(self, *said: str) -> None:
        self._said = list(said)
        self._turns = 0

    def __call__(self, event: Event) -> Iterator[Event]:
        """Answer one event of the client."""
        if event["type"] == "session.update":
            yield {"type": "session.updated", "session": event["session"]}
        elif event["type"] == "input_audio_buffer.append" and self._said:
            self._turns += 1
            item = {"item_id": f"item_{self._turns}", "content_index": 0}
            yield {"type": "input_audio_buffer.committed", **item}
            yield {
                "type": "conversation.item.input_audio_transcription.completed",
                "transcript": self._said.pop(0),
                **item,
            }
        elif event["type"] == "input_audio_buffer.commit":
            problem = {"code": "input_audio_buffer_commit_empty", "event_id": event.get("event_id")}
            yield {"type": "error", "error": problem}
        elif event["type"] == "input_audio_buffer.clear":
            yield {"type": "input_audio_buffer.cleared"}


@asynccontextmanager
async def realtime_server(answer: Answer) -> AsyncIterator[str]:
    """Serve at `/v1/realtime` on the loopback address; gives the base URL `ws://…/v1`."""

    async def talk(http: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(http)
        session = {"type": "realtime", "id": "sess_1", "object": "realtime.session"}
        await socket.send_json({"type": "session.created", "event_id": "event_0", "session": session})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            for number, event in enumerate(answer(message.json())):
                await socket.send_json({"event_id": f"event_{number}", **event})
        return socket

    app = web.Application()
    app.router.add_get("/v1/realtime", talk)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"ws://127.0.0.1:{port}/v1"
    finally:
        await runner.cleanup()
