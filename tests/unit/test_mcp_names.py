"""Names of MCP servers lose the secrets of URLs, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litespan.sources.mcp_names import server_name

SECRET = "s3cret"  # noqa: S105 - made up


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stdio: python", "stdio: python"),
        ("stdio: npx @scope/shop", "stdio: npx @scope/shop"),
        ("My shop", "My shop"),
        ("https://shop.example/mcp", "https://shop.example/mcp"),
        ("streamable_http: http://h:81/mcp", "streamable_http: http://h:81/mcp"),
        (f"sse: https://me:{SECRET}@h/mcp?token={SECRET}#{SECRET}", "sse: https://h/mcp"),
        (f"shop (wss://me:{SECRET}@h/@scope/mcp) two", "shop (wss://h/@scope/…"),
        (f"https://h/api/{SECRET * 6}/mcp", "https://h/api/…/mcp"),
        (f"https://h/key={SECRET}/mcp", "https://h/…/mcp"),
        (f"https://me:{SECRET}/{SECRET}@h/mcp", "https://<url>"),
        (f"https://me:80/{SECRET}@h/mcp", "https://<url>"),
        (f"https://me:{SECRET} {SECRET}@h/mcp", "https://<url>"),
        (f"https://me:?{SECRET}@h/mcp", "https://<url>"),
        (f"https://me:#{SECRET}@h/mcp", "https://<url>"),
        (f"https://{SECRET}:x", "https://<url>"),
        (None, None),
        (7, None),
    ],
)
def test_names(name: object, expected: str | None) -> None:
    """User-info, query, fragment and key-like parts of a path go; the host and plain words stay."""
    assert expected == server_name(name)


@given(user=st.text(max_size=8), password=st.text(max_size=8), query=st.text(max_size=8))
def test_no_secret_stays(user: str, password: str, query: str) -> None:
    """Whatever stands before the @ and behind the question mark is gone."""
    name = f"sse: https://{user}<<1>>:{password}<<2>>@host/mcp?{query}<<3>>"

    assert "<<" not in str(server_name(name))
