# `make run`: a working chat in the browser. `make test`: the whole test run. Both do their own set-up.
PYTHON ?= python3
PORT ?= 8000
WS_PORT ?= 8001
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test conformance bench lint format lock clean

run: $(VENV)/.local
	@$(BIN)/python manage.py ws_local --port $(PORT) --ws-port $(WS_PORT)

test: $(VENV)/.dev .venv-ministack/bin/ministack
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term $(ARGS)

# The gateway's facts, one by one. TARGET=ministack shows where that emulator departs from them: it exits with 1.
TARGET ?= local
conformance: $(VENV)/.dev $(if $(filter ministack,$(TARGET)),.venv-ministack/bin/ministack)
	CONFORMANCE_TARGET=$(TARGET) $(BIN)/python -m pytest tests/conformance -v --tb=line -p no:randomly $(ARGS)

# Some five minutes. Wants nginx; wrk where there is one. SECTIONS=signing measures only that.
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.run $(SECTIONS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Renews constraints.txt: the exact versions that `make run` and `make test` install.
lock:
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet -e .[dev]
	.venv-lock/bin/python -m pip freeze --exclude-editable > constraints.txt
	rm -rf .venv-lock

clean:
	rm -rf $(VENV) .venv-* .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.local: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .[local]
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .[dev]
	@touch $@ $(VENV)/.local

# An AWS emulator for the end-to-end tests. It pins botocore, and so lives by itself. Without it those tests are skipped.
.venv-ministack/bin/ministack:
	@$(PYTHON) -m venv .venv-ministack
	@.venv-ministack/bin/python -m pip install --quiet --disable-pip-version-check ministack==1.5.33 \
		|| echo "ministack cannot be installed here: the tests that need it will be skipped."
