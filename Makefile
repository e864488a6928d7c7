# Everything a newcomer needs is set up in .venv by the first target that needs it.
# uv is used where it is installed; otherwise it is put into .venv with pip.

PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.venv/bin/uv)
RUN := $(UV) run --no-sync --quiet

.PHONY: help demo test test-services bench check generate facts clean
.DEFAULT_GOAL := help

help:
	@echo "make demo           synthesize the user guide's cluster into cdk.out and say what it made"
	@echo "make test           run the tests"
	@echo "make test-services  run those that start a real Slurm, where there is one"
	@echo "make check          format, lint and type-check"
	@echo "make bench          compare with hand-written CDK code, and see how reading templates grows"
	@echo "make generate       write the generated pages of docs/ again"
	@echo "make facts          compare the tables with their sources, and write docs/facts.md"
	@echo "make clean          remove what the other targets made"

demo: .venv/.ready
	@$(RUN) python -m apps.demo

test: .venv/.ready
	@$(RUN) pytest -n auto --dist loadfile

test-services: .venv/.ready
	@$(RUN) pytest -rs tests/services

bench: .venv/.ready
	@$(RUN) python -m tests.benchmark
	@$(RUN) python -m tests.benchmark.reading

check: .venv/.ready
	@$(RUN) ruff format --check .
	@$(RUN) ruff check .
	@$(RUN) basedpyright

generate: .venv/.ready
	@$(RUN) python -m pcs_constructs.model._data.generate
	@$(RUN) python -m tests.docs.generate

facts: .venv/.ready
	@$(RUN) python -m tests.docs.facts --write

clean:
	@rm -rf .venv cdk.out dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.ready: pyproject.toml
	@command -v uv >/dev/null 2>&1 || test -x .venv/bin/uv || { \
	  $(PYTHON) -m venv .venv && \
	  .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check uv; }
	@$(UV) sync --quiet
	@touch $@
