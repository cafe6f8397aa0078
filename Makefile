# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests.
# A distribution's Python, where it is new enough and makes environments: it is built with profiles, and takes a tenth to a seventh less of a processor for a page than one that was merely compiled.
PYTHON ?= $(shell /usr/bin/python3 -c "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null && echo /usr/bin/python3 || echo python3)
BIN := .venv/bin
# What is installed is compiled when it is first imported: most of it never is.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-compile
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install demo test check audit browser lock translations clean

.venv/runtime: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: .venv/runtime requirements-dev.lock
	$(PIP) -r requirements-dev.lock
	@touch $@

install: .venv/runtime  ## for a server: all compiled beforehand, since a service may not write where its program is
	$(BIN)/python -m compileall -q -j 0 .venv/lib wtp

demo: .venv/runtime  ## a simulated study, analysed and served: make demo ARGS="--no-serve"
	$(BIN)/wtp demo $(ARGS)

test: .venv/dev browser
	$(BIN)/python -m compileall -q -j 0 wtp  # once, not by every process that a test starts
	$(BIN)/python -m pytest $(ARGS)

check: .venv/dev
	$(BIN)/ruff check wtp tests benchmarks
	$(BIN)/ruff format --check wtp tests benchmarks
	$(BIN)/mypy wtp

audit: .venv/dev  ## known holes of all that is locked, by the public data on them; needs the network
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock
	$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements-dev.lock

# The browser tests drive Debian's Chromium; no other browser is downloaded.
browser:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	  else echo "make test: no 'chromium' on PATH; the browser tests need it; install it (Debian: apt-get install chromium) and run again." >&2; exit 1; fi; }

lock: .venv/dev  ## new locks; the files hold hashes and no address
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q pyproject.toml --group build --group dev --extra postgres --extra redis --extra dask --extra s3 --extra pdf $(LOCK) -o requirements-dev.lock
	$(BIN)/uv pip compile -q pyproject.toml --group build --extra pdf --extra postgres --extra redis --constraint requirements-dev.lock $(LOCK) -o requirements.lock
LOCK := --generate-hashes --no-emit-index-url --no-annotate --no-header --universal --python-version 3.11

translations: .venv/dev  ## after a change of words: collect them, and compile what is translated
	$(BIN)/pybabel -q extract -F wtp/web/translations/babel.cfg -k _l --add-location=file -o .venv/messages.pot wtp
	$(BIN)/pybabel -q update -i .venv/messages.pot -d wtp/web/translations --no-fuzzy-matching --no-wrap --ignore-pot-creation-date
	$(BIN)/pybabel -q compile -d wtp/web/translations

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
