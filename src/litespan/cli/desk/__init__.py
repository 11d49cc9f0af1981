"""The demo's support desk: its agents and tools, a day's tickets, and what the fake models answer."""
