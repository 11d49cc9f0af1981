"""Metrics that no panel shows, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from litespan import semconv
from litespan.semconv import Metric

_OF_LATEST: Final = (
    "Of the conventions' generation `latest`, unreleased; the dashboards show the default one."
)

NOT_SHOWN: Final[Mapping[Metric, str]] = {
    semconv.WORKFLOW_DURATION: "Mostly that of its one run, and the durations of runs are shown by workflow.",
    semconv.INFERENCE_DURATION: _OF_LATEST,
    semconv.INFERENCE_TIME_TO_FIRST_CHUNK: _OF_LATEST,
    semconv.INFERENCE_INPUT_TOKENS: _OF_LATEST,
    semconv.INFERENCE_OUTPUT_TOKENS: _OF_LATEST,
    semconv.EMBEDDINGS_DURATION: _OF_LATEST,
    semconv.EMBEDDINGS_INPUT_TOKENS: _OF_LATEST,
}
