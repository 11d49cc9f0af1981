"""Benchmarks of litespan: CPU time a run costs, against doing the same by hand."""

from __future__ import annotations

import os

# Else LiteLLM asks the internet for its price table when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
