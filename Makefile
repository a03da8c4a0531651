# The same verbs for people and CI. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup tools demo test chaos check bench reference clean

help: ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP) ## make the environment in .venv; the system's Python stays untouched

$(STAMP): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 setup")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (half a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $(STAMP)

demo: setup ## a simulated tenant's month through the real code, answered in KQL (DEMO_ARGS="--once --json FILE")
	@$(BIN)/python -m sandbox demo $(DEMO_ARGS)

test: setup tools check ## everything that must hold
	@$(BIN)/python -m pytest -n auto $(TEST_ARGS)

chaos: setup tools ## kill it, starve it, flood it (about three minutes; CHAOS_SEED=n repeats a session)
	@$(BIN)/python -m pytest -n auto tests/chaos

tools: ## what the tests need besides Python: Microsoft's storage emulator and Functions worker library
	@if command -v npm >/dev/null; then \
	  test node_modules/.installed -nt package-lock.json || { \
	    echo "installing Azurite into node_modules"; npm ci --silent --no-audit --no-fund && touch node_modules/.installed; }; \
	else echo "!! npm is missing: the tests against Azurite will be SKIPPED (install node 20 and npm)"; fi
	@$(BIN)/python -c 'import azure_functions_runtime' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --ignore-requires-python \
	    azure-functions-runtime==1.3.0 azurefunctions-extensions-base==1.2.0

check: setup ## formatting, lint, types, layers, generated files
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m docs.tools.build_reference --check

bench: setup ## measure; writes build/bench.json (BENCH_ARGS="--runs 3")
	@$(BIN)/python -m bench.run $(BENCH_ARGS)

reference: setup ## render docs/reference/ anew from tables, settings and catalogue
	@$(BIN)/python -m docs.tools.build_reference

clean: ## remove what was built; the environment stays
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis
