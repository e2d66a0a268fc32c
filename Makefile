# Brink's front door. `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo build test nightly clean

BUILD := build/release
PYTHON := .venv/bin/python
BRINK := .venv/bin/brink
# The compiler needs up to 1 GB a job; BRINK_JOBS=1 suits a small machine.
BRINK_JOBS ?= $(shell nproc)

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build/.product  ## Build what is missing, simulate the demo with and without its slow rank, say where the report is
	@$(BRINK) run --pair configs/scenarios/demo.json

build: build/.product  ## The simulator (build/release/brink-sim) and the command .venv/bin/brink

test: build/.everything  ## Every test of the pull-request tier
	@scripts/setup_system.sh --test
	@scripts/run_tests.sh $(BUILD)

nightly: build/.everything  ## The long tier: sanitizers, clang-tidy, many more seeds
	@scripts/setup_system.sh --test
	@scripts/run_nightly.sh $(BUILD)

clean:  ## Remove builds, the Python environment and run results
	rm -rf build .venv out python/brink/_engine.*.so

# Set-up runs once a change of what it reads; Ninja decides what to compile.
build/.system: scripts/setup_system.sh
	@scripts/setup_system.sh
	@mkdir -p build && touch $@

.venv/.ready: pyproject.toml scripts/setup_python.sh | build/.system
	@scripts/setup_python.sh .venv
	@touch $@

$(BUILD)/build.ninja: CMakePresets.json | .venv/.ready
	cmake --preset release && touch $@

.PHONY: build/.product build/.everything
build/.product: $(BUILD)/build.ninja
	@cmake --build $(BUILD) --parallel $(BRINK_JOBS) --target brink_product

build/.everything: $(BUILD)/build.ninja
	@cmake --build $(BUILD) --parallel $(BRINK_JOBS)
