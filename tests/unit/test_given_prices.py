"""Prices that a user gives: in code, in a file, by pattern; and what is said of wrong ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from litespan.pricing import PriceBook
from litespan.records import ModelCall, Usage
from litespan.setting_checks import ConfigurationError
from litespan.settings import load_settings

PRICE = {"input": 1.0, "output": 2.0}
GOOD = {"openai/my-vllm-model": PRICE, "bare": {**PRICE, "cache_read": 0.5, "unit": "USD per million tokens"}}


def price_of(prices: object, model: str, provider: str | None = "openai") -> float | None:
    """Return what a million tokens of input cost by these prices alone."""
    book = PriceBook(load_settings({}, prices=prices), lambda _: None, "no table")
    cost = book.cost(ModelCall(model=model, litellm_provider=provider, usage=Usage(1_000_000, 0)))
    return None if cost is None else round(cost.amount, 9)


def written(folder: Path, name: str, text: str) -> str:
    """Write a file of prices and return its path."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize("as_path", [str, Path])
def test_a_json_file(tmp_path: Path, as_path: type) -> None:
    """A path in place of the mapping is a file with the same content."""
    path = as_path(written(tmp_path, "prices.json", json.dumps(GOOD)))

    assert load_settings({}, prices=path).prices == load_settings({}, prices=GOOD).prices
    assert price_of(path, "my-vllm-model") == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python has no reader of TOML before 3.11")
def test_a_toml_file(tmp_path: Path) -> None:
    """TOML is read as well."""
    path = written(tmp_path, "prices.toml", '["openai/my-vllm-model"]\ninput = 1\noutput = 2\n')

    assert price_of(path, "my-vllm-model") == 1


def test_the_environment_names_a_file(tmp_path: Path) -> None:
    """LITESPAN_PRICES holds a path; an argument goes before it."""
    environ = {"LITESPAN_PRICES": written(tmp_path, "p.json", json.dumps(GOOD))}

    assert "bare" in load_settings(environ).prices
    assert load_settings(environ, prices={}).prices == {}


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        ("m", "openai", 1),
        ("m", "groq", 2),
        ("m", None, 2),
        ("ft:gpt-4o-mini:org::id", "openai", 3),
        ("ft:gpt-4o-mini:org::id", "azure", 5),
        ("ft:gpt-4o:org::id", "openai", 4),
        ("my-[odd]*-name", "openai", 6),
        ("gpt-4o", "openai", None),
    ],
)
def test_exact_names_go_before_patterns(model: str, provider: str | None, expected: float | None) -> None:
    """The full name counts first, then the bare one, then the first pattern that fits either."""
    prices = {
        "*:org::id": {"input": 5, "output": 0},
        "openai/m": {"input": 1, "output": 0},
        "m": {"input": 2, "output": 0},
        "my-[odd]*-name": {"input": 6, "output": 0},
    }
    narrow = {
        "openai/ft:gpt-4o-mini:*": {"input": 3, "output": 0},
        "openai/ft:*": {"input": 4, "output": 0},
    }

    assert price_of({**narrow, **prices}, model, provider) == expected


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ({"input": -1, "output": 1}, ["'input' is -1", "0 or more"]),
        ({"input": "3", "output": 1}, ["'input' is '3'", "USD per million tokens"]),
        ({"input": 1, "output": True}, ["'output' is True"]),
        ({"input": 1}, ["output tokens is missing"]),
        ({"input": 1, "output": 1, "audio": 1}, ["unknown token class 'audio'", "cache_write_1h"]),
        ({"input_cost_per_token": 3e-6, "output": 1}, ["'input_cost_per_token'", "prices per token"]),
        ({"input": 3e-6, "output": 1}, ["looks like USD per token", "write 3."]),
        ({"input": 1, "output": 1, "unit": "USD per 1k tokens"}, ["unknown unit", "USD per million tokens"]),
        ({"input": 1, "output": 1, "unit": ["EUR"]}, ["unknown unit"]),
        (3.0, ["must map token classes", "'input': 3.0"]),
    ],
)
def test_a_wrong_price_names_the_file_the_model_and_the_fix(
    tmp_path: Path, price: Any, words: list[str]
) -> None:
    """An error says where the wrong price is and what is right."""
    path = written(tmp_path, "prices.json", json.dumps({"my/model": price}))

    with pytest.raises(ConfigurationError) as caught:
        load_settings({"LITESPAN_PRICES": path})

    for word in ["LITESPAN_PRICES", path, "my/model", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.json", "{", ["line 1"]),
        ("p.json", "[]", ["must map model names"]),
        ("p.json", '{"m": {"input": 1, "output": 1}, "m": {}}', ["'m' is there twice"]),
        ("p.json", '{"m": {"input": NaN, "output": 1}}', ["'input' is nan"]),
        ("p.toml", "=", ["line 1" if sys.version_info >= (3, 11) else "write the prices as JSON"]),
        ("p.yaml", "m: 1", [".json or .toml"]),
    ],
)
def test_a_wrong_file(tmp_path: Path, name: str, text: str, words: list[str]) -> None:
    """A file that is no mapping of prices is an error with its name in it."""
    path = written(tmp_path, name, text)

    with pytest.raises(ConfigurationError) as caught:
        load_settings({}, prices=path)

    for word in ["prices", path, *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["missing.json", ""])
def test_no_file(tmp_path: Path, name: str) -> None:
    """A path where nothing can be read is an error with the path in it."""
    path = str(tmp_path / name)

    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        load_settings({}, prices=path)

    assert path in str(caught.value)
