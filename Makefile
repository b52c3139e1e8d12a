# What a person and CI both call. `make` alone lists the targets.
#
# Everything is installed into this folder: uv into .uv/ (unless there is one on PATH), Python
# packages into .venv/, in exactly the versions and files that requirements.lock names.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
BIN := .venv/bin
STAMP := .venv/.synced

# The interpreter is the one named, never one that uv finds or fetches by itself.
export UV_PYTHON_DOWNLOADS := never
# Where the cache lies on another disk, files are copied, and that is no news.
export UV_LINK_MODE ?= copy

.PHONY: help setup demo test test-slow faults mutation campaign check bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## install into .venv what requirements.lock names, and trancher itself

demo: setup ## show trancher at work on a simulated market
	@$(BIN)/trancher demo

test: check ## the checks, then the tests; the core must be covered to the last branch
	@echo "== tests of the core, by which every line and branch of it must be covered"
	@$(BIN)/pytest -q -n auto -m "not slow" --hypothesis-profile=test --cov --cov-report= tests/core
	@$(BIN)/coverage report --fail-under=100
	@echo "== tests of everything else"
	@$(BIN)/pytest -q -n auto -m "not slow" --hypothesis-profile=test --ignore=tests/core

# pytest exits 5 when it collects nothing: said plainly, and no failure while there is nothing.
test-slow: setup chromium ## the tests that take minutes, and 1,000 examples of the core's laws
	@echo "== laws of the core, each on 1,000 examples"
	@$(BIN)/pytest -q -n auto -m "hypothesis and not slow" --hypothesis-profile=ci tests/core
	@echo "== the tests that take minutes"
	@if [ ! -d tests/slow ]; then echo "no slow tests yet: there is no tests/slow"; exit 0; fi; \
	status=0; $(BIN)/pytest -q -m slow --hypothesis-profile=ci tests/slow || status=$$?; \
	if [ $$status -eq 5 ]; then echo "no slow tests yet: tests/slow holds none"; exit 0; fi; \
	exit $$status

# The report is opened in Debian's browser; nobody skips that because the browser is missing.
.PHONY: chromium
chromium:
	@[ -x /usr/bin/chromium ] || { \
	  echo "== chromium from apt, for the tests of pages"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }

faults: setup ## stop a server 60 times, cut 200 commits, kill 100 backtests, 40 upgrades (an hour)
	@TRANCHER_FAULTS=10 $(BIN)/pytest -q -m slow tests/slow/test_server_faults.py \
	  tests/slow/test_steps_faults.py tests/slow/test_store.py tests/slow/test_upgrade.py
.PHONY: limits
limits: setup ## eight processes ask at once, 200 rounds a limit; 1,000 take-overs (an hour)
	@TRANCHER_ROUNDS=200 $(BIN)/pytest -q -s -m slow tests/slow/test_limits_shared.py \
	  tests/slow/test_take_overs.py tests/slow/test_midnight_shared.py

mutation: setup ## break the arithmetic of the core on purpose; the tests must notice (minutes)
	@$(BIN)/python tools/mutation.py

# PROPERTIES=tests/core/test_walks.py asks for one file; all of them take two cores some 80 minutes.
PROPERTIES ?= tests/core
campaign: setup ## every property of the core, on 100,000 examples each (an hour or more)
	@$(BIN)/pytest -q -n 2 --dist load -m hypothesis --hypothesis-profile=campaign --durations=0 \
	  $(PROPERTIES)

# Two at a time: types take the longest, and the others are done by then.
check: setup ## lint, format, types, import contracts, docs
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target \
	  check-types check-lint check-imports check-docs
.PHONY: check-types check-lint check-imports check-docs
check-types:
	@echo "== types";            $(BIN)/mypy src tests $(wildcard bench tools)
check-lint:
	@echo "== lint";             $(BIN)/ruff check --quiet .
	@echo "== format";           $(BIN)/ruff format --check --quiet .
check-imports:
	@echo "== import contracts"; \
	said=$$($(BIN)/lint-imports --no-cache 2>&1) || { echo "$$said"; exit 1; }; \
	tail -n 1 <<< "$$said"
check-docs:
	@echo "== docs";             $(BIN)/python tools/docs.py --check; $(BIN)/python tools/plots.py --check

# SLOW=1 measures freqtrade as well, which takes minutes.
bench: setup ## measure against peers; jumping, books on disk, memory, signals, patterns
	@$(BIN)/python bench/run.py $(if $(SLOW),--slow)
	@echo; $(BIN)/python bench/frequencies.py
	@echo; $(BIN)/python bench/disk.py
	@echo; $(BIN)/python bench/memory.py
	@echo; $(BIN)/python bench/signals.py
	@echo; $(BIN)/python bench/patterns.py
	@echo; PYTHONPATH=tests $(BIN)/python bench/durable.py

.PHONY: scale
scale: setup ## 10,000 bots and 1,000,000 fills: how the books grow, and how they answer (hours)
	@PYTHONPATH=tests $(BIN)/python bench/scale.py --bots 10000 --fills 100 $(if $(SERVER),--server)

lock: .uv-ready ## resolve pyproject.toml anew into requirements.lock
	@{ \
	  echo "# Every package Trancher runs and is tested with, by version and hash."; \
	  echo "# Made from pyproject.toml by \`make lock\`; not edited by hand."; \
	  $(UV) pip compile pyproject.toml --group dev --all-extras --universal \
	    --python-version 3.11 --generate-hashes --upgrade --no-emit-index-url --no-annotate \
	    --no-header --quiet; \
	} > requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean: ## remove all that make made, .venv and .uv included
	@rm -rf .venv .uv .bench build dist htmlcov mutants .coverage .coverage.* requirements.lock.new \
	  .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find src tests bench tools -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The build backend comes from the lock as well, so nothing is built with unpinned code.
$(STAMP): requirements.lock pyproject.toml | .uv-ready
	@echo "== setup: .venv from requirements.lock"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Trancher needs Python 3.11 or newer: make setup PYTHON=python3.x" >&2; exit 1; }
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: .uv-ready
.uv-ready:
	@command -v $(UV) >/dev/null || { \
	  echo "== setup: uv into .uv"; \
	  $(PYTHON) -m venv .uv; \
	  .uv/bin/pip install --quiet --disable-pip-version-check uv; }
