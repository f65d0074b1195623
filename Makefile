# `make demo` and `make test` create .venv as needed; `make help` lists all targets.
# ARGS='...' is passed to the program; docs/install.md lists the options of the set-up.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.10 python3; do \
	$$p -c '' 2>/dev/null && { echo $$p; break; }; done)
TORCH ?= 2.13.*
EXTRA ?= lite
INSTALLER ?= uv
VENV_PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo docs notebook test test-slow faults tables lint format clean

help:
	@echo 'make demo       make a small data set, distil on it, print the table (minutes; see docs)'
	@echo 'make test       lint, type check and tests, without the slow ones'
	@echo 'make test-slow  the slow tests'
	@echo 'make docs       the documentation site in site/, which stops at any warning; runs the notebook shortened'
	@echo 'make notebook   run the notebook and store its outputs'
	@echo 'make faults     the fault suite, quick and slow; prints a table: fault, expected, seen'
	@echo 'make tables     update the tables in README and docs from their records'
	@echo 'make lint       ruff, mypy and import-linter'
	@echo 'make format     format and fix the code with ruff'
	@echo 'make setup      create the virtual environment (all others do so first)'
	@echo 'make clean      remove .venv, caches and build folders'

setup:
	@test -n '$(PYTHON)' || { echo 'Set-up stopped: no python3 found. Install Python 3.10 to 3.13 first.' >&2; exit 1; }
	@$(PYTHON) tools/dev/bootstrap.py --torch='$(TORCH)' --extra='$(EXTRA)' --installer='$(INSTALLER)' \
		--pip-args='$(PIP_ARGS)' $(SETUP_ARGS)

demo: setup
	$(VENV_PYTHON) tools/demo.py $(ARGS)

test: lint
	OMP_NUM_THREADS=1 $(VENV_PYTHON) -m pytest -m 'not slow' -n auto --dist worksteal $(ARGS)

test-slow: setup
	$(VENV_PYTHON) -m pytest -m slow $(ARGS)

docs notebook: SETUP_ARGS = --docs
docs: setup
	$(VENV_PYTHON) tools/dev/run_notebook.py --short docs/first_steps.ipynb
	NO_MKDOCS_2_WARNING=1 $(VENV_PYTHON) -m mkdocs build --strict --quiet
	$(VENV_PYTHON) tools/dev/site/check.py site

notebook: setup
	$(VENV_PYTHON) tools/dev/run_notebook.py docs/first_steps.ipynb

faults: setup
	$(VENV_PYTHON) -m pytest -m fault --fault-table $(ARGS)

tables: setup
	$(VENV_PYTHON) tools/dev/tables.py $(ARGS)

lint: setup
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy
	.venv/bin/lint-imports

format: setup
	$(VENV_PYTHON) -m ruff format .
	$(VENV_PYTHON) -m ruff check --fix .

clean:
	rm -rf .venv build dist site *.egg-info eakd_det/.mim .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find eakd_det tools tests configs -name __pycache__ -prune -exec rm -rf {} +
