"""Content: the conventions' JSON shapes, and JSON text that is redacted, valid and small enough."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litespan.content import (
    RedactionError,
    arguments,
    encode,
    input_messages,
    output_messages,
    safe_url,
    tool_definitions,
)

PIXEL = b"\x89PNG not really a picture"
PIXEL_BASE64 = base64.b64encode(PIXEL).decode()
PIXEL_HASH = hashlib.sha256(PIXEL).hexdigest()
ROOM = 100_000


def parts_of(*content: object) -> list[dict[str, Any]]:
    """Return the parts of one user message with this content."""
    _, (message,) = input_messages([{"role": "user", "content": list(content)}])
    parts: list[dict[str, Any]] = message["parts"]
    return parts


def round_trip(value: object, max_bytes: int = ROOM) -> Any:
    """Encode a value and read it back."""
    text = encode(value, max_bytes)
    assert text is not None
    assert len(text.encode()) <= max_bytes
    return json.loads(text)


class TestMessages:
    """OpenAI's and LiteLLM's messages in the conventions' shape."""

    def test_a_conversation(self) -> None:
        """Leading system messages are instructions; the rest keeps its order, roles and ids."""
        system, messages = input_messages(
            [
                {"role": "system", "content": "Be brief."},
                {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
                {"role": "user", "content": "Weather?", "name": "ann"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "c1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "rain"},
                {"role": "system", "content": "Hurry."},
            ]
        )

        assert system == [{"type": "text", "content": "Be brief."}, {"type": "text", "content": "Be kind."}]
        assert messages == [
            {"role": "user", "parts": [{"type": "text", "content": "Weather?"}], "name": "ann"},
            {
                "role": "assistant",
                "parts": [
                    {"type": "tool_call", "name": "weather", "id": "c1", "arguments": {"city": "Oslo"}}
                ],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
            {"role": "system", "parts": [{"type": "text", "content": "Hurry."}]},
        ]

    @pytest.mark.parametrize("messages", ["Hi", ["Hi"], {"role": "user", "content": "Hi"}])
    def test_a_bare_text_is_a_users_message(self, messages: object) -> None:
        """Prompts that are no list of messages are what the user said."""
        assert input_messages(messages) == (
            [],
            [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
        )

    @pytest.mark.parametrize("messages", [None, [], "", ()])
    def test_no_messages(self, messages: object) -> None:
        """Nothing stays nothing."""
        assert input_messages(messages) == ([], [])

    def test_the_input_is_not_changed(self) -> None:
        """The program's own messages are left as they are."""
        messages = [{"role": "user", "content": [{"type": "text", "text": "x" * 500}]}]
        before = json.dumps(messages)

        encode(input_messages(messages)[1], 100, str.upper)

        assert json.dumps(messages) == before

    def test_response_items(self) -> None:
        """Items of OpenAI's Responses API are messages of their own."""
        _, messages = input_messages(
            [
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
                {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "Hm"}]},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "done"},
            ]
        )

        assert [(message["role"], message["parts"]) for message in messages] == [
            ("user", [{"type": "text", "content": "Hi"}]),
            ("assistant", [{"type": "reasoning", "content": "Hm"}]),
            ("assistant", [{"type": "tool_call", "name": "f", "id": "c1", "arguments": {}}]),
            ("tool", [{"type": "tool_call_response", "id": "c1", "response": "done"}]),
        ]

    def test_litellms_own_answer(self) -> None:
        """Choices of a real LiteLLM answer become messages with reasoning, text, calls and finish reason."""
        from litellm.types.utils import Choices, Message

        message = Message(
            content="Sunny",
            reasoning_content="Looking",
            tool_calls=[{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{"}}],
        )

        assert output_messages([Choices(finish_reason="tool_calls", message=message)]) == [
            {
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "content": "Looking"},
                    {"type": "text", "content": "Sunny"},
                    {"type": "tool_call", "name": "f", "id": "c1", "arguments": "{"},
                ],
                "finish_reason": "tool_calls",
            }
        ]

    def test_other_answers(self) -> None:
        """Text completions, refusals, thinking blocks and spoken answers have parts of their own."""
        thinking = [
            {"type": "thinking", "thinking": "Hm", "signature": "secret"},
            {"type": "redacted_thinking"},
        ]
        answers = output_messages(
            [
                {"text": "once", "finish_reason": "length"},
                {"message": {"role": "assistant", "refusal": "No."}},
                {"message": {"role": "assistant", "thinking_blocks": thinking}},
                {"message": {"audio": {"data": PIXEL_BASE64, "transcript": "Hello"}}},
                {"message": {"function_call": {"name": "f", "arguments": "[1]"}}},
            ]
        )

        assert [answer["parts"] for answer in answers] == [
            [{"type": "text", "content": "once"}],
            [{"type": "refusal", "content": "No."}],
            [{"type": "reasoning", "content": "Hm"}, {"type": "redacted_thinking"}],
            [
                {
                    "type": "blob",
                    "modality": "audio",
                    "size": len(PIXEL),
                    "sha256": PIXEL_HASH,
                    "transcript": "Hello",
                }
            ],
            [{"type": "tool_call", "name": "f", "arguments": [1]}],
        ]
        assert {answer["role"] for answer in answers} == {"assistant"}

    def test_a_part_of_an_unknown_kind(self) -> None:
        """An unknown part keeps its type and its text; what else it holds may be anything and is left out."""
        assert parts_of({"type": "hologram", "text": "hi", "data": "AAAA"}, {"type": ["odd"]}, 5) == [
            {"type": "hologram", "content": "hi"},
            {"type": ["odd"]},
            {"type": "unknown"},
        ]


class TestMedia:
    """Images, audio and documents never appear themselves."""

    @pytest.mark.parametrize(
        "part",
        [
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL_BASE64}"}},
            {"type": "image_url", "image_url": f"data:image/png;base64,{PIXEL_BASE64}"},
            {"type": "input_image", "image_url": f"DATA:image/png;name=a.png;BASE64,{PIXEL_BASE64}"},
            {"type": "file", "file": {"file_data": f"data:image/png;base64,{PIXEL_BASE64}"}},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PIXEL_BASE64},
            },
        ],
    )
    def test_images(self, part: dict[str, Any]) -> None:
        """The data of an image becomes its type, size and hash."""
        (described,) = parts_of(part)

        assert described["size"] == len(PIXEL)
        assert described["sha256"] == PIXEL_HASH
        assert (described["type"], described["modality"]) == ("blob", "image")
        assert described["mime_type"].lower() == "image/png"
        assert PIXEL_BASE64 not in json.dumps(described)

    def test_audio_and_documents(self) -> None:
        """Audio and files become their description, stored files their id."""
        assert parts_of(
            {"type": "input_audio", "input_audio": {"data": PIXEL_BASE64, "format": "wav"}},
            {"type": "file", "file": {"file_id": "file-1", "filename": "diary.pdf"}},
            {"type": "document", "source": {"type": "text", "data": "plain"}},
        ) == [
            {
                "type": "blob",
                "modality": "audio",
                "mime_type": "audio/wav",
                "size": len(PIXEL),
                "sha256": PIXEL_HASH,
            },
            {"type": "file", "modality": "document", "file_id": "file-1"},
            {"type": "text", "content": "plain"},
        ]

    def test_urls_lose_their_secrets(self) -> None:
        """A URL keeps neither user-info nor query nor fragment, wherever it stands."""
        url = "https://ann:pw@files.example:8443/a.png?token=secret#me"
        bare = "https://files.example:8443/a.png"

        described = parts_of(
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "document", "source": {"type": "url", "url": url}},
            {"type": "file", "file": {"file_id": url}},
        )

        assert [part["uri"] for part in described] == [bare] * 3
        assert {part["type"] for part in described} == {"uri"}

    def test_data_in_tool_arguments(self) -> None:
        """A data URL in a tool's arguments or result is described too."""
        encoded = round_trip({"picture": f"data:image/png;base64,{PIXEL_BASE64}", "raw": PIXEL})

        assert encoded["picture"]["sha256"] == encoded["raw"]["sha256"] == PIXEL_HASH

    @pytest.mark.parametrize("text", ["See ![it](URL) and <img src='URL'>.", '{"picture": "URL"}', " URL\n"])
    def test_data_inside_of_a_text(self, text: str) -> None:
        """A data URL in Markdown, HTML or JSON is described in its place; the text around it stays."""
        file = PIXEL * 4
        url = f"data:image/png;name=a;base64,{base64.b64encode(file).decode()}"
        note = f"[image/png, {len(file)} bytes, sha256 {hashlib.sha256(file).hexdigest()}]"

        assert text.replace("URL", note) == round_trip(text.replace("URL", url))
        assert "data:image/png;base64,AAAA" == round_trip(" data:image/png;base64,AAAA").strip()

    @pytest.mark.parametrize("line_break", ["\n", "\r\n"])
    @pytest.mark.parametrize("encode", [str, json.dumps])
    def test_data_in_lines_inside_of_a_text(self, encode: Callable[[str], str], line_break: str) -> None:
        """Lines of base64 are one file, and the words behind it stay, as text and in JSON."""
        file = PIXEL * 9
        data = base64.encodebytes(file).decode().replace("\n", line_break)
        note = f"[image/png, {len(file)} bytes, sha256 {hashlib.sha256(file).hexdigest()}]"
        text = f"a data:image/png;base64,{data}and more"

        assert encode(f"a {note}{line_break}and more") == round_trip(encode(text))

    @pytest.mark.parametrize("head", ["DATA:image/png;BASE64,", "data:image\\/png;base64,"])
    def test_odd_data_urls_inside_of_a_text(self, head: str) -> None:
        """Nor does the data stay in the alphabet of URLs, or with slashes as some write them in JSON."""
        file = bytes([255, 239, 190]) * 40
        note = f"[image/png, {len(file)} bytes, sha256 {hashlib.sha256(file).hexdigest()}]"
        usual, of_urls = base64.b64encode(file).decode(), base64.urlsafe_b64encode(file).decode()

        assert usual != of_urls
        for data in (usual, of_urls, usual.replace("/", "\\/")):
            assert f"a {note}\nword" == round_trip(f"a {head}{data}\nword")

    @pytest.mark.parametrize("data", ["not base64 at all!", "é\ud800", "A", "data:,"])
    def test_data_that_is_none(self, data: str) -> None:
        """What is not base64 is described as it is written, and not shown."""
        (described,) = parts_of({"type": "input_audio", "input_audio": {"data": data}})

        assert described["type"] == "blob"
        assert set(described) == {"type", "modality", "size", "sha256"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example/v1", "https://api.example/v1"),
        ("https://u:p@api.example:8080/v1?key=1#f", "https://api.example:8080/v1"),
        ("https://a@b@c.example/", "https://c.example/"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("gs://bucket/key", "gs://bucket/key"),
        ("https://api.example", "https://api.example"),
        ("https://user:password", None),
        ("http://[::1", None),
        ("http://host:99999/", None),
        ("/only/path", None),
        ("user:pw@host/path", None),
        ("data:text/plain,hi", None),
        ("", None),
    ],
)
def test_safe_url(url: str, expected: str | None) -> None:
    """A URL keeps scheme, host, port and path, or is none."""
    assert safe_url(url) == expected


@given(st.text())
def test_safe_url_of_any_text(text: str) -> None:
    """No text makes it raise, and no user-info or query comes out."""
    for url in (text, f"https://{text}", f"https://u:p@host/{text}", f"https://host/?{text}"):
        safe = safe_url(url)

        assert safe is None or ("?" not in safe and "#" not in safe and "u:p@" not in safe.split("/")[2])


class TestTools:
    """Tool definitions, arguments and results."""

    def test_definitions_without_schema(self) -> None:
        """Type and name only, unless more is asked for: descriptions and schemas are large."""
        tools = [
            {
                "type": "function",
                "function": {"name": "f", "description": "d", "parameters": {"type": "object"}},
            },
            {"type": "function", "name": "g"},
            {"type": "web_search"},
        ]

        assert tool_definitions(tools) == [
            {"type": "function", "name": "f"},
            {"type": "function", "name": "g"},
            {"type": "web_search", "name": "web_search"},
        ]
        assert tool_definitions(None) == []

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ('{"a": 1}', {"a": 1}),
            ("{broken", "{broken"),
            ("", ""),
            ({"a": 1}, {"a": 1}),
            (None, None),
            pytest.param("[" * 100_000, "[" * 100_000, id="too deep"),
        ],
    )
    def test_arguments(self, value: object, expected: object) -> None:
        """JSON text becomes what it holds; anything else stays."""
        assert arguments(value) == expected


class Dumpable:
    """Looks like a pydantic model."""

    def model_dump(self) -> dict[str, Any]:
        """Return the fields."""
        return {"city": "Oslo"}


class Hostile:
    """Cannot be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    __str__ = __repr__


@dataclass
class Point:
    """A plain dataclass."""

    x: int


class TestEncode:
    """JSON text of anything."""

    def test_values(self) -> None:
        """Data of all kinds becomes JSON; what is no data is named by its class."""
        value = {
            "plain": [1, 1.5, True, None, "é"],
            "tuple": (1,),
            "nan": [math.nan, math.inf],
            "huge": 10**5000,
            "model": Dumpable(),
            "point": Point(1),
            "hostile": Hostile(),
            "class": Dumpable,
            "surrogate": "a\ud800b",
            1: None,
            Hostile(): 1,
        }

        assert round_trip(value) == {
            "plain": [1, 1.5, True, None, "é"],
            "tuple": [1],
            "nan": [None, None],
            "huge": "[large number]",
            "model": {"city": "Oslo"},
            "point": {"x": 1},
            "hostile": "<Hostile>",
            "class": "<type>",
            "surrogate": "a\ufffdb",
            "1": None,
            "<Hostile>": 1,
        }

    def test_nothing(self) -> None:
        """No content gives no text."""
        assert encode(None, ROOM) is None

    def test_circular_and_deep_values(self) -> None:
        """A value that contains itself, or is very deep, ends."""
        loop: list[Any] = ["a"]
        loop.append(loop)
        deep: list[Any] = []
        for _ in range(1000):
            deep = [deep]

        assert round_trip(loop) == ["a", "[recursive]"]
        assert "[cut: too many values]" in json.dumps(round_trip(deep))

    def test_shared_values(self) -> None:
        """A small object that multiplies when it is written out is cut."""
        shared: list[Any] = ["x"]
        for _ in range(30):
            shared = [shared, shared]

        assert "[cut: too many values]" in json.dumps(round_trip(shared, 10**7))

    def test_long_lists_say_that_they_are_cut(self) -> None:
        """A list of very many values ends with a note."""
        assert round_trip(list(range(50_000)), 10**7)[-1] == "[cut: too many values]"


class TestRedaction:
    """Every text passes the user's function first."""

    def test_every_text(self) -> None:
        """Texts, names, arguments with their keys and results are redacted; types, roles and ids are not."""
        seen: list[str] = []

        def redact(text: str) -> str:
            seen.append(text)
            return "***"

        _, messages = input_messages(
            [
                {"role": "user", "name": "ann", "content": "text"},
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": '{"k": "v"}'}}],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "result"},
            ]
        )
        text = encode(messages, ROOM, redact)

        assert sorted(seen) == ["ann", "f", "k", "result", "text", "v"]
        assert text is not None
        assert json.loads(text) == [
            {"role": "user", "parts": [{"type": "text", "content": "***"}], "name": "***"},
            {
                "role": "assistant",
                "parts": [{"type": "tool_call", "name": "***", "id": "c1", "arguments": {"***": "***"}}],
            },
            {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "***"}]},
        ]

    def test_content_cannot_pass_as_a_role(self) -> None:
        """A role or id that is a sentence is treated as content."""
        _, messages = input_messages([{"role": "my secret is 5", "content": "x"}])

        assert "secret" not in (encode(messages, ROOM, lambda _: "***") or "")

    def test_redaction_comes_before_the_cut(self) -> None:
        """A secret is found although the cut would have gone through it."""
        text = encode("a" * 90 + "SECRET" + "b" * 1000, 120, lambda text: text.replace("SECRET", "***"))

        assert text is not None
        assert "SEC" not in text

    @pytest.mark.parametrize("failing", [lambda text: 1 / 0, lambda text: {}[text], lambda text: None])
    def test_a_function_that_fails(self, failing: Any) -> None:
        """The content is refused with an error that does not quote it."""
        with pytest.raises(RedactionError) as raised:
            encode(["my secret"], ROOM, failing)

        assert "secret" not in str(raised.value)
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__ or raised.value.__context__ is None

    def test_cancellation_passes(self) -> None:
        """What is no Exception is left alone."""

        def interrupted(text: str) -> str:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            encode("x", ROOM, interrupted)


class TestSize:
    """Cuts by part, with valid JSON and a note at each cut."""

    def test_the_longest_text_is_cut_first(self) -> None:
        """Short texts stay whole as long as cutting long ones is enough."""
        messages = input_messages(["short", "x" * 5000, "y" * 300])[1]

        first, second, third = round_trip(messages, 1000)

        assert first["parts"][0]["content"] == "short"
        assert third["parts"][0]["content"] == "y" * 300
        kept, _, note = second["parts"][0]["content"].partition("…")
        assert set(kept) == {"x"}
        assert note == f"[cut {5000 - len(kept)} chars]"

    def test_the_room_is_used(self) -> None:
        """Of one long text as much is kept as fits."""
        text = encode(input_messages("x" * 5000)[1], 1000)

        assert text is not None
        assert 990 <= len(text.encode()) <= 1000

    @pytest.mark.parametrize("text", ["é" * 5000, "😀" * 5000, "\n\t\x00" * 2000, '"\\' * 3000])
    def test_characters_that_grow_in_json(self, text: str) -> None:
        """Sizes are bytes of the JSON text, not characters."""
        encoded = encode(input_messages(text)[1], 1000)

        assert encoded is not None
        assert 980 <= len(encoded.encode()) <= 1000

    def test_arguments_become_text_before_messages_are_dropped(self) -> None:
        """JSON with very many small values is cut as text."""
        many = {f"key{index}": index for index in range(2000)}
        calls = [{"id": "c", "function": {"name": "f", "arguments": json.dumps(many)}}]
        messages = input_messages(["hello", {"role": "assistant", "tool_calls": calls}])[1]

        first, second = round_trip(messages, 1000)

        assert first["parts"][0]["content"] == "hello"
        assert second["parts"][0]["arguments"].startswith('{"key0":0,')
        assert second["parts"][0]["arguments"].endswith("chars]")

    def test_the_oldest_messages_go_last_of_all(self) -> None:
        """Where cutting texts is not enough, old messages go, and a note says how many."""
        messages = input_messages([f"message {index} " + "x" * 100 for index in range(100)])[1]

        dropped, *kept = round_trip(messages, 2000)

        assert dropped["role"] == "litespan"
        assert dropped["parts"][0]["content"] == f"[dropped the {100 - len(kept)} oldest of 100]"
        assert len(kept) > 5
        assert kept[-1]["parts"][0]["content"].startswith("message 99")

    def test_lists_of_parts_and_tools(self) -> None:
        """Instructions and definitions are cut in their own shape."""
        tools = tool_definitions([{"type": "function", "name": f"tool_{index}"} for index in range(100)])

        dropped, *kept = round_trip(tools, 500)

        assert dropped == {"type": "text", "content": f"[dropped the {100 - len(kept)} oldest of 100]"}
        assert kept[-1] == {"type": "function", "name": "tool_99"}

    def test_a_large_mapping(self) -> None:
        """A tool's arguments that are too large even with short texts become the beginning of their JSON."""
        encoded = round_trip({f"k{index}": index for index in range(1000)}, 200)

        assert encoded.startswith('{"k0":0')

    @pytest.mark.parametrize("max_bytes", [-1, 0, 1, 10, 40])
    def test_no_room(self, max_bytes: int) -> None:
        """Where not even the note fits there is no text."""
        assert encode(input_messages("x" * 100)[1], max_bytes) is None


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.builds(Hostile)
    | st.builds(Dumpable),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner) | st.tuples(inner)
    ),
    max_leaves=10,
)
message = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["system", "user", "assistant", "tool", "odd one"]) | junk,
        "content": st.text()
        | junk
        | st.lists(st.fixed_dictionaries({"type": st.text()}, optional={"text": junk})),
        "tool_calls": junk | st.lists(st.fixed_dictionaries({"function": st.dictionaries(st.text(), junk)})),
        "type": st.sampled_from(["message", "function_call", "reasoning"]) | junk,
        "refusal": junk,
        "audio": junk,
        "images": junk,
        "name": junk,
    },
)


@given(value=junk, max_bytes=st.integers(0, 400))
def test_any_value_gives_valid_json(value: Any, max_bytes: int) -> None:
    """Whatever the value: valid JSON within the size, or nothing, and no exception."""
    text = encode(value, max_bytes)

    assert text is None or len(text.encode()) <= max_bytes
    if text is not None:
        json.loads(text)


@settings(max_examples=50)
@given(messages=st.lists(message, max_size=8) | junk, max_bytes=st.integers(50, 2000))
def test_any_messages_give_valid_json(messages: Any, max_bytes: int) -> None:
    """Whatever the messages: lists of shapes that encode to valid JSON within the size."""
    for shapes in (*input_messages(messages), output_messages(messages), tool_definitions(messages)):
        text = encode(shapes, max_bytes)

        assert text is None or isinstance(json.loads(text), list)
        assert text is None or len(text.encode()) <= max_bytes
