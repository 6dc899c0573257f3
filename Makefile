# Báo Danh. Bare `make` lists what can be done.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
PYTHON ?= python3
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml

.PHONY: help run test proofs bench lint lock format clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# -I: nothing of the folder we stand in, nor of the user's Python settings, takes part.
.venv/.run-ready: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -I server/environment.py .venv requirements.lock
	@touch $@

.venv/.test-ready: requirements.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -I server/environment.py .venv requirements-dev.lock
	@touch .venv/.run-ready $@

run: .venv/.run-ready ## install what is needed, then show the product working with a fictional department
	@$(BIN)/baodanh run --attached

test: .venv/.test-ready ## prove it: lint, types, arrows and every test, Chromium included
	@$(BIN)/python tests/install_browser.py
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

proofs: .venv/.test-ready ## the long demonstrations: make proofs NAME=every-row FILE=results.csv
	@FILE="$(FILE)" $(BIN)/python -m tests.proofs $(NAME)

bench: .venv/.test-ready ## measure imports, starts, tests and sealed files; writes docs/benchmarks.md
	@$(BIN)/python -m tests.bench $(NAME)

lint: .venv/.test-ready ## ruff, pyright and the arrows between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-cache

format: .venv/.test-ready ## let ruff write the layout
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: .venv/.test-ready ## write the lock files anew from pyproject.toml
	@$(COMPILE) -o requirements.lock
	@$(COMPILE) --group dev -o requirements-dev.lock

clean: ## remove the environment and caches; data in .state stays
	rm -rf .venv *.egg-info .ruff_cache .pytest_cache .hypothesis .import_linter_cache
