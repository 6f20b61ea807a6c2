# Everything a user needs, set-up included: git, make and Python 3.11+ with venv are enough. No root, nothing but the package index.
PYTHON  ?= python3
VENV    ?= .venv
ARGS    ?=
PY      := $(VENV)/bin/python
PIP     := $(PY) -m pip --disable-pip-version-check --no-input -q install
SURGE   := $(PY) -m harness

.PHONY: help surge test check bench demo plan lock clean
help:
	@echo "make surge SCENARIO=webcast [TARGET=https://…] [ARGS=\"--profile full\"]   run a surge test, write the report"
	@echo "make test      everything that must pass"
	@echo "make check     format, lint, types, import rules, tests"
	@echo "make bench     the benchmarks under tests/bench"
	@echo "make demo      the embedded site alone, in the foreground"

surge: $(VENV)/.ready
	@test -n "$(SCENARIO)" || { echo "Which campaign? make surge SCENARIO=webcast — one of: $(basename $(notdir $(wildcard scenarios/*.yaml)))" >&2; exit 2; }
	@$(SURGE) run "$(SCENARIO)" $(if $(TARGET),--target "$(TARGET)") $(ARGS)

test: $(VENV)/.ready-dev
	@$(PY) -m pytest $(ARGS)

check: $(VENV)/.ready-dev
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports
	@$(PY) -m pytest $(ARGS)

bench: $(VENV)/.ready-dev
	@$(PY) -m tests.bench $(ARGS)

demo: $(VENV)/.ready
	@$(SURGE) demo $(ARGS)

# The lock files hold exact versions with hashes for every platform; the stamp is renewed when they change.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed ($(PYTHON) was not found); name another with make PYTHON=…" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V); name another with make PYTHON=python3.12" >&2; exit 2; }
	@echo "Setting up $(VENV) (once) …" >&2
	@$(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed; on Debian and Ubuntu install the package python3-venv" >&2; rm -rf $(VENV); exit 2; }

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what the tests need …" >&2
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $(VENV)/.ready $@

# For maintainers: uv resolves for every platform and Python from 3.11 on.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --extra build --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
