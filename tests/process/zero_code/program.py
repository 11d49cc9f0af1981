"""A program that asks once and exits."""

import asyncio
import sys

from agent import answer  # type: ignore[import-not-found]

sys.stdout.write(asyncio.run(answer("What is a span?")) + "\n")
