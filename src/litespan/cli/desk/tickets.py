"""The tickets of the demo: a dozen runs that between them show what litespan sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LOST_ORDER: Final = "7101"


@dataclass(frozen=True)
class Ticket:
    """One customer's question, answered by one run.

    Attributes:
        number: the id of its conversation.
        title: what it is about, in a few words.
        text: what the customer wrote.
        streamed: whether the answer is streamed.
        staged: it needs a provider that fails when it is told to, so a real one is not asked.
    """

    number: str
    title: str
    text: str
    streamed: bool = False
    staged: bool = False

    @property
    def question(self) -> str:
        """The text as the desk gets it."""
        return f"Ticket {self.number}: {self.text}"


TICKETS: Final = (
    Ticket(
        "T-101", "refund of a lost parcel",
        f"Order {LOST_ORDER} never came. Where is it, and can I have my money back?", streamed=True,
    ),
    Ticket("T-102", "where is my parcel", "Where is my order 7102, and what was in it?"),
    Ticket("T-103", "opening hours", "Hello! When are you open?", streamed=True),
    Ticket("T-104", "change the address", "Please send order 7104 to my office instead."),
    Ticket("T-105", "card number sent", "Here is my card for the refund: 4111 1111 1111 1111"),
    Ticket("T-106", "return after 20 days", "I bought a lamp 20 days ago. Can I return it?"),
    Ticket("T-107", "provider is busy", "When will order 7107 arrive?", staged=True),
    Ticket("T-108", "thanks", "My parcel came, thank you!"),
    Ticket("T-109", "too long to answer", "All my letters about a refund: [...]", staged=True),
    Ticket("T-110", "is it paid", "Is order 7110 paid?", streamed=True),
    Ticket("T-111", "warranty of a kettle", "My kettle of order 7111 broke after a year. And now?"),
    Ticket("T-112", "parcel in delivery", "Does order 7112 come today?", streamed=True),
)  # fmt: skip
