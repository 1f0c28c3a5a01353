# Everything below works on a machine that has Python 3.10+ and a network: each target sets up what it needs.
# `make help` lists the targets.

AIRFLOW ?= 3.3
PYTHON ?= python3
PART ?=
ARGS ?=

ENV := .venvs/$(AIRFLOW)
RUN := $(CURDIR)/$(ENV)/bin/python
READY := $(ENV)/.ready
MUTANTS := .venvs/mutants
RELEASE := .venvs/release
UV := .venvs/tools/bin/uv
NODE := .venvs/tools/.node
PAGES := airflow_rerun_downstream/static/index.html

.PHONY: help setup ui check format test acceptance thorough bench mutants release demo screenshots compose-check constraints clean anew
.DEFAULT_GOAL := help

help: ## list the targets
	@$(PYTHON) dev/make_help.py $(MAKEFILE_LIST)

setup: $(READY) $(PAGES) ## make the environment and the web pages; AIRFLOW=3.1|3.2|3.3|3.4 names the Airflow, AIRFLOW=next the newest there is, PYTHON=python3.12 the Python

# Nothing here says whether there is a newer Airflow than the one in `.venvs/next`: that is brought up to date each time.
$(READY): pyproject.toml $(wildcard constraints/$(AIRFLOW)*.txt) dev/environment.py $(if $(filter next,$(AIRFLOW)),anew) | $(UV)
	$(PYTHON) dev/environment.py $(AIRFLOW)
	@touch $@

$(UV): # by itself: with `make -j2 setup`, two would make it at once
	$(PYTHON) dev/environment.py tools

ui: $(PAGES) ## build the web pages; Node comes as a Python wheel

$(NODE): dev/environment.py | $(UV)
	$(PYTHON) dev/environment.py node
	@touch $@

$(PAGES): $(NODE) $(wildcard ui/*.*) $(shell find ui/src ui/public -type f)
	.venvs/tools/bin/python ui/node.py build
	@touch $@

check: $(READY) $(NODE) ## style, types and the import contracts, of Python and of the pages
	$(RUN) -m dev.check

format: $(READY) $(NODE) ## let ruff and prettier rewrite what they can
	$(RUN) -m ruff check --fix-only .
	$(RUN) -m ruff format .
	.venvs/tools/bin/python ui/node.py format

test: $(READY) $(PAGES) ## the suites without a live Airflow, then the live stories; PART=quick|live; with AIRFLOW=3.1, 3.2, 3.4 or next, too
	$(RUN) -m dev.run_tests suites $(if $(PART),--part "$(PART)") $(ARGS)

acceptance: $(READY) $(PAGES) ## what the issues must show, on live Airflows; PART=name picks tests/acceptance/test_name*.py, PART="one two" several
	$(RUN) -m dev.run_tests acceptance $(if $(PART),--part "$(PART)") $(ARGS)

thorough: $(READY) $(PAGES) ## what takes too long for every change; PART=name picks tests/thorough/test_name*.py
	$(RUN) -m dev.run_tests thorough $(if $(PART),--part "$(PART)") $(ARGS)

bench: $(READY) ## the benchmarks, on PostgreSQL
	$(RUN) -m dev.run_tests bench $(ARGS)

$(MUTANTS)/.ready: pyproject.toml $(wildcard constraints/$(AIRFLOW)*.txt) dev/environment.py | $(UV)
	$(PYTHON) dev/environment.py $(AIRFLOW) --mutants
	@touch $@

mutants: $(MUTANTS)/.ready ## does a test fail when the code is changed? ARGS="--sample 60 --seed 1"
	$(CURDIR)/$(MUTANTS)/bin/python -m dev.mutants $(ARGS)

$(RELEASE)/.ready: pyproject.toml dev/environment.py | $(UV)
	$(PYTHON) dev/environment.py release
	@touch $@

release: $(RELEASE)/.ready ## build both distributions from a clean clone, check and install them: everything but the upload; ARGS="--sign KEY"
	$(CURDIR)/$(RELEASE)/bin/python -m dev.release --airflow $(AIRFLOW) $(ARGS)

demo: $(READY) $(PAGES) ## a terminal story on a real Airflow; ARGS=--exit ends by itself
	$(RUN) -m dev.demo $(ARGS)

screenshots: $(READY) $(PAGES) ## take the pictures of the pages for docs/images, on a real Airflow
	$(RUN) -m dev.screenshots $(ARGS)

compose-check: $(READY) ## is dev/docker-compose.yaml valid?
	$(RUN) -m dev.compose_check

constraints: ## resolve anew and write constraints/; AIRFLOW=3.2 names the Airflow
	$(PYTHON) dev/environment.py $(AIRFLOW) --repin

clean: ## remove the environments, reports and caches
	rm -rf airflow_rerun_downstream/static ui/node_modules .venvs .mutants .reports .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
