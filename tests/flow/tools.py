"""Tools for agents under test."""

from __future__ import annotations

from agents import function_tool


@function_tool
def weather(city: str) -> str:
    """Say how the weather is."""
    return f"It is sunny in {city}."
