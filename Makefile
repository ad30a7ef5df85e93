# Everything one does here. Each target first installs what it needs into .venv.
PYTHON ?= python3
FOLDER ?= screenshots
unexport PYTHONDONTWRITEBYTECODE  # or each process of a suite compiles all tests anew
BIN := .venv/bin
LOCK := --universal --generate-hashes --no-strip-extras --no-header --python-version 3.11 --quiet
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
READ := -p tests.clients.strict  # aiogram's types read each response of the local Telegram

.PHONY: demo run test slow browser screenshots faults clients check bench crash mutants wheel lock

demo: .venv/run .venv/demo  ## the main job on a fresh machine: a local Telegram, a local model
	@$(BIN)/python -m bot demo $(ARGS)

run: .venv/run  ## the real bot, configured by the environment or .env
	$(BIN)/python -m bot run

test: .venv/dev  ## the suite
	$(BIN)/python -m pytest -n 5 --dist worksteal -m "not slow and not browser" --ignore tests/faults $(ARGS)

slow: .venv/dev .venv/demo .venv/clients  ## the whole bot, real processes, a local model, long property tests
	$(BIN)/python -m pytest $(READ) -n 4 --dist worksteal -m slow --ignore tests/clients $(ARGS)

browser: .venv/dev .venv/demo tests/node/node_modules  ## the playground's page in a real browser (needs chromium, npm)
	$(BIN)/python -m pytest -n 2 --dist worksteal -m browser $(ARGS)

screenshots: .venv/dev tests/node/node_modules  ## pictures of the page, written into FOLDER
	mkdir -p $(FOLDER)
	SCREENSHOTS=$(abspath $(FOLDER)) $(BIN)/python -m pytest -q tests/playground/page/test_look.py -k "pictures or axe" $(ARGS)

faults: .venv/dev  ## storage, Telegram and the model stall, cut, drip; ten thousand hostile updates
	$(BIN)/python -m pytest tests/faults $(ARGS)

clients: .venv/dev .venv/clients tests/node/node_modules  ## other libraries' bots on the local Telegram (needs node)
	$(BIN)/python -m pytest $(READ) tests/clients $(ARGS)

check: .venv/dev .venv/clients  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

crash: .venv/dev  ## kill -9 at random instants and at every step; prints what was lost
	$(BIN)/python -m tests.crash $(ARGS)

mutants: .venv/dev  ## change the safety core in one place after the other; prints what no test notices
	$(BIN)/python -m tests.mutants $(ARGS)

bench: .venv/dev  ## what an answer takes and costs, beside a bare loop; what the inbox carries
	$(BIN)/python -m tests.bench

wheel: .venv/dev  ## the package as it would be published
	$(BIN)/python -m hatchling build --target wheel --directory dist
	$(BIN)/python -m tests.wheel

lock:  ## write the requirements files anew (needs uv)
	uv pip compile pyproject.toml --extra keyfile --extra socks $(LOCK) -o requirements.txt
	uv pip compile pyproject.toml --all-extras --group dev -c requirements.txt $(LOCK) -o requirements-dev.txt
	uv pip compile --group demo --no-deps $(LOCK) -o requirements-demo.txt
	uv pip compile --group clients -c requirements-dev.txt $(LOCK) -o requirements-clients.txt

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/run: requirements.txt | .venv/bin/python
	$(PIP) -r $<
	@touch $@

.venv/dev: requirements-dev.txt | .venv/bin/python
	$(PIP) -r $<
	@touch $@ .venv/run

# Where there is no such wheel the demo itself says what to do instead.
.venv/demo: requirements-demo.txt | .venv/bin/python
	-$(PIP) --no-deps --only-binary :all: -r $<
	@touch $@

# Without dependencies: see pyproject.toml.
.venv/clients: requirements-clients.txt .venv/dev
	$(PIP) --no-deps -r $<
	@touch $@

tests/node/node_modules: tests/node/package-lock.json
	npm ci --prefix tests/node --no-audit --no-fund --loglevel=error
	@touch $@
