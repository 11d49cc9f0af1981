"""Agents, runs and workflows: what they hand down, how they end, and the sums over what they hold.

Functions on records; they know no host and no emitter.
"""

from __future__ import annotations

from typing import Final

from litespan import records
from litespan.labels import inherited
from litespan.records import AgentRun, ModelCall, Record, Run, Scope, Step, ToolCall, Turn, Usage, Workflow

MAX_RUNS_TOLD: Final = 100  # of one trace; OpenTelemetry's SDK keeps 128 events of a span


def inherit(record: Record, parent: Record | None) -> None:
    """Hand down what holds for all below a record: names, ids, labels, and the turn within one agent."""
    if parent is None:
        return
    record.workflow_name = record.workflow_name or parent.workflow_name
    record.conversation_id = record.conversation_id or parent.conversation_id
    record.trace_id = record.trace_id or parent.trace_id
    record.labels = inherited(record.labels, parent.labels)
    if parent.baggage is not None:
        record.baggage = {**parent.baggage, **(record.baggage or {})}
    record.run = record.run or parent.run
    if isinstance(record, AgentRun):
        record.agent_name = record.name
        return
    record.agent_name = record.agent_name or parent.agent_name
    if record.turn is None:
        record.turn = parent.turn


def take_inner_outcome(scope: Scope) -> None:
    """Let a scope that has no outcome of its own end as the last thing in it did."""
    if scope.outcome == records.OK and scope.inner_outcome != records.OK:
        scope.outcome, scope.failure = scope.inner_outcome, scope.inner_failure


def tell_parent(record: Record) -> None:
    """Let a scope know how the last thing in it ended.

    A failed call may be retried, so of calls only a cut one counts: the host takes it for a success.
    """
    if not isinstance(record, (ModelCall, AgentRun, Run)):
        return
    scope = record.parent
    while isinstance(scope, (Turn, Step)):
        scope = scope.parent
    if isinstance(record, ModelCall):
        if isinstance(scope, AgentRun):
            cut = record.outcome == records.INCOMPLETE
            scope.inner_outcome = records.INCOMPLETE if cut else records.OK
            scope.inner_failure = record.failure if cut else None
    elif isinstance(scope, Scope):
        scope.inner_outcome, scope.inner_failure = record.outcome, record.failure


def begin_run(run: Run, parent: Record | None, root: Workflow) -> None:
    """Number a run within its trace; one inside another is part of that one. The caller holds the lock."""
    run.nested = parent is not None and parent.run is not None
    if not run.nested:
        root.runs += 1
        run.run = root.runs


def keep_run(run: Run) -> None:
    """Let the root tell of a run that has ended, up to a bounded number. The caller holds the lock."""
    root: Record | None = run.parent
    while root is not None and not isinstance(root, Workflow):
        root = root.parent
    if root is not None and not run.nested and len(root.ended_runs) < MAX_RUNS_TOLD:
        root.ended_runs.append(run)


def _scopes_with_totals(record: Record) -> list[AgentRun | Run | Workflow]:
    """Return the agent that made a call, the runs around it and the root; other agents have their own."""
    scopes: list[AgentRun | Run | Workflow] = []
    above = record.parent
    while above is not None:
        if isinstance(above, (Run, Workflow)) or (isinstance(above, AgentRun) and not scopes):
            scopes.append(above)
        above = above.parent
    return scopes


def add_tool_call(tool: ToolCall) -> None:
    """Count a tool call in the sums above it; the caller holds the table's lock."""
    for scope in _scopes_with_totals(tool):
        scope.totals.tool_calls += 1


def add_model_call(call: ModelCall, origin: str) -> None:
    """Add a call to the sums above it; ``origin`` names the price table. The caller holds its lock."""
    if not call.sent:
        return
    usage = call.usage or Usage()
    for scope in _scopes_with_totals(call):
        totals = scope.totals
        totals.model_calls += 1
        totals.reported_calls += call.usage is not None
        totals.priced_calls += call.cost is not None
        totals.unpriced_calls += call.cost is None and call.usage is not None
        totals.cost += call.cost.amount if call.cost is not None else 0.0
        totals.input_tokens += usage.input_tokens or 0
        totals.output_tokens += usage.output_tokens or 0
        totals.cache_read_tokens += usage.cache_read_tokens or 0
        totals.reasoning_tokens += usage.reasoning_tokens or 0
        if isinstance(scope, Workflow) and call.cost is not None:
            scope.price_origin = origin
