"""What is measured of agents, tools, handoffs, guardrails and runs: all that surrounds the model calls."""

from __future__ import annotations

from opentelemetry.trace import SpanContext

from litespan import semconv
from litespan.emit.ended import error_of, seconds_of
from litespan.emit.extra_keys import ExtraKeys
from litespan.emit.histograms import Taken
from litespan.emit.instruments import Instruments
from litespan.emit.measurements import Common, Own
from litespan.records import AgentRun, Guardrail, Handoff, Run, ToolCall, Workflow


class RunMeasurements:
    """Takes measurements of what surrounds the calls, and records them in groups."""

    def __init__(self, instruments: Instruments, extra_keys: ExtraKeys) -> None:
        tallies, histograms, measurements = instruments
        self._keep_agent = measurements.of(self._write_agents)
        self._keep_workflow = measurements.of(self._write_workflows)
        self._keep_run = measurements.of(self._write_runs)
        self._keep_tool = measurements.of(self._write_tools)
        self._keep_handoff = measurements.of(self._write_handoffs)
        self._keep_guardrail = measurements.of(self._write_guardrails)
        self._extra = extra_keys
        self._agent_duration = histograms[semconv.AGENT_DURATION]
        self._agent_calls = histograms[semconv.AGENT_INFERENCE_CALLS]
        self._agent_tools = histograms[semconv.AGENT_TOOL_CALLS]
        self._workflow_duration = histograms[semconv.WORKFLOW_DURATION]
        self._run_duration = histograms[semconv.RUN_DURATION]
        self._run_cost = histograms[semconv.RUN_COST]
        self._tool_duration = histograms[semconv.TOOL_DURATION]
        self._runs = tallies[semconv.RUNS]
        self._handoffs = tallies[semconv.HANDOFFS]
        self._guardrails = tallies[semconv.GUARDRAILS]

    # -- taking: what a record has in common with others, and what it has of its own -----------------------
    def agent_ended(self, agent: AgentRun, span: SpanContext) -> None:
        """Measure an agent and count its own calls."""
        totals = agent.totals
        own = (seconds_of(agent), totals.model_calls, totals.tool_calls, agent.end_ns, span)
        self._keep_agent((agent.name, error_of(agent)), own)

    def workflow_ended(self, workflow: Workflow, span: SpanContext) -> None:
        """Measure a workflow."""
        own = (seconds_of(workflow), workflow.end_ns, span)
        self._keep_workflow((workflow.name, error_of(workflow)), own)
        if not workflow.runs and workflow.run_count:
            self.run_ended(workflow, span)

    def run_ended(self, run: Run | Workflow, span: SpanContext) -> None:
        """Count and measure a run; a run inside a tool of another one is part of that one."""
        if isinstance(run, Run) and run.nested:
            return
        cost = run.totals.cost if run.totals.priced_calls else None
        own = (seconds_of(run), cost, run.end_ns, span)
        self._keep_run((run.workflow_name, run.outcome, self._extra.of(run)), own)

    def tool_ended(self, tool: ToolCall, span: SpanContext) -> None:
        """Measure a tool call."""
        own = (seconds_of(tool), tool.end_ns, span)
        self._keep_tool((tool.name, tool.agent_name, error_of(tool)), own)

    def handoff_ended(self, handoff: Handoff, _span: SpanContext) -> None:
        """Count a handoff."""
        self._keep_handoff((handoff.source or "unknown", handoff.target or "unknown"), ())

    def guardrail_ended(self, guardrail: Guardrail, _span: SpanContext) -> None:
        """Count a check of a guardrail."""
        self._keep_guardrail((guardrail.name, guardrail.triggered), ())

    # -- recording -----------------------------------------------------------------------------------------
    def _write_agents(self, common: Common, agents: list[Own]) -> None:
        seconds, model_calls, tool_calls, *where = zip(*agents, strict=True)
        name, taken = common[:1], Taken(*where)
        self._agent_duration.record(seconds, taken, common)
        self._agent_calls.record(model_calls, taken, name)
        self._agent_tools.record(tool_calls, taken, name)

    def _write_workflows(self, common: Common, workflows: list[Own]) -> None:
        seconds, *where = zip(*workflows, strict=True)
        self._workflow_duration.record(seconds, Taken(*where), common)

    def _write_runs(self, common: Common, runs: list[Own]) -> None:
        seconds, costs, *where = zip(*runs, strict=True)
        values, extra, taken = common[:2], common[2], Taken(*where)
        self._runs.add(len(runs), (*values, *extra))
        self._run_duration.record(seconds, taken, values)
        self._run_cost.record(costs, taken, values)

    def _write_tools(self, common: Common, tools: list[Own]) -> None:
        seconds, *where = zip(*tools, strict=True)
        self._tool_duration.record(seconds, Taken(*where), common)

    def _write_handoffs(self, common: Common, handoffs: list[Own]) -> None:
        self._handoffs.add(len(handoffs), common)

    def _write_guardrails(self, common: Common, checks: list[Own]) -> None:
        self._guardrails.add(len(checks), common)
