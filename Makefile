# Every command prepares .venv by itself; see scripts/bootstrap. `make` alone lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
WORKERS ?= auto
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal --maxprocesses 8

# What template.yaml deploys.
FLIGHTS := examples/flights/pipeline.py:flights

# The tests that compare with files below tests/golden, and write them when UPDATE_GOLDEN is set.
GOLDEN = $(shell grep -rlE 'UPDATE_GOLDEN|golden_texts' --include='test_*.py' tests)

# Given on the command line, `PYTHON=...` names the interpreter that .venv is made with.
export PYTHON

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Prepare .venv, when something it is made from has changed
	@scripts/bootstrap

.PHONY: demo
demo: setup ## Run the flights pipeline on this machine and print what it found
	@$(BIN)/solidstate run $(FLIGHTS) --mode local
	@echo
	@$(BIN)/python examples/flights/headlines.py build/flights/headlines.json
	@echo
	@echo "The report with its picture: build/flights/report.html"

.PHONY: test
test: setup ## Run the tests, without those marked slow
	@$(PYTEST) -m "not slow"

.PHONY: test-slow
test-slow: setup judges sam ## Run the tests marked slow
	@$(PYTEST) -m slow

.PHONY: test-all
test-all: setup judges sam ## Run every test
	@$(PYTEST)

.PHONY: check
check: setup ## Everything that reads the code: format, lint, layers, types, goldens, template
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/python -m pytest -q -m "not slow" $(GOLDEN)
	$(BIN)/solidstate template $(FLIGHTS) --check
	$(BIN)/cfn-lint template.yaml

.PHONY: fmt
fmt: setup ## Format the code and repair what ruff can
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: golden
golden: setup ## Write the golden files anew; the diff is the review
	UPDATE_GOLDEN=1 $(BIN)/python -m pytest -q -m "not slow" $(GOLDEN)
	@git --no-pager diff --stat -- tests/golden

.PHONY: template
template: setup ## Render template.yaml anew; what is written in it by hand stays
	@$(BIN)/solidstate template $(FLIGHTS)

# What `sam build` calls for each function of template.yaml: all of them run the same bundle.
build-%:
	$(BIN)/solidstate build $(FLIGHTS) --layer-provided pandas,pyarrow
	cp -R build/lambda/. "$(ARTIFACTS_DIR)/"

.PHONY: sim
sim: setup ## Simulate runs in which things go wrong: SEEDS=20000, or SEED=123 alone, with its trace
	@$(BIN)/python -m tests.sim $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),20000))

.PHONY: sim-runs
sim-runs: setup ## Simulate runs of a pipeline of 30 steps under a mix of all faults: RUNS=1000
	@$(BIN)/python -m tests.sim --runs $(or $(RUNS),1000)

.PHONY: bench
bench: setup ## Measure what a step costs, beside a baseline written by hand
	@$(BIN)/python -m bench

.PHONY: bench-compiler
bench-compiler: setup ## Measure the compiler on a folder of graphs: SETS=FOLDER
	@$(BIN)/python -m bench.compiler $(if $(SETS),--sets $(SETS))

.PHONY: fuzz
fuzz: setup ## Let atheris look for what breaks the product: TARGET=all SECONDS=600
	@scripts/fuzz $(or $(TARGET),all) $(or $(SECONDS),600)

.PHONY: sam
sam: setup ## Prepare AWS's SAM CLI, before tests that run side by side ask for it
	@scripts/sam --version >/dev/null

.PHONY: judges
judges: setup ## Install the judges of definitions that need Node, where there is npm
	@scripts/judges

.PHONY: lock
lock: ## Resolve requirements/dev.txt anew (needs uv)
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-annotate --no-header \
		--extra dev --output-file requirements/dev.txt pyproject.toml

.PHONY: clean
clean: ## Remove .venv and everything made by the other commands
	rm -rf .venv .venv-sam .aws-sam .solidstate build dist solidstate.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
