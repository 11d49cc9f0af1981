"""What a setting may hold: one check for each kind of value, whether an argument or a variable gives it.

A check takes the name under which the value was given, for its error, and the value. It returns the value as
litespan uses it, or raises a :class:`ConfigurationError` that says what is valid.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from litespan.labels import AttributeValue, as_attribute, is_personal, problem_of_name
from litespan.price_file import read_price_file

_HIGHEST_PORT: Final = 65_535
PRICE_CLASSES: Final = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning")
_PRICE_UNIT: Final = "USD per million tokens"
# The cheapest models cost some hundred times more; a lower price is one per token.
_LOWEST_PRICE: Final = 1e-4


class ConfigurationError(ValueError):
    """A setting, or what a program hands to litespan otherwise, is unknown or has a wrong value.

    Raised where the program says it: by ``configure``, ``instrument``, ``using`` and the models, never later.
    """

    __module__ = "litespan.settings"  # where programs find it; their tracebacks name it


def parse_bool(name: str, value: object) -> bool:
    """Check a truth value; variables spell it ``true``, ``1``, ``false`` or ``0``."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "1", "false", "0"):
        return value.strip().lower() in ("true", "1")
    raise ConfigurationError(f"{name}={value!r} is no boolean: use true or false.")


def parse_positive(name: str, value: object) -> float:
    """Check a number above 0 that is not infinite."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not number > 0 or math.isinf(number):
        raise ConfigurationError(f"{name}={value!r} must be a number greater than 0.")
    return number


def parse_wait(name: str, value: object, per_second: int = 1) -> float:
    """Check a time that something waits for, in seconds or in parts of them (``per_second``).

    Raises:
        ConfigurationError: if it is no number above 0, or more than Python can wait.
    """
    number = parse_positive(name, value)
    longest = threading.TIMEOUT_MAX * per_second
    if number > longest:
        raise ConfigurationError(f"{name}={value!r} is too long: {longest:.0f} is the most.")
    return number


def parse_count(name: str, value: object) -> int:
    """Check a whole number above 0."""
    number = parse_positive(name, value)
    if number != int(number):
        raise ConfigurationError(f"{name}={value!r} must be a whole number greater than 0.")
    return int(number)


def parse_port(name: str, value: object) -> int:
    """Check a TCP port."""
    port = parse_count(name, value)
    if port > _HIGHEST_PORT:
        raise ConfigurationError(f"{name}={value!r} must be a port: 1 to {_HIGHEST_PORT}.")
    return port


def parse_registry(name: str, value: object) -> Any:
    """Check a registry of ``prometheus_client``, or ``None``."""
    if value is None or all(callable(getattr(value, method, None)) for method in ("register", "unregister")):
        return value
    raise ConfigurationError(f"{name}={value!r} must be a prometheus_client.CollectorRegistry.")


def parse_text(name: str, value: object) -> str | None:
    """Check a text that is not empty, or ``None``."""
    if value is None or (isinstance(value, str) and value.strip()):
        return value
    raise ConfigurationError(f"{name}={value!r} must be a text that is not empty.")


def parse_path(name: str, value: object) -> str:
    """Check a path, and return it as a text."""
    if isinstance(value, (str, os.PathLike)) and os.fspath(value):
        return str(os.fspath(value))
    raise ConfigurationError(f"{name}={value!r} must be a path.")


def parse_optional_path(name: str, value: object) -> str | None:
    """Check a path, or ``None``."""
    return None if value is None else parse_path(name, value)


def parse_callable(name: str, value: object) -> Callable[..., Any] | None:
    """Check a function, or ``None``; what it takes and returns shows when it is called."""
    if value is None or callable(value):
        return value
    raise ConfigurationError(f"{name}={value!r} must be a function.")


def one_of(valid: tuple[str, ...]) -> Callable[[str, object], str]:
    """Return a check for one of these words; upper and lower case are the same."""

    def parse(name: str, value: object) -> str:
        for candidate in valid:
            if isinstance(value, str) and value.strip().lower() == candidate.lower():
                return candidate
        raise ConfigurationError(f"{name}={value!r} is not valid. Valid values: {', '.join(valid)}.")

    return parse


def list_of(valid: tuple[str, ...]) -> Callable[[str, object], tuple[str, ...]]:
    """Return a check for some of these words: a list, or a text with commas. ``none`` stands alone."""
    one = one_of(valid)

    def parse(name: str, value: object) -> tuple[str, ...]:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, (list, tuple)) or not items:
            raise ConfigurationError(f"{name}={value!r} is not valid. Valid values: {', '.join(valid)}.")
        chosen = tuple(dict.fromkeys(one(name, item) for item in items))
        if "none" in chosen and len(chosen) > 1:
            raise ConfigurationError(f"{name}={value!r}: 'none' cannot be combined with other exporters.")
        return chosen

    return parse


def listed(_: str, text: str) -> tuple[str, ...]:
    """Split a list of exporters, and judge nothing: others than litespan read the same variables."""
    return tuple(dict.fromkeys(item.strip().lower() for item in text.split(",") if item.strip()))


def parse_price(name: str, value: object) -> Mapping[str, float]:
    """Check one price: a mapping of token class to USD per million tokens, ``input`` and ``output`` at least.

    Raises:
        ConfigurationError: on an unknown class or unit, or a price that is negative or no number.
    """
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{name}={value!r} must map token classes to USD per million tokens, "
            "for example {'input': 3.0, 'output': 15.0}."
        )
    unit = value.get("unit", _PRICE_UNIT)
    if unit != _PRICE_UNIT:
        raise ConfigurationError(f"{name}: unknown unit {unit!r}. Prices are in {_PRICE_UNIT!r}.")
    amounts = {key: amount for key, amount in value.items() if key != "unit"}
    for token_class, amount in amounts.items():
        _check_amount(name, token_class, amount)
    missing = [token_class for token_class in ("input", "output") if token_class not in amounts]
    if missing:
        raise ConfigurationError(f"{name}: the price of {' and '.join(missing)} tokens is missing.")
    return MappingProxyType({token_class: float(amount) for token_class, amount in amounts.items()})


def _check_amount(name: str, token_class: object, amount: object) -> None:
    if token_class not in PRICE_CLASSES:
        hint = " LiteLLM's keys hold prices per token." if "token" in str(token_class) else ""
        raise ConfigurationError(
            f"{name}: unknown token class {token_class!r}. Valid classes: {', '.join(PRICE_CLASSES)}, "
            f"in {_PRICE_UNIT}.{hint}"
        )
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 <= amount < math.inf:
        raise ConfigurationError(
            f"{name}: the price of {token_class!r} is {amount!r}; it must be {_PRICE_UNIT}, 0 or more."
        )
    if 0 < amount < _LOWEST_PRICE:
        raise ConfigurationError(
            f"{name}: the price of {token_class!r} is {amount!r}, which looks like USD per token. "
            f"Prices are {_PRICE_UNIT}: write {amount * 1e6:g}."
        )


def parse_prices(name: str, value: object) -> Mapping[str, Mapping[str, float]]:
    """Check prices by model name, as :func:`parse_price` does, or read them from the file with that path."""
    if isinstance(value, (str, os.PathLike)):
        path = parse_path(name, value)
        name = f"{name} ({path})"
        try:
            value = read_price_file(path)
        except ValueError as error:
            raise ConfigurationError(f"{name}: {error}.") from error
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{name} must map model names to prices, for example "
            "{'openai/my-model': {'input': 3.0, 'output': 15.0}} (USD per million tokens)."
        )
    return MappingProxyType({str(model): parse_price(f"{name}[{model!r}]", p) for model, p in value.items()})


def parse_names(name: str, value: object) -> tuple[str, ...]:
    """Check names of attributes: a list, or a text with commas."""
    items = value.split(",") if isinstance(value, str) else value
    if isinstance(items, (list, tuple)) and all(isinstance(item, str) and item.strip() for item in items):
        return tuple(dict.fromkeys(item.strip() for item in items))
    raise ConfigurationError(f"{name}={value!r} must be a list of attribute names.")


def parse_baggage_keys(name: str, value: object) -> tuple[str, ...]:
    """Check names of entries of OpenTelemetry's baggage that may become attributes."""
    keys = parse_names(name, value)
    for key in keys:
        if key not in ("user.id", "session.id"):
            _refuse_bad_name(name, key)
    return keys


def parse_metric_keys(name: str, value: object) -> tuple[str, ...]:
    """Check names of extra attributes that may be put on metrics: none that names a person or a session."""
    keys = parse_names(name, value)
    for key in keys:
        if is_personal(key):
            raise ConfigurationError(
                f"{name}: {key!r} is never on metrics: each one would be a series of its own, kept for good. "
                "It is on the spans; allow a group on the metrics, such as a team or a plan."
            )
        _refuse_bad_name(name, key)
    return keys


def _refuse_bad_name(name: str, key: object) -> None:
    if problem := problem_of_name(key):
        raise ConfigurationError(f"{name}: {key!r} is no name of an extra attribute: {problem}.")


def parse_attributes(name: str, value: object) -> Mapping[str, AttributeValue]:
    """Check extra attributes: a mapping, or a text such as ``stage=prod,region=eu``."""
    if isinstance(value, str):
        pairs = [item.partition("=") for item in value.split(",")]
        if not all(key.strip() and equals for key, equals, _ in pairs):
            raise ConfigurationError(
                f"{name}={value!r} must be names and values with commas, for example stage=prod,region=eu."
            )
        value = {key.strip(): text.strip() for key, _, text in pairs}
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{name}={value!r} must map names to values, for example {{'stage': 'prod'}}."
        )
    checked: dict[str, AttributeValue] = {}
    for key, item in value.items():
        _refuse_bad_name(name, key)
        attribute = as_attribute(item)
        if attribute is None or attribute == "":
            raise ConfigurationError(
                f"{name}[{key!r}]={item!r} must be a text, a truth value, a number, or a list of one of them."
            )
        checked[key] = attribute
    return MappingProxyType(checked)
