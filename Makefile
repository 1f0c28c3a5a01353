# Everything below works on a machine that has Python 3.10+ and a network: each target sets up what it needs.
# `make help` lists the targets.

AIRFLOW ?= 3.3
PYTHON ?= python3
PART ?=
ARGS ?=

ENV := .venvs/$(AIRFLOW)
RUN := $(CURDIR)/$(ENV)/bin/python
READY := $(ENV)/.ready

.PHONY: help setup check format test acceptance bench demo compose-check constraints clean
.DEFAULT_GOAL := help

help: ## list the targets
	@$(PYTHON) dev/make_help.py $(MAKEFILE_LIST)

setup: $(READY) ## make the environment; AIRFLOW=3.1|3.2|3.3 names the Airflow, PYTHON=python3.12 the Python

$(READY): pyproject.toml $(wildcard constraints/$(AIRFLOW)*.txt) dev/environment.py
	$(PYTHON) dev/environment.py $(AIRFLOW)
	@touch $@

check: $(READY) ## style, types and the import contracts
	$(RUN) -m dev.check

format: $(READY) ## let ruff rewrite what it can
	$(RUN) -m ruff check --fix-only .
	$(RUN) -m ruff format .

test: $(READY) ## the suites without a live Airflow, then the live stories; AIRFLOW=3.1 and 3.2 too
	$(RUN) -m dev.run_tests suites $(ARGS)

acceptance: $(READY) ## what the issues must show, on live Airflows; PART=name picks tests/acceptance/test_name*.py
	$(RUN) -m dev.run_tests acceptance $(if $(PART),--part $(PART)) $(ARGS)

bench: $(READY) ## the benchmarks, on PostgreSQL
	$(RUN) -m dev.run_tests bench $(ARGS)

demo: $(READY) ## a terminal story on a real Airflow; ARGS=--exit ends by itself
	$(RUN) -m dev.demo $(ARGS)

compose-check: $(READY) ## is dev/docker-compose.yaml valid?
	$(RUN) -m dev.compose_check

constraints: ## resolve anew and write constraints/; AIRFLOW=3.2 names the Airflow
	$(PYTHON) dev/environment.py $(AIRFLOW) --repin

clean: ## remove the environments, reports and caches
	rm -rf .venvs .reports .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
