# prombridge: `make` lists what can be made.

# A distribution builds its Python with profile-guided optimization, a version manager hardly ever:
# that is a quarter of the processor time. So the system's own goes first, if it is new enough.
FIT := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
ifndef PYTHON
PYTHON := $(shell /usr/bin/python3 -c '$(FIT)' 2>/dev/null && echo /usr/bin/python3 || echo python3)
endif
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
GUIDED := $(VENV)/.guided
WEB    := bridge/console/web
NPM    := npm --prefix $(WEB) --silent
WEBBED := $(WEB)/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) $(WEBBED) ## make .venv: the pinned dependencies and prombridge itself, editable

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "prombridge needs Python 3.11 or newer; set PYTHON=…")'
	@test -x $(BIN)/python || { echo "Making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the pinned dependencies"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement constraints.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# npm is needed to change the console and to test its sources, not to run or to install it.
$(WEBBED): $(WEB)/package-lock.json
	@if command -v npm >/dev/null; then echo "Installing the console's npm packages"; $(NPM) ci && touch $@; \
		else echo "npm is not there: the console is taken as it was built"; fi

lint: $(READY) $(WEBBED) ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@if command -v npm >/dev/null || [ "$$CI" = true ]; then $(NPM) run lint; \
		else echo "npm is not there: the console's sources are not checked"; fi

format: $(READY) $(WEBBED) ## let ruff and biome put style right
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run format

console: $(WEBBED) ## build the console's files anew, after a change of their sources (needs npm)
	$(NPM) run build

# All of them: what is not on disk, every bridge that a test starts would begin to compile beside it.
warm: $(READY) ## compile the kernels
	@echo "Compiling kernels where they changed"
	@$(BIN)/prombridge warm --quiet --jobs 2

servers: $(READY) ## fetch the real servers the tests run against
	@$(BIN)/python -m tests.servers fetch

test: $(READY) $(WEBBED) servers warm ## all tests but the long ones, against real servers
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not long"

# What kernels compute, and whatever else reads them one window or one chunk at a time.
KERNEL_TESTS := tests/kernel tests/chunkenc tests/model tests/engine tests/storage \
	$(addprefix tests/api/,test_encode.py test_histograms.py test_numbers.py test_words.py) \
	$(addprefix tests/cache/,test_blocks.py test_memory.py test_native.py test_tiers.py) \
	$(addprefix tests/remote/,test_chunks.py test_fuzz.py test_histograms.py)

kernels: $(READY) servers ## the kernels' tests as plain Python, and with bounds checks
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -n 2 -m "not long" $(KERNEL_TESTS)
	@NUMBA_BOUNDSCHECK=1 $(BIN)/prombridge warm --quiet --jobs 2
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -n 2 -m "not long" $(KERNEL_TESTS)

fuzz: fuzz-expressions fuzz-bytes ## both of the next two, one behind the other

fuzz-expressions: $(READY) servers ## 50,000 random expressions beside a real Prometheus: minutes
	@for seed in 11 21 31; do \
		$(BIN)/python -m tests.oracle.fuzz --count 10000 --seed $$seed --jobs 2 || exit 1; done
	@for seed in 1 71; do \
		$(BIN)/python -m tests.oracle.fuzz --count 10000 --seed $$seed --jobs 1 --data native || exit 1; done
	@$(BIN)/python -m tests.oracle.fuzz --count 2000 --seed 61 --jobs 2 --data everyday

# Coverage guides it: atheris is installed for it, and for nothing else.
$(GUIDED): tests/fuzz/constraints.txt $(READY)
	@echo "Installing what guides the fuzzers"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

fuzz-bytes: MINUTES ?= 30
fuzz-bytes: $(GUIDED) ## each reader of foreign bytes for MINUTES, 30 unless set, guided by coverage
	@NUMBA_BOUNDSCHECK=1 $(BIN)/prombridge warm --quiet --jobs 2
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

laws: $(READY) servers warm ## laws over 1,000 examples each, the cache's over 200,000 steps, all scripts through it
	$(BIN)/python -m pytest -n 2 --hypothesis-profile many tests/chunkenc tests/engine tests/model tests/promql tests/remote
	CACHE_SEEDS="$$(seq -s ' ' 20) 26" CACHE_EXAMPLES=230 $(BIN)/python -m pytest -n 2 tests/cache/test_invariants.py
	$(BIN)/python -m pytest -m long tests
	HTTP_SHARE=1 $(BIN)/python -m pytest -n 2 tests/promqltest/test_http.py
	WARM_SHARE=1 WARM_COUNT=5000 $(BIN)/python -m pytest -n 2 tests/cache/test_warm_answers.py

bench: $(READY) servers warm ## side by side with Prometheus and remote_read
	$(BIN)/python -m benchmarks.yardstick

bench-docs: $(READY) servers warm ## measure beside all others, at rest, and write docs/performance.md
	$(BIN)/python -m benchmarks.page

bench-memory: $(READY) servers warm ## what a query over ten million samples takes above an idle server
	$(BIN)/python -m benchmarks.memory

replay: $(READY) servers warm ## dashboards and alerts replayed beside Prometheus and remote_read
	$(BIN)/python -m benchmarks.dashboard

bench-promql: $(READY) servers warm ## Prometheus' own range queries, beside Prometheus
	$(BIN)/python -m benchmarks.promql

floor: $(READY) servers warm ## small queries, alone and beside large ones, beside Prometheus
	$(BIN)/python -m benchmarks.floor

tenants: $(READY) warm ## 10,000 requests of two tenants who must not see each other: minutes
	TENANT_REQUESTS=10000 $(BIN)/python -m pytest tests/tenants/test_isolation.py

soak: $(READY) servers warm ## a dashboard over live data for ten minutes, with and without the cache
	$(BIN)/python -m benchmarks.soak

chaos: MINUTES ?= 60
chaos: $(READY) servers warm ## dashboards while stores, tiers, the clock and prombridge itself fail: MINUTES, 60 unless set
	$(BIN)/python -m benchmarks.chaos --minutes $(MINUTES)

load: $(READY) servers warm ## 2,000 cached queries a second for five minutes, beside 500 slow readers and 500 idle ones
	$(BIN)/python -m benchmarks.load

refusal: $(READY) servers warm ## queries that are too heavy, refused or answered in turn while small ones go on
	$(BIN)/python -m benchmarks.refusal

scaling: $(READY) servers warm ## live dashboards, more and more of them, over one process: eight minutes
	$(BIN)/python -m benchmarks.scaling

rolling: $(READY) servers warm ## two replicas behind nginx, restarted in turn under load
	$(BIN)/python -m benchmarks.rolling

demo: $(READY) ## a bridge in front of a store with a day of data, in the foreground
	@$(BIN)/prombridge demo

pin: $(READY) ## pin the dependencies anew (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-annotate --extra dev pyproject.toml --output-file constraints.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-annotate --group fuzz --output-file tests/fuzz/constraints.txt

sbom: $(READY) ## what a full installation consists of, as CycloneDX in build/sbom.json (needs uv)
	@mkdir -p build
	@uv pip compile --quiet --python-version 3.11 --constraint constraints.txt --no-header --no-annotate \
		--no-emit-index-url --extra otel --extra valkey pyproject.toml --output-file build/runtime.txt
	@uvx --quiet --from cyclonedx-bom cyclonedx-py requirements build/runtime.txt --pyproject pyproject.toml \
		--output-reproducible --output-file build/sbom.json
	@echo "build/sbom.json"

clean: ## remove what was made
	rm -rf $(VENV) $(WEB)/node_modules .cache .ruff_cache .mypy_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install lint format console warm servers test kernels fuzz fuzz-expressions fuzz-bytes laws bench bench-docs bench-memory bench-promql replay floor tenants soak chaos load refusal scaling rolling demo pin sbom clean
