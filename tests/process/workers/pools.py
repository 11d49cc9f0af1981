"""A program that asks once itself, and lets processes of every kind ask for it."""

import asyncio
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from agent import answer  # type: ignore[import-not-found]

import litespan

litespan.configure()


def ask(question: str) -> str:
    """Return the agent's answer."""
    return str(asyncio.run(answer(question)))


def main(method: str) -> None:
    """Ask in one process of each kind, started by this method."""
    context: Any = multiprocessing.get_context(method)
    questions = ["What is a span?", "What is a trace?"]
    ask(questions[0])
    with context.Pool(1) as pool:
        pool.map(ask, questions)
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        list(executor.map(ask, questions))
    process = context.Process(target=ask, args=questions[:1])
    process.start()
    process.join()


if __name__ == "__main__":
    main(sys.argv[1])
