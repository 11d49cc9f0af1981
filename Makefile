# Everything here runs in a virtual environment of its own, .venv, made from python3 (3.10 or newer).
# `make` alone prints the targets. Another interpreter: make PYTHON=python3.12 install

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
MANIFESTS := pyproject.toml constraints-dev.txt

# Options passed on: make demo ARGS="--json", make unit ARGS="-k usage"
ARGS ?=

TYPED := src tools tests benchmarks

# LiteLLM would fetch its price table from the network when it is imported; tests use the packaged one.
export LITELLM_LOCAL_MODEL_COST_MAP := True

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo up down test lint type imports docstrings fast contract process money stack unit flow interop
.PHONY: backends reach-backends integration scale sizing ledger mutation outage soak bench bench-instructions bench-layers bench-memory bench-concurrency bench-scrape bench-summary matrix recent lock fmt dashboards docs clean safety fuzz

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / { printf "  make %-19s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: $(VENV)/.dev ## Make .venv with litespan (editable) and the development tools

demo: $(if $(wildcard $(VENV)/.dev),$(VENV)/.dev,$(VENV)/.runtime) ## Run a support desk of agents on a fake provider and show its trace
	@$(BIN)/litespan demo $(ARGS)

# Where to run it otherwise: make up COMPOSE="docker --context other compose"
COMPOSE ?= docker compose

up: ## Start Collector, Jaeger, Prometheus and Grafana (needs Docker) and wait until they are healthy
	@$(COMPOSE) version >/dev/null 2>&1 || { echo 'make up needs Docker with Compose ("$(COMPOSE)" does not run)' >&2; exit 1; }
	@$(COMPOSE) up --detach
	@$(PYTHON) tools/wait_healthy.py $(ARGS)

down: ## Stop them; what they stored stays
	@$(COMPOSE) version >/dev/null 2>&1 || { echo 'make down needs Docker with Compose ("$(COMPOSE)" does not run)' >&2; exit 1; }
	@$(COMPOSE) --profile demo down

test: lint type imports docstrings fast contract process money stack safety integration scale interop recent soak ## Run every check and every test (what CI runs)

lint: install ## Check style and formatting with ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

type: install ## Check types with mypy --strict
	$(BIN)/mypy $(TYPED)
	$(BIN)/mypy --python-version 3.11 dashboards

# Without its cache, which does not see that an import means another module once that module exists.
imports: install ## Check who imports whom
	$(BIN)/lint-imports --no-logo --no-cache

docstrings: install ## Check that everything public of the package has a docstring
	$(BIN)/interrogate src tools

# Other instrumentations exclude each other, so each set of them has a folder that is put on top of the
# environment. Their requirements are there already, or are named in the set; where the network is missing the
# tests are skipped.
SETS := tests/interop/requirements
INTEROP := $(patsubst $(SETS)/%.txt,$(VENV)/interop/%/.done,$(wildcard $(SETS)/*.txt))

$(VENV)/interop/%/.done: $(SETS)/%.txt | install
	@echo "Installing other instrumentations: $*"
	@rm -rf $(@D)
	-@$(PIP) install --no-deps --target $(@D) --requirement $< && touch $@

# Two processes: the tests wait for each other's answers as much as they compute.
PYTEST := $(BIN)/python -m pytest -n 2

# These wait the most.
fast: install ## Run the fast tests: unit and flow
	$(PYTEST) -n 3 tests/unit tests/flow $(ARGS)

contract: install ## Check what litespan relies on and promises: the adapter, the documents, the layout
	$(PYTEST) tests/contract $(ARGS)

process: install ## Run the tests that start processes: imports, exits, forks, commands
	$(PYTEST) tests/process $(ARGS)

money: install ## Check tokens and costs: a ledger of mixed calls, every provider, every price, mistakes are noticed
	$(PYTEST) tests/ledger $(ARGS)

# The real servers that tests start, from Go modules; nothing is done for what is built already.
backends: $(BIN)/python ## Build Jaeger, Prometheus, Kafka, the Collector and others for the tests (needs Go, Java)
	@$(BIN)/python -m tools.backends.build $(ARGS)

# Without Go or a network the tests that need them are skipped, except in continuous integration.
reach-backends: $(BIN)/python ## Build them if this machine can
	@$(BIN)/python -m tools.backends.build || test -z "$$CI"

integration: install reach-backends ## Run programs against a real Collector, Jaeger and Prometheus; longer: KILL_ROUNDS=20
	$(PYTEST) --dist loadfile tests/integration $(ARGS)

scale: install reach-backends ## Run agents, gateways, Kafka and Jaeger, kill each, check the files; longer: SCALE_SECONDS=600
	$(PYTEST) --dist loadfile tests/scale $(ARGS)

sizing: install ## Weigh what agents send, and write the tables of docs/scale.md
	@$(BIN)/python -m tools.sizing --measure --write $(ARGS)

stack: install reach-backends ## Check the stack's files: compose, configurations, provisioning, dashboards, rules
	$(PYTEST) tests/stack $(ARGS)

ledger: install ## Hold 10,000 mixed calls against the provider's ledger and print the table (minutes)
	@$(BIN)/python -m tests.ledger.run $(ARGS)
	@$(BIN)/python -m tests.ledger.run --calls 1000 --provider openai --provider together_ai

mutation: install ## Make one mistake after another in prices and usage, and print what notices each (minutes)
	@$(BIN)/python -m tests.ledger.mutate $(ARGS)

unit: install ## Run the unit tests only
	$(BIN)/python -m pytest tests/unit $(ARGS)

interop: install $(INTEROP) ## Run agents with other instrumentations on as well, each installed for real
	$(PYTEST) tests/interop $(ARGS)

flow: install ## Run whole agent runs over the fake provider only
	$(BIN)/python -m pytest tests/flow $(ARGS)

safety: install ## Check that nothing harms the program: faults, hostile values, secrets, fuzzed inputs
	$(PYTEST) tests/safety $(ARGS)

fuzz: install ## Give anything to all that reads, and print a table; longer: ARGS="--examples 100000"
	@$(BIN)/python -m tests.safety.fuzz $(ARGS)

outage: install ## Let a receiver be away for ten minutes under load, and count what arrives (long); a real one: ARGS=--collector
	$(BIN)/python -m tests.outage.run $(ARGS)

soak: install ## Cancel 2,000 runs and streams, then work for a minute while all fails; longer: ARGS="soak --seconds 1800"
	$(BIN)/python -m tests.soak.run $(ARGS)

bench: install ## Measure the CPU time that litespan adds to a run; shorter: ARGS=--quick
	$(BIN)/python -m benchmarks.run $(ARGS)

bench-instructions: install ## Count the machine instructions of the same with callgrind (needs valgrind; minutes)
	$(BIN)/python -m benchmarks.instructions $(ARGS)

bench-layers: install ## Count where a run's Python instructions go
	$(BIN)/python -m benchmarks.layers $(ARGS)

bench-memory: install ## Measure what 100,000 runs leave in memory (minutes, as the next three)
	$(BIN)/python -m benchmarks.memory $(ARGS)

bench-concurrency: install ## Measure what a run costs while thousands are open
	$(BIN)/python -m benchmarks.concurrency $(ARGS)

bench-scrape: install ## Measure what a scrape of Prometheus costs, also with every metric at its cap
	$(BIN)/python -m benchmarks.scrape $(ARGS)

bench-summary: install ## Measure how fast `litespan summary` reads
	$(BIN)/python -m benchmarks.summary $(ARGS)

recent: install ## Run the tests that depend on the hosts with the newest ones that were tried (minutes)
	@$(BIN)/python -m tools.matrix --set recent --no-write \
		--python "$$($(BIN)/python -c 'import platform; print(platform.python_version().rpartition(".")[0])')"

matrix: install ## Run the tests on old and new versions, on every Python here (long)
	@$(BIN)/python -m tools.matrix $(ARGS); result=$$?; $(BIN)/python -m tools.docs_tables; exit $$result

# One file for every Python from 3.10 and every system. Without --upgrade, only what is asked for anew is looked up.
lock: install ## Write constraints-dev.txt, every package of .venv, after a change in pyproject.toml; newer: ARGS=--upgrade
	$(BIN)/uv pip compile pyproject.toml --group dev --constraint constraints.txt --universal --python-version 3.10 \
		--no-emit-index-url --custom-compile-command "make lock" --quiet --output-file constraints-dev.txt $(ARGS)

fmt: install ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

dashboards: install ## Write the Grafana dashboards anew (needs Python 3.11)
	$(BIN)/python -m dashboards.build

docs: install ## Write the generated tables of the README anew
	$(BIN)/python -m tools.docs_tables

clean: ## Remove the virtual environment, caches and build results
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# A pip that knows dependency groups and build constraints (25.3 or newer) is not on every machine.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "litespan needs Python 3.10 or newer: make PYTHON=python3.x")'
	@echo "Making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade "pip>=25.3"

# One resolution for runtime and tools: in two, the second could change what the first chose.
$(VENV)/.dev: $(MANIFESTS) | $(BIN)/python
	@echo "Installing litespan and the development tools (about a minute)"
	@$(PIP) install --editable . --group dev --constraint constraints-dev.txt --build-constraint constraints-dev.txt
	@touch $@

$(VENV)/.runtime: $(MANIFESTS) | $(BIN)/python
	@echo "Installing litespan (about half a minute)"
	@$(PIP) install --editable . --constraint constraints-dev.txt --build-constraint constraints-dev.txt
	@touch $@
