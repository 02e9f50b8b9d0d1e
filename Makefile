# `make` alone tells what there is. Everything stays inside this folder: .venv (programs), var (data, logs, caches).
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
PY := .venv/bin/python
VAR := $(or $(LABDB_VAR),$(CURDIR)/var)
SERVE ?= 1
PORT ?=
ARGS ?=
export XDG_CACHE_HOME := $(VAR)/cache
export MPLCONFIGDIR := $(VAR)/cache/matplotlib

.PHONY: help env demo up down test stress bench check fix lock

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

env: ## make .venv, when it is missing or requirements.lock changed
	@sh labdb/supervisor/bootstrap.sh

demo: env ## load the demo study and serve it until Ctrl-C (SERVE=0: load, show, stop; PORT=…)
	@exec $(PY) manage.py demo $(if $(filter 0,$(SERVE)),--no-serve) $(if $(PORT),--port $(PORT)) $(ARGS)

up: env ## serve the laboratory's own data until Ctrl-C (PORT=…)
	@exec $(PY) manage.py up $(if $(PORT),--port $(PORT)) $(ARGS)

down: env ## stop what `make up` or `make demo` started
	@exec $(PY) manage.py down

test: env ## run all tests against servers of their own (ARGS="-k word")
	@$(PY) -m pytest -q -n logical --dist worksteal $(ARGS)

stress: env ## the long tests
	@$(PY) -m pytest -q -m stress $(ARGS)

bench: env ## measure the loads of the bench
	@exec $(PY) -m tests.bench $(ARGS)

check: env ## style, types, who imports whom, missing migrations
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy --no-error-summary
	@.venv/bin/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
	@$(PY) manage.py makemigrations --check --dry-run -v 1
	@echo "style, types, imports and migrations are in order"

fix: env ## correct the style where a program can
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format --quiet .

lock: env ## resolve pyproject.toml again into requirements.lock
	@UV_CACHE_DIR="$${UV_CACHE_DIR:-$(VAR)/cache/uv}" .venv/bootstrap/bin/uv pip compile pyproject.toml --group dev --universal --generate-hashes \
	  --no-emit-index-url --no-header --python-version 3.11 --quiet -o requirements.lock
