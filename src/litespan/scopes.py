"""Agents, runs and workflows: what they hand down, how they end, and the sums over what they hold.

Functions on records; they know no host and no emitter.
"""

from __future__ import annotations

from typing import Final

from litespan import records
from litespan.labels import inherited
from litespan.records import (
    NO_TOTALS,
    AgentRun,
    Guardrail,
    ModelCall,
    Record,
    Run,
    Scope,
    Step,
    ToolCall,
    Totals,
    Turn,
    Usage,
    Workflow,
)

MAX_RUNS_TOLD: Final = 100  # of one trace; OpenTelemetry's SDK keeps 128 events of a span


def inherit(record: Record, parent: Record | None) -> None:
    """Hand down what holds for all below a record: names, ids, labels, and the turn within one agent."""
    if parent is None:
        return
    if parent.workflow_name and not record.workflow_name:
        record.workflow_name = parent.workflow_name
    if parent.conversation_id and not record.conversation_id:
        record.conversation_id = parent.conversation_id
    if not record.trace_id:
        record.trace_id = parent.trace_id
    if parent.labels is not record.labels:
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
    """Let a scope that has no outcome of its own end as the last thing in it did.

    Nor is the exception of a cut stream one of its own. After a guardrail that failed the host cancels what
    still runs, or ends it as if nothing had happened, and raises the failure then.
    """
    if scope.failed_check is not None and scope.outcome in {records.OK, records.CANCELLED}:
        scope.outcome, scope.failure = records.ERROR, scope.failed_check
        return
    own = scope.outcome != records.OK and not _ended_by_cut(scope)
    if not own and scope.inner_outcome != records.OK:
        scope.outcome, scope.failure = scope.inner_outcome, scope.inner_failure


def _ended_by_cut(scope: Scope) -> bool:
    """Say whether a scope failed with the exception with which the last thing in it was cut."""
    if scope.outcome != records.ERROR or scope.inner_outcome != records.INCOMPLETE:
        return False
    failed, cut = scope.failure, scope.inner_failure
    return failed is not None and cut is not None and failed.exception == cut.exception is not None


def tell_parent(record: Record) -> None:
    """Let a scope know how the last thing in it ended.

    A failed call may be retried, so of calls only a cut one counts: some hosts take it for a success. Of
    others, agents and runs tell. A guardrail that fails has failed its agent.
    """
    scope = record.parent
    while isinstance(scope, (Turn, Step)):
        scope = scope.parent
    if isinstance(record, ModelCall):
        if isinstance(scope, AgentRun):
            cut = record.outcome == records.INCOMPLETE
            scope.inner_outcome = records.INCOMPLETE if cut else records.OK
            scope.inner_failure = record.failure if cut else None
    elif isinstance(record, Guardrail):
        if isinstance(scope, AgentRun) and record.failure is not None:
            scope.failed_check = record.failure
    elif isinstance(scope, Scope):
        scope.inner_outcome, scope.inner_failure = record.outcome, record.failure
        if isinstance(record, Scope) and not isinstance(scope, AgentRun):
            scope.failed_check = record.failed_check


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
    if root is None or root.end_ns is not None:
        return
    if not run.nested and len(root.ended_runs) < MAX_RUNS_TOLD:
        root.ended_runs = (*root.ended_runs, run)


def let_go(workflow: Workflow) -> None:
    """Forget the runs of a workflow that was told: they hold it, too.

    Only the garbage collector would end both, and it comes to old objects once in thousands of runs.
    """
    workflow.ended_runs = ()


def _scopes_with_totals(record: Record) -> list[AgentRun | Run | Workflow]:
    """Return the agent that made a call, the runs around it and the root; other agents have their own.

    All of them can be added to.
    """
    scopes: list[AgentRun | Run | Workflow] = []
    above = record.parent
    while above is not None:
        if isinstance(above, (Run, Workflow)) or (isinstance(above, AgentRun) and not scopes):
            scopes.append(above)
            if above.totals is NO_TOTALS:
                above.totals = Totals()
        above = above.parent
    return scopes


def add_tool_call(tool: ToolCall) -> None:
    """Count a tool call that begins in the sums above it; the caller holds the table's lock.

    In a run that is cancelled it may end after its agent.
    """
    for scope in _scopes_with_totals(tool):
        scope.totals.tool_calls += 1


def add_model_call(call: ModelCall, origin: str) -> None:
    """Add a call to the sums above it; the caller holds the table's lock.

    ``origin`` names the price table that the root shall tell of.
    """
    if not call.sent:
        return
    usage, cost = call.usage, call.cost
    for scope in _scopes_with_totals(call):
        totals = scope.totals
        totals.model_calls += 1
        if cost is not None:
            totals.priced_calls += 1
            totals.cost += cost.amount
            if isinstance(scope, Workflow):
                scope.price_origin = origin
        if usage is not None:
            _add_usage(totals, usage)


def _add_usage(totals: Totals, usage: Usage) -> None:
    totals.reported_calls += 1
    totals.input_tokens += usage.input_tokens or 0
    totals.output_tokens += usage.output_tokens or 0
    if usage.cache_read_tokens:
        totals.cache_read_tokens += usage.cache_read_tokens
    if usage.reasoning_tokens:
        totals.reasoning_tokens += usage.reasoning_tokens
