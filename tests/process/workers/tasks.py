"""Tasks for Celery, with messages in a folder in place of a broker."""

import asyncio
import os

from agent import answer  # type: ignore[import-not-found]
from celery import Celery  # type: ignore[import-untyped]

import litespan

litespan.configure()

app = Celery(broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": os.environ["MESSAGES"],
    "data_folder_out": os.environ["MESSAGES"],
    "control_folder": os.environ["MESSAGES"],
}
app.conf.task_ignore_result = True


@app.task(name="ask")  # type: ignore[untyped-decorator]
def ask() -> None:
    """Ask the agent."""
    asyncio.run(answer("What is a span?"))
