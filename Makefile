# `make demo` and `make test` are all a newcomer needs: each makes its own environment from a bare Python 3.11.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
UV := $(shell command -v uv 2>/dev/null)
DEMO_ARGUMENTS = $(if $(ONCE),--once) $(if $(FRESH),--fresh) $(if $(FOLDER),--folder $(FOLDER)) $(if $(PORT),--port $(PORT))

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-browser test-example test-kill soak fuzz audit-http screenshots lint format bench constraints sdl clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(STAMP) ## a whole hub on a simulated company; ONCE=1 prints a summary and ends, FRESH=1 starts from nothing
	@$(BIN)/cshub demo $(DEMO_ARGUMENTS)

test: $(STAMP) ## the whole suite, on SQLite and on PostgreSQL
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

test-long: $(STAMP) ## what starts whole demos and processes of the hub, and every connector with everything going wrong
	$(BIN)/pytest -m long -n auto --dist worksteal $(ARGS)

test-browser: $(STAMP) ## the dashboard in Chromium: a morning's work on the demo, and every page for everybody; needs Chromium
	$(BIN)/pytest -m browser $(ARGS)

test-example: $(STAMP) ## builds the frontend of examples/ and uses it in Chromium against a real hub; needs node, npm and Chromium
	$(BIN)/pytest -m example $(ARGS)

test-kill: $(STAMP) ## kills syncs and the demo at random moments, and compares with an undisturbed run; some minutes
	$(BIN)/pytest -m kill -n auto $(ARGS)

soak: $(STAMP) ## ten minutes of anything going wrong with all connectors; SECONDS=60 or TURNS=500 for less, SEED=7 for the same again, ONLY=hubspot
	$(if $(SECONDS),CSHUB_TEST_SOAK_SECONDS=$(SECONDS)) $(if $(SEED),CSHUB_TEST_SOAK_SEED=$(SEED)) \
	  $(if $(TURNS),CSHUB_TEST_SOAK_TURNS=$(TURNS)) $(if $(ONLY),CSHUB_TEST_SOAK_ONLY="$(ONLY)") \
	  $(BIN)/pytest -m soak -q tests/connectors/test_soak.py $(ARGS)

fuzz: $(STAMP) ## ten minutes of made-up operations against a real server; SECONDS=60 for less, ROLE=viewer for another token
	$(BIN)/python -m tests.audits.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ROLE),--role $(ROLE))

audit-http: $(STAMP) ## the public audit suite for GraphQL over HTTP; needs node and npm
	$(BIN)/python -m tests.audits.http

screenshots: $(STAMP) ## pictures of every page of the dashboard on the demo, into build/screenshots; needs Chromium
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

lint: $(STAMP) ## style, import contracts, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(STAMP) ## put the code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## rows a second and peak memory of sync, scoring and the daily run; health and churn against the bare arithmetic
	$(BIN)/python -m bench.sync
	$(BIN)/python -m bench.mixpanel
	$(BIN)/python -m bench.tracking
	$(BIN)/python -m bench.scoring
	$(BIN)/python -m bench.churn
	$(BIN)/python -m bench.daily
	$(BIN)/python -m bench.watch
	$(BIN)/python -m bench.playbooks
	$(BIN)/python -m bench.lifecycle
	$(BIN)/python -m bench.delivery
	$(BIN)/python -m bench.graphql
	$(BIN)/python -m bench.dashboard
	$(BIN)/python -m bench.subscriptions
	$(BIN)/python -m bench.webhooks

sdl: $(STAMP) ## write schema/schema.graphql anew
	$(BIN)/python -m schema.sdl

constraints: ## pin every dependency anew, with hashes (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header --upgrade --quiet --output-file constraints.txt

clean: ## remove what the targets made
	rm -rf .venv .demo .bench .data dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(STAMP): constraints.txt pyproject.toml
ifdef UV
	uv venv --quiet --allow-existing --python $(PYTHON) .venv
	uv pip install --quiet --python $(BIN)/python --require-hashes --requirement constraints.txt
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
else
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif
	@touch $(STAMP)
