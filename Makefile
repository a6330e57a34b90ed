# Two commands: `make dev` runs the sample app with the local stack, `make test` runs every test.
# They need python3 (3.11 or newer) and make; npm, Chromium and the Google Cloud SDK are used when found.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUNDLED := .venv-bundled
NPM := $(shell command -v npm 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help dev test lint format bench chaos clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

dev: $(VENV)/.runs $(if $(NPM),node_modules/.ready)  ## Run sample_app with the local stack; prints one URL to open (options: ARGS='--port 8090')
	@$(if $(or $(NPM),$(wildcard node_modules/pusher-js)),,echo "npm is not installed: the page loads pusher-js from Pusher's CDN, for which it needs the internet.")
	@$(BIN)/gae-pusher dev $(ARGS)

test: $(VENV)/.ready $(BUNDLED)/.ready $(if $(NPM),node_modules/.ready tests/node/node_modules/.ready)  ## Run every test; what needs a missing program is skipped and says so
	$(BIN)/python -m pytest $(ARGS)
	$(BUNDLED)/bin/python -m pytest tests/bundled

lint: $(VENV)/.ready  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready  ## Put the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.ready  ## Measure side by side with the official package and print tables
	$(BIN)/python -m benchmarks $(ARGS)

chaos: $(VENV)/.ready  ## Kill 1,000 processes at random points and prove that no committed event is lost
	$(BIN)/python -m tests.system.chaos $(ARGS)

clean:  ## Remove everything that these commands made
	rm -rf $(VENV) $(BUNDLED) node_modules tests/node/node_modules .gae_pusher artifacts build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gae_pusher needs Python 3.11 or newer: make PYTHON=python3.13 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "python3 cannot make a virtual environment: on Debian, apt install python3-venv"; exit 1; }

$(VENV)/.runs: $(VENV)/bin/python pyproject.toml requirements.txt
	@echo 'Installing what the sample app and the local stack need, once...'
	@$(BIN)/python -m pip install --quiet --editable '.[emulators]' --requirement requirements.txt
	@touch $@

$(VENV)/.ready: $(VENV)/bin/python pyproject.toml
	@echo 'Installing everything for development, once...'
	@$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

# appengine-python-standard pins urllib3 below 2, so the bundled services have an environment of their own.
$(BUNDLED)/.ready: pyproject.toml
	@echo 'Installing the environment of the bundled services, once...'
	@$(PYTHON) -m venv $(BUNDLED)
	@$(BUNDLED)/bin/python -m pip install --quiet --editable . 'appengine-python-standard>=3.1' 'pytest>=8.2' 'trustme>=1.1'
	@touch $@

%/node_modules/.ready: %/package-lock.json
	npm ci --prefix $* --no-audit --no-fund --loglevel=error
	@touch $@

node_modules/.ready: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@
