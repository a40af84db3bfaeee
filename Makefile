# `make run` opens the program on the example strategy; `make test` runs the tests. Both set up what they need.
# On Windows use GNU make from Git Bash or MSYS2: the same targets work there.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
  PYTHON := $(if $(filter python3,$(PYTHON)),python,$(PYTHON))
  BIN := .venv/Scripts
else
  BIN := .venv/bin
endif
PY := $(BIN)/python
STAMP := .venv/ready
SYSTEM := .venv/system
EXAMPLE ?= resources/examples/golden_cross.yaml
WORKERS ?= auto

# Without a display (a server, continuous integration) `make run` draws the window into reports/app.png.
HEADLESS := $(filter true 1,$(CI))
ifneq ($(OS),Windows_NT)
ifeq ($(shell uname -s),Linux)
  HEADLESS += $(if $(DISPLAY)$(WAYLAND_DISPLAY),,yes)
endif
endif

.PHONY: run test test-one test-quick test-long coverage check check-python format bench docs calendars clean

run: $(STAMP) $(SYSTEM)
	$(BIN)/quantcrafter run $(EXAMPLE) --report reports/golden_cross.html --json reports/golden_cross.json
ifeq ($(strip $(HEADLESS)),)
	$(BIN)/quantcrafter app $(EXAMPLE)
else
	$(BIN)/quantcrafter app $(EXAMPLE) --screenshot reports/app.png
	@echo "There is no display: the app's window is drawn in reports/app.png"
endif

# The simulation is compiled before the workers start; otherwise, each worker would compile it within a test.
test: $(STAMP) $(SYSTEM)
	$(PY) -m tests.support.compile_ahead
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not benchmark_report"

# One file, folder or test: `make test-one T=tests/engine/stats`, `make test-one T="tests/nodes -k rising"`.
test-one: $(STAMP) $(SYSTEM)
	$(if $(T),,$(error Say which test: make test-one T=tests/engine/stats/test_metrics.py))
	$(PY) -m pytest -n 0 $(T)

test-quick: $(STAMP) $(SYSTEM)
	$(PY) -m tests.support.compile_ahead
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not benchmark_report"

# Tests with random cases in large counts, which take hours. They write the figures in docs/reliability.md.
test-long: export QUANTCRAFTER_TEST_LONG = 1
test-long: $(STAMP) $(SYSTEM)
	$(PY) -m tests.support.compile_ahead
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "long or hypothesis" --timeout 36000 -o faulthandler_timeout=40000

# Lines and branches of engine and nodes that the quick tests cover; fails below 95 percent. `T=tests/nodes` measures a part.
coverage: export QUANTCRAFTER_TEST_INTERPRETED = 1
coverage: $(STAMP) $(SYSTEM)
	$(PY) -m pytest -n $(WORKERS) --dist worksteal -m "not slow and not benchmark_report" --timeout 900 --cov --cov-report=html:reports/coverage --cov-report=term $(if $(T),,--cov-fail-under=95) $(T)

check: $(STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(BIN)/lint-imports
	$(PY) -m vulture

# Finds what the newest Python removed or deprecated, and compiles each file with warnings as errors.
check-python: $(STAMP)
	$(PY) -m mypy --python-version 3.13 --enable-error-code deprecated
	$(PY) -W error -m compileall -q -f app engine nodes quantcrafter/testing resources tests

bench: $(STAMP) $(SYSTEM)
	$(PY) -m pytest -m benchmark_report -s -n 0 -o faulthandler_timeout=4000

docs: $(STAMP)
	$(PY) -m tests.support.nodes_page > docs/nodes.new && mv docs/nodes.new docs/nodes.md
	$(PY) -m tests.support.metrics_page > docs/metrics.new && mv docs/metrics.new docs/metrics.md

# Holidays and hours of exchanges, from exchange_calendars; to be made again once a year.
calendars: $(STAMP)
	$(PY) -m tests.support.calendar_tables > resources/calendars.new && mv resources/calendars.new resources/calendars.json

format: $(STAMP)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

# The environment is created again when the requirements change.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] < (3, 14) else 'QuantCrafter needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is ' + sys.version.split()[0] + '. Name another: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	$(PY) -c "import pathlib; pathlib.Path('$(STAMP)').touch()"

# System libraries for Qt: checked once, and installed if they are missing and this is possible.
$(SYSTEM): packaging/qt_libraries.sh $(STAMP)
	sh packaging/qt_libraries.sh
	$(PY) -c "import pathlib; pathlib.Path('$(SYSTEM)').touch()"

clean:
	$(PYTHON) -c "import shutil; [shutil.rmtree(d, True) for d in ('.venv', 'build', 'dist', 'reports', '.mypy_cache', '.ruff_cache', '.hypothesis')]"
