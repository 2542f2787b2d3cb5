# make run    start the service on http://127.0.0.1:8000 with everything it needs
# make test   run the tests, in parallel, on servers of their own
# make check  lint, types, import contracts
# make faults kill, stop and starve a running service for minutes; SEED=… repeats a run
#
# The virtual environment is made on the first run and brought up to date when a requirement
# changes. PYTHON=python3.13 chooses the interpreter; ARGS="-k stop" goes to pytest.

VENV := .venv
BIN := $(VENV)/bin
COVERAGE ?= 90
ARGS ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# --no-strip-extras: older pips take the newest release for "pydantic[email]" unless it is pinned too.
LOCK := uv pip compile --universal --no-strip-extras --generate-hashes --no-emit-index-url --no-annotate --quiet

.PHONY: run test check faults format lock clean
.DELETE_ON_ERROR:

run: $(VENV)/.run
	@exec $(BIN)/assent up --with-parent

test: $(VENV)/.test
	@$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term \
		--cov-fail-under=$(COVERAGE) $(ARGS)

check: $(VENV)/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

faults: $(VENV)/.test
	@$(BIN)/python -m tests.faults

format: $(VENV)/.test
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# The lock files name versions and digests, and no host to fetch them from.
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH." >&2; exit 2; }
	@$(LOCK) --upgrade --extra embedded --group build pyproject.toml -o requirements/run.txt
	@$(LOCK) --constraint requirements/run.txt --extra embedded --group build --group test \
		pyproject.toml -o requirements/test.txt

# What can be made again. The data in ./var stays.
clean:
	@rm -rf $(VENV) build dist *.egg-info .coverage .coverage.* .mypy_cache .pytest_cache \
		.ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@found=; \
	for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then found=$$python; break; fi; \
		test -z "$(PYTHON)" || break; \
	done; \
	test -n "$$found" || { \
		echo "Assent needs Python 3.11 or newer; name one with make PYTHON=/path/to/python3." >&2; \
		exit 2; }; \
	"$$found" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$$found cannot make virtual environments; install its venv package" \
			"(on Debian: apt install python3-venv)." >&2; \
		exit 2; }; \
	echo "Making $(VENV) ..."; \
	"$$found" -m venv $(VENV)
	@touch $@

$(VENV)/.run: requirements/run.txt pyproject.toml $(VENV)/.made
	@echo "Installing what the service needs ..."
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: requirements/test.txt pyproject.toml $(VENV)/.made
	@echo "Installing what the tests need ..."
	@$(PIP) install --require-hashes -r requirements/test.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run
