# SPDX-License-Identifier: GPL-2.0-or-later
#
# Short names for what is said at length in README.md and CONTRIBUTING.md. .ci/run, which has to pass, checks the sources by these.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
BIN := .venv/bin
C_FILES = git ls-files -z 'benchmarks/*.[ch]' 'native/*.[ch]' 'ptmon/*.[ch]' 'tests/*.[ch]'

.DEFAULT_GOAL := help
.PHONY: help build test check lint format types clang-format fast-tests ctest bench

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

build: ## set up .venv with ptmon, what its tests need, and the tools; again after each change of native/
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[test,dev]'

test: ## all tests (README.md, "Set up and test")
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[test]' && $(BIN)/python -m pytest -n 4 --dist loadfile

check: lint format types clang-format ## all that .ci/run checks of the sources, by these four:

lint: ## ruff check
	$(BIN)/ruff check .

format: ## ruff format
	$(BIN)/ruff format --check .

types: ## mypy --strict
	$(BIN)/mypy

clang-format: ## clang-format
	$(C_FILES) | xargs -0 $(BIN)/clang-format --dry-run -Werror

fast-tests: ## a part of the tests, under a minute
	$(BIN)/python -m pytest -q tests/unit

ctest: ## build the C core without Python, warnings are errors, and run its own tests
	PATH="$(CURDIR)/$(BIN):$$PATH" cmake -G Ninja -S native -B build/plain -DPTMON_TESTS=ON -DCMAKE_C_FLAGS=-Werror
	PATH="$(CURDIR)/$(BIN):$$PATH" cmake --build build/plain
	PATH="$(CURDIR)/$(BIN):$$PATH" ctest --test-dir build/plain --output-on-failure

bench: ## what ptmon costs, against other tools (docs/BENCHMARK.md)
	$(BIN)/python -m benchmarks
