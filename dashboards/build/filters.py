"""The variables of the dashboards, and which label each of them filters."""

from __future__ import annotations

from typing import Final, NamedTuple

from dashboards.build.names import label
from litespan import semconv
from litespan.semconv import Metric

DATASOURCE: Final = "datasource"


class Filter(NamedTuple):
    """A variable that filters by a label; ``everywhere``: all metrics have that label."""

    variable: str
    title: str
    attribute: str
    everywhere: bool = False

    def applies_to(self, metric: Metric) -> bool:
        """Say whether the metric has the label."""
        return self.everywhere or self.attribute in metric.attributes

    @property
    def matcher(self) -> str:
        """The condition of a PromQL selector."""
        return f'{label(self.attribute)}=~"${self.variable}"'


SERVICE: Final = Filter("service", "Service", "service.name", everywhere=True)
ENVIRONMENT: Final = Filter("environment", "Environment", "deployment.environment.name", everywhere=True)
WORKFLOW: Final = Filter("workflow", "Workflow", semconv.WORKFLOW_NAME)
AGENT: Final = Filter("agent", "Agent", semconv.AGENT_NAME)
PROVIDER: Final = Filter("provider", "Provider", semconv.PROVIDER_NAME)
MODEL: Final = Filter("model", "Model", semconv.REQUEST_MODEL)

OF_PROCESSES: Final = (SERVICE, ENVIRONMENT)
ALL: Final = (*OF_PROCESSES, WORKFLOW, AGENT, PROVIDER, MODEL)
