# The same verbs for people and CI. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_RUNS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup tools demo test test-all chaos check bench build plan package remove clean

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the environment in .venv; the system's Python is not changed

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 setup")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (half a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable . # the command claude-bridge
	@touch $(STAMP)

demo: setup ## a month of simulated tenant activity through the production code, queried in KQL (DEMO_ARGS="--once --json FILE")
	@$(BIN)/python -m sandbox demo $(DEMO_ARGS)

test: setup tools check ## the quick tests: long tests are sampled by a seed (CHAOS_SEED=n repeats it); six minutes on two cores
	@$(BIN)/python -m pytest -n auto $(TEST_ARGS)

test-all: setup tools check ## all tests: all mutants, all cases, long soaks; weekly in CI
	@$(BIN)/python -m pytest -n auto --all $(TEST_ARGS)

chaos: setup tools ## only the fault tests of test-all: kills, throttling, floods (about three minutes)
	@$(BIN)/python -m pytest -n auto --all tests/chaos

tools: setup ## test dependencies from npm and pip; lists what is installed
	@if command -v npm >/dev/null; then \
	  test node_modules/.installed -nt package-lock.json || { \
	    echo "installing into node_modules"; npm ci --silent --no-audit --no-fund && touch node_modules/.installed; }; fi
	@$(BIN)/python -c 'import azure_functions_runtime' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python \
	    azure-functions-runtime==1.3.0 azurefunctions-extensions-base==1.2.0
	@$(BIN)/python -m tools doctor

check: setup tools ## formatting, lint, types, layers, words, generated files
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools words
	@$(BIN)/python -m tools build --check

bench: setup ## measure, compare, write bench/REPORT.md (half an hour; BENCH_RUNS=1 is faster but less precise)
	@$(BIN)/python -m bench.run --runs $(BENCH_RUNS)
	@$(BIN)/python -m bench.compare --runs $(BENCH_RUNS)
	@$(BIN)/python -m bench.report

build: setup ## build everything that is generated and committed: content, workbook, reference pages, templates
	@$(BIN)/python -m tools build

plan: setup ## what a deployment would create or change, and the permissions required (PLAN_ARGS="FILE.bicepparam -g GROUP")
	@$(BIN)/python -m tools infra plan $(PLAN_ARGS)

package: setup ## build/bridge.zip: the app with all its wheels, the same bytes each time (PACKAGE_ARGS="--python 3.13")
	@$(BIN)/python -m tools infra package $(PACKAGE_ARGS)

remove: setup ## what removing would take away, in which order; takes nothing (REMOVE_ARGS="FILE.bicepparam -g GROUP")
	@$(BIN)/python -m tools infra remove --plan $(REMOVE_ARGS)

clean: ## remove what was built; the environment stays
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
