"""What is taken out of the texts of failures, in whatever spelling they quote it."""

from __future__ import annotations

import json
import time
from hashlib import sha256
from urllib.parse import quote_plus, urlencode

import httpx
import pytest
import requests

from litespan.sources.litellm_secrets import of_errors, of_request, of_sent, without

ODD = ['pass"word\\', "Zoë Müller", "line\nbreak", "a b+c/d=", "😀 and text", "half \ud83d pair"]


@pytest.mark.parametrize("secret", ODD)
def test_every_spelling(secret: str) -> None:
    """A secret with quotes, line breaks or letters of any alphabet goes, also where JSON or a URL has it."""
    for ascii_only in (True, False):
        inner = json.dumps({"given": secret}, ensure_ascii=ascii_only)
        told = json.dumps({"message": inner}, ensure_ascii=ascii_only)
        assert json.loads(without(inner, (secret,))) == {"given": "[secret]"}
        assert json.loads(json.loads(without(told, (secret,)))["message"]) == {"given": "[secret]"}
    address = urlencode({"given": secret}, errors="replace")
    assert without(address, (secret,)) == "given=[secret]"
    assert without(repr({"given": secret}), (secret,)) == "{'given': '[secret]'}"


def test_parts_of_urls() -> None:
    """What a URL has in its own spelling goes as it is meant, too; so does what the name of a model has."""
    address = f"http://me:{quote_plus('pass/word')}@h/v1?key={quote_plus('a b/c=')}"
    for given in ({"base_url": address}, {"model": f"openai/{address}"}):
        assert {"pass/word", "pass%2Fword", "a b/c=", "a+b%2Fc%3D"} <= set(of_request(given))


def test_requests_of_errors() -> None:
    """What was sent is known from the exceptions of clients, but not what says nothing of the program."""
    sent = {"authorization": "Bearer sk-secret-key", "x-own": "own secret", "anthropic-version": "2023-06-01"}
    request = httpx.Request("POST", "http://h/v1?key=query-secret", headers=sent)
    refused = httpx.HTTPStatusError("no", request=request, response=httpx.Response(401, request=request))
    expected = {"Bearer sk-secret-key", "sk-secret-key", "own secret", "key=query-secret", "query-secret"}

    assert expected == set(of_errors([ValueError("x"), refused])) == set(of_sent(refused.response))
    assert () == of_errors([httpx.ConnectError("nobody")])  # whose request is not known


def test_headers_that_are_no_text() -> None:
    """Bytes, which `requests` takes as they are, count as their text; what is neither is left out."""
    request = requests.Request("POST", "http://h/v1", headers={"x-own": b"own secret"}).prepare()
    request.headers["x-nothing"] = None  # type: ignore[assignment]

    assert ("own secret",) == of_errors([requests.ConnectionError("no", request=request)])


def test_large_bodies() -> None:
    """A body of megabytes keeps nobody waiting: a text cannot hold more than its own length."""
    begun = time.process_time()
    assert "refused" == without("refused", ("A/" * 2_000_000,))
    assert time.process_time() - begun < 1


def test_many_secrets() -> None:
    """A process that holds thousands of keys takes no longer over a long text than a look for each."""
    secrets = tuple(f"{sha256(str(number).encode()).hexdigest()}=/" for number in range(3000))
    begun = time.process_time()
    assert without(f"{'abcdef0123456789 ' * 8_000}{secrets[7]}", secrets).endswith("789 [secret]")
    assert time.process_time() - begun < 1
