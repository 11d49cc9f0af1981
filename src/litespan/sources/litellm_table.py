"""LiteLLM's price table: that of the module, or that of its package while the program has not imported it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

_FILE: Final = "model_prices_and_context_window_backup.json"


def origin() -> str:
    """Return what the table is called where its prices are shown: it is that of one version of LiteLLM."""
    return f"litellm {_version()} price table"


def look_up(name: str) -> Mapping[str, Any] | None:
    """Return the entry of a model; LiteLLM's own functions print and are slow."""
    litellm = sys.modules.get("litellm")
    table = getattr(litellm, "model_cost", None)
    # Programs that only use the Agents SDK's own models import no LiteLLM.
    entry = (_packaged() if table is None else table).get(name)
    if entry is None or type(entry) is dict:
        return entry  # as nearly always, and told faster
    return entry if isinstance(entry, Mapping) else None


def read_packaged() -> Mapping[str, Any]:
    """Read the table that is part of LiteLLM's package (tens of milliseconds); empty where there is none."""
    spec = find_spec("litellm")  # imports nothing
    for folder in (spec and spec.submodule_search_locations) or ():
        try:
            table = json.loads(Path(folder, _FILE).read_bytes())
        except (OSError, ValueError):
            continue
        return _with_aliases(table) if isinstance(table, dict) else {}
    return {}


def _with_aliases(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the further names of entries, as LiteLLM does: a list in one, or an entry that points to one."""
    found = dict(table)
    for key, entry in table.items():
        if not isinstance(entry, Mapping):
            continue
        found.update(dict.fromkeys(entry.get("aliases") or (), entry))
        if isinstance(target := entry.get("alias_of"), str) and target in table:
            found[key] = table[target]
    return found


_packaged: Final = cache(read_packaged)


def _version() -> str:
    told = getattr(sys.modules.get("litellm._version"), "version", None)
    if isinstance(told, str):
        return told  # LiteLLM has read its metadata already, which takes a millisecond
    try:
        return version("litellm")
    except PackageNotFoundError:
        return "unknown"
