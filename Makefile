# `make test` on a fresh machine is all it takes: it makes .venv, checks style and types, and runs the tests.
# Needs Python 3.11 or newer and make; Node for the interop tests comes as a wheel.

SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
TS := tests/interop/ts
CLI := tests/interop/cli
PAGE := tests/page
TYPING := tests/typing
REFERENCE := .tools/reference
REFERENCE_SERVER := @restatedev/restate-server@1.7.12
# node and npm from the wheel come before what the machine may have.
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --no-audit --no-fund --no-update-notifier --loglevel=error --fetch-retries=1

.PHONY: help setup lock dev test lint types docs bench bench-introspection bench-page screenshots crash interop-reference clean

help: ## Lists the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

setup: $(VENV)/.installed $(TS)/node_modules/.installed $(CLI)/node_modules/.installed $(PAGE)/node_modules/.installed $(TYPING)/node_modules/.installed ## Makes .venv and fetches what the tests need

$(VENV)/.installed: requirements.lock pyproject.toml scripts/make_venv.sh
	scripts/make_venv.sh $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	touch $@

# Without a package registry for npm the tests of these three skip themselves, or fail where CI is set; all others still run.
$(TS)/node_modules/.installed: $(TS)/package.json $(TS)/package-lock.json $(VENV)/.installed
	cd $(TS) && { $(NPM) ci && touch node_modules/.installed; } || \
	  echo "setup: the TypeScript SDK could not be installed; its tests will be skipped, or fail where CI is set" >&2

$(CLI)/node_modules/.installed: $(CLI)/package.json $(CLI)/package-lock.json $(VENV)/.installed
	cd $(CLI) && { $(NPM) ci && touch node_modules/.installed; } || \
	  echo "setup: the official command line could not be installed; its tests will be skipped, or fail where CI is set" >&2

$(TYPING)/node_modules/.installed: $(TYPING)/package.json $(TYPING)/package-lock.json $(VENV)/.installed
	cd $(TYPING) && { $(NPM) ci && touch node_modules/.installed; } || \
	  echo "setup: pyright could not be installed; its tests will be skipped, or fail where CI is set" >&2

# What the web page is checked with: a type checker, an accessibility checker and a browser.
$(PAGE)/node_modules/.installed: $(PAGE)/package.json $(PAGE)/package-lock.json $(VENV)/.installed scripts/get_browser.sh
	scripts/get_browser.sh
	cd $(PAGE) && { $(NPM) ci && touch node_modules/.installed; } || \
	  echo "setup: the checkers of the web page could not be installed; its tests will be skipped, or fail where CI is set" >&2

lock: $(VENV)/.installed ## Pins the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade --no-header -o requirements.lock

dev: setup ## Runs the coding agent example on http://localhost:8080; DEV="…" adds options
	$(BIN)/perdure dev examples/coding_agent/agent.py $(DEV)

test: setup lint types docs ## Everything a change must pass
	$(PYTEST) -n $(WORKERS)

lint: setup ## Style, direction of imports, tidiness
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(PYTEST) -q tests/test_tidy.py
	$(BIN)/node $(PAGE)/node_modules/typescript/bin/tsc -p $(PAGE)/tsconfig.json

types: setup ## mypy, strict
	$(BIN)/mypy

# Always from the beginning: what a page that did not change was warned about would be forgotten.
docs: setup ## Builds the documentation into build/docs; what leads nowhere is an error
	$(BIN)/python scripts/check_docs.py
	$(BIN)/python -m sphinx -c docs/site -b html -nWqE --keep-going -d build/docs-cache . build/docs
	$(BIN)/python scripts/check_docs.py build/docs

bench: setup ## Measures; see benchmarks/
	$(BIN)/python benchmarks/run.py

bench-introspection: setup ## Measures SQL queries, and what they cost the rest
	$(BIN)/python benchmarks/introspection.py

bench-page: setup ## Measures how smooth the web page is
	$(BIN)/python benchmarks/page.py

screenshots: setup ## Takes the pictures in docs/images
	$(BIN)/python scripts/screenshots.py

crash: setup ## Long runs that kill processes at random moments
	$(PYTEST) -m "crash or soak" --timeout 900

interop-reference: setup $(REFERENCE)/.installed ## Runs our side against the official server
	@server=$(CURDIR)/$(REFERENCE)/node_modules/.bin/restate-server; if [ -x $$server ]; then \
	  PERDURE_REFERENCE_SERVER=$$server $(PYTEST) -m reference -n $(WORKERS); \
	else echo "interop-reference: skipped, because npm could not install the official server" >&2; fi

$(REFERENCE)/.installed: $(VENV)/.installed
	mkdir -p $(REFERENCE)
	cd $(REFERENCE) && echo '{"private":true}' >package.json && \
	  { $(NPM) install --save-exact $(REFERENCE_SERVER) && touch .installed; } || true

clean: ## Removes what the targets above made
	rm -rf $(VENV) .tools $(TS)/node_modules $(CLI)/node_modules $(PAGE)/node_modules $(TYPING)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
