.PHONY: setup demo test test-fast check bench eval docs
SHELL := /bin/sh
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo .venv/bin/uv)
RUN := $(UV) run --locked --all-extras --no-progress

setup: ## everything the other targets need, locked
	@command -v uv >/dev/null 2>&1 || test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/pip install --quiet uv; }
	@$(UV) sync --locked --all-extras --inexact --quiet

demo: setup ## the main job on an embedded Kafka and Redis; KEEP=1 leaves it running
	@$(RUN) chatguard demo $(if $(KEEP),--keep)

test: setup ## every test, on the embedded services
	@$(RUN) pytest

test-fast: setup ## the tests that need no service
	@$(RUN) pytest -m "not services"

check: setup ## format, lint, types, architecture, generated files
	@$(RUN) ruff format --check . && $(RUN) ruff check . && $(RUN) mypy
	@$(RUN) pytest -q tests/core/test_architecture.py

bench: setup ## speed, as ratios in one run; writes docs/performance.md
	@$(RUN) python -m tests.bench

eval: setup ## what the fraud rules find of the corpus, and what they say of harmless talk
	@$(RUN) python -m tests.eval

docs: setup ## the pages and the AsyncAPI document that are made from code
	@$(RUN) python -m processor.ops.pages && $(RUN) chatguard topics asyncapi > topics/asyncapi.yaml
