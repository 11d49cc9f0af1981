"""What panels and rules must show of the scenes, and what they cannot show, with the reasons."""

from __future__ import annotations

from typing import Final

from dashboards.build.names import series
from litespan import semconv
from tests.stack.rule_files import BUDGET

FACTS: Final = {
    ("Ends of calls", "Failed"): 3,
    ("Ends of calls", "Cancelled"): 1,
    ("Ends of calls", "Abandoned"): 1,
    ("Ends of calls", "Incomplete"): 1,
    ("Spend today", "Calls without a price"): 1,
    ("Spend today", "Calls without usage"): 4,
    ("Calls without usage", "{{reason}}"): 4,
    ("Calls in flight", "{{gen_ai_provider_name}} {{gen_ai_request_model}}"): 1,
    ("Runs in the time shown", "Runs"): 13,
    ("Runs in the time shown", "Runs that did not end well"): 9,
    ("Handoffs", "Handoffs"): 3,
    ("Guardrails", "Checks"): 6,
    ("Guardrails", "Trips"): 2,
    ("Tools", "Calls"): 13,
    ("Failures of tools", "{{gen_ai_tool_name}} {{error_type}}"): 2,
    ("Open records", "{{service_name}} {{service_instance_id}}"): 1,
}
"""What happens in the scenes, counted by hand, by the titles of panel and figure."""

ZERO: Final = {
    ("Export queue", "{{service_name}} {{service_instance_id}}"): "all spans were sent, in vain",
    ("Share of calls without their model's name", "{{service_name}}"): "no more models than are told apart",
}
"""Figures that are zero, and why zero is the truth."""

NOT_EXPOSED: Final = {
    series(semconv.INFERENCE_TIME_TO_FIRST_CHUNK, "bucket"): "of the generation `latest`; a process has one",
    BUDGET: "the table of budgets ships empty",
}
"""Metrics of rules that the program does not have, and why."""

HAPPENED: Final = {
    "LitespanInternalErrors": "the redaction fails",
    "LitespanTelemetryDropped": "nobody takes the spans",
    "LitespanUnpricedCalls": "a model has no price",
}
"""Alerts that must see this, and why."""
