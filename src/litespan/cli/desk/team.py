"""Four agents of a web shop's support desk, with their tools and a guardrail.

This is what a program that uses litespan looks like: nothing here but the models knows of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final

from agents import (
    Agent,
    GuardrailFunctionOutput,
    RunContextWrapper,
    Tool,
    TResponseInputItem,
    function_tool,
    input_guardrail,
)
from agents.models.interface import Model

from litespan.cli.desk.tickets import LOST_ORDER

TRIAGE: Final = "Triage"
ORDERS: Final = "Orders"
REFUNDS: Final = "Refunds"
POLICY: Final = "Policy"

# Which model each agent of the fake provider's desk runs on: three models that LiteLLM knows a price of.
MODELS: Final[Mapping[str, str]] = {
    TRIAGE: "openai/gpt-4.1-mini",
    ORDERS: "openai/gpt-4.1",
    REFUNDS: "openai/gpt-4.1",
    POLICY: "openai/o4-mini",
}

_DUTIES: Final[Mapping[str, str]] = {
    TRIAGE: "Hand order questions to Orders and money questions to Refunds; answer small talk yourself.",
    ORDERS: "Answer with the facts that your tools give; ask for several at once where you can.",
    REFUNDS: "Look the order up, ask for the policy, then decide. Try a tool that failed once more.",
    POLICY: "Say in one sentence what the shop's handbook allows: 30 days for returns, 2 years of warranty.",
}

_TOOL_SECONDS: Final = 0.04
_CARD_NUMBER: Final = re.compile(r"\b(?:\d{4}[ -]?){4}\b")


def build_team(models: Mapping[str, Model]) -> Agent[Any]:
    """Return the triage agent, which hands over to the others; ``models`` are by the agent's name."""
    policy = Agent[Any](name=POLICY, instructions=_instructions(POLICY), model=models[POLICY])
    ask_policy = policy.as_tool("ask_policy", "Ask what the shop's handbook says about a case.")
    shop = _shop_tools()
    orders = Agent[Any](name=ORDERS, instructions=_instructions(ORDERS), model=models[ORDERS], tools=shop)
    refunds = Agent[Any](
        name=REFUNDS,
        instructions=_instructions(REFUNDS),
        model=models[REFUNDS],
        tools=[*shop, ask_policy],
    )
    return Agent[Any](
        name=TRIAGE,
        instructions=_instructions(TRIAGE),
        model=models[TRIAGE],
        handoffs=[orders, refunds],
        input_guardrails=[card_number],
    )


def _instructions(name: str) -> str:
    return f"You are {name} at the support desk of a web shop. {_DUTIES[name]}"


def _shop_tools() -> list[Tool]:
    """Make the two tools; the carrier does not answer the first question about the lost parcel."""
    unanswered = {LOST_ORDER}

    @function_tool
    async def find_order(order: str) -> str:
        """Return what was ordered, when, and whether it is paid."""
        await asyncio.sleep(_TOOL_SECONDS)
        return f"Order {order}: one desk lamp, 49.00 EUR, paid, sent nine days ago."

    @function_tool
    async def track_parcel(order: str) -> str:
        """Return where the parcel of an order is."""
        await asyncio.sleep(2 * _TOOL_SECONDS)
        if order in unanswered:
            unanswered.remove(order)
            raise TimeoutError("The carrier did not answer.")
        return f"Parcel of order {order}: {'lost' if order == LOST_ORDER else 'in delivery, arrives today'}."

    return [find_order, track_parcel]


# Before the first model call, not beside it: a ticket that holds a card number must not leave the shop.
@input_guardrail(run_in_parallel=False)
def card_number(
    context: RunContextWrapper[Any], agent: Agent[Any], ticket: str | list[TResponseInputItem]
) -> GuardrailFunctionOutput:
    """Stop a ticket that holds a card number."""
    return GuardrailFunctionOutput(None, tripwire_triggered=bool(_CARD_NUMBER.search(str(ticket))))
