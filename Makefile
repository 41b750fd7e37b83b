.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test test-pool check format lint types imports bench bench-storm bench-lists bench-growth bench-import openapi errors lock clean fuzz exam-day
PYTHON ?= python3
PORT ?= 8000
JSON ?= .bench/latest.json
BIN := .venv/bin
# A module of tests stays in one process, so that it makes what its tests share once; the long ones begin first.
# Three processes for two cores, because many tests wait for other processes.
IN_PARALLEL := -n 3 --dist loadscope --no-loadscope-reorder
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement
EDITABLE := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

setup: .venv/run.done ## Create .venv with what the server needs
setup-dev: .venv/dev.done ## Create .venv with the test and check tools too

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.done: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "Installing what the server needs (once, about 20 seconds) …"
	@$(INSTALL) requirements/run.txt && $(EDITABLE) && touch $@

.venv/dev.done: requirements/dev.txt pyproject.toml | .venv/bin/python
	@echo "Installing the server, its tests and its tools (once, about 40 seconds) …"
	@$(INSTALL) requirements/dev.txt && $(EDITABLE) && touch $@ .venv/run.done

run: setup ## Serve on http://127.0.0.1:8000 with an embedded PostgreSQL and demo content (PORT=8123 for another port)
	@exec $(BIN)/ace serve --demo --port $(PORT)

test: setup-dev ## Run every test against a real PostgreSQL
	$(BIN)/python -m pytest $(IN_PARALLEL)

test-pool: setup-dev ## Run every test without shared connections
	TEST_MULTIPLEX=off $(BIN)/python -m pytest $(IN_PARALLEL)

check: format lint types imports test ## Everything that must be green before a commit

format: setup-dev ## Verify the formatting (ruff format . to mend it)
	$(BIN)/ruff format --check .

lint: setup-dev ## Lint
	$(BIN)/ruff check .

types: setup-dev ## Type-check with mypy --strict and pyright
	$(BIN)/mypy && $(BIN)/basedpyright

imports: setup-dev ## Verify the import contracts
	$(BIN)/lint-imports

bench: setup-dev ## Measure the main operations against the limit that PostgreSQL itself sets (JSON=file for the figures)
	$(BIN)/python -m benchmarks --json $(JSON)

bench-storm: setup-dev ## Send the heartbeats of 100,000 candidates for a minute
	$(BIN)/python -m benchmarks.storm --json $(basename $(JSON))-storm.json

bench-lists: setup-dev ## Check and time every list among a million questions
	$(BIN)/python -m benchmarks.lists

bench-growth: setup-dev ## Compare the hot operations among 1,000 sessions and questions with those among 1,000,000
	$(BIN)/python -m benchmarks.growth

bench-import: setup-dev ## Import a million questions and tell rows a second, memory and progress
	$(BIN)/python -m benchmarks.importing

openapi: setup-dev ## Regenerate openapi/openapi.json and docs/errors.md
	$(BIN)/ace openapi --output openapi/openapi.json && $(BIN)/ace errors --output docs/errors.md

fuzz: setup-dev ## Fuzz the HTTP API from its OpenAPI document with schemathesis
	$(BIN)/python -m tests.support.fuzz

exam-day: setup-dev ## Sit exams while server and database are killed, then hand in all at once, and judge what is left
	$(BIN)/python -m tests.exam_day

lock: setup-dev ## Resolve the dependencies anew into requirements/*.txt
	$(BIN)/python scripts/lock.py

clean: ## Remove everything that is not in version control
	rm -rf .venv .data .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist
