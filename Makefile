# Needs make and Python 3.11 or newer, nothing else: everything is installed into .venv.
# `make help` lists the targets.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 7860
DATA_DIR ?= var
# For example: make run PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=
# What `make eval` does with a run; --update-baseline instead makes it the new baseline.
EVAL ?= --gate
# The folder of the public sets (XQuAD, MLQA), which are measured too when they are there.
BENCH ?= bench

BIN := .venv/bin
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt

# Stamps: made after an installation has succeeded, so that an interrupted one is done again.
INSTALLED := .venv/installed
INSTALLED_DEV := .venv/installed-dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: run test test-slow check bench eval clean help

run: $(INSTALLED) ## ingest data/releases if needed and open the app (HOST, PORT, DATA_DIR)
	@$(BIN)/python -m ingest data/releases --data-dir "$(DATA_DIR)"
	@exec $(BIN)/python app.py --host "$(HOST)" --port "$(PORT)" --data-dir "$(DATA_DIR)"

test: $(INSTALLED_DEV) ## run the tests, except the slow ones
	@$(BIN)/python -m pytest -m "not slow"

test-slow: $(INSTALLED_DEV) ## run the slow tests: kills at every step of an ingest, and the like
	@$(BIN)/python -m pytest -m slow

check: $(INSTALLED_DEV) ## lint, formatting, types, and that gold quotes stand in their releases
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m eval --check eval/data/hanoi-2021-h1.jsonl --corpus data/releases
	$(BIN)/python -m eval --check tests/data/made-up.jsonl --corpus tests/data/releases
	$(BIN)/python -m eval --check tests/data/made-up-2.jsonl --corpus tests/data/releases
	@set -e; for set in 3 4 5 6; do \
		$(BIN)/python -m eval --check tests/data/made-up-$$set.jsonl --corpus tests/data/releases-$$set; \
	done
	@set -e; for folder in tests/data/releases-[789]/* tests/data/releases-1[01234]/*; do \
		set=$${folder%/*}; part=$${set##*-}.$${folder##*/}; \
		$(BIN)/python -m eval --check tests/data/made-up-$$part.jsonl --corpus $$folder; \
	done
	@set -e; for file in tests/data/short.*.jsonl tests/data/short-14.*.jsonl; do \
		part=$${file%.jsonl}; part=$${part#tests/data/short?}; \
		$(BIN)/python -m eval --check $$file --corpus tests/data/releases-$${part%.*}/$${part#*.}; \
	done
	@set -e; for number in "" -2 -3 -4; do for set in held-out short-held-out; do \
		$(BIN)/python -m eval --check tests/data/$$set$$number.jsonl \
			--corpus tests/data/releases-held-out$$number; \
	done; done

bench: $(INSTALLED_DEV) ## measure set-up, cold start, latency, ingest speed and memory
	@$(BIN)/python -m eval.bench

eval: $(INSTALLED_DEV) ## measure the answers and hold them to the baseline (EVAL, BENCH)
	@$(BIN)/python -m eval --gold eval/data/hanoi-2021-h1.jsonl --corpus data/releases $(EVAL)
	@set -e; if [ -f "$(BENCH)/xquad-dev.vi.json" ]; then \
		$(BIN)/python -m eval --squad "$(BENCH)/xquad-dev.vi.json" $(EVAL); \
		$(BIN)/python -m eval --squad "$(BENCH)/xquad-dev.vi.json" \
			--questions "$(BENCH)/xquad-dev.en.json" $(EVAL); \
		$(BIN)/python -m eval --squad "$(BENCH)/mlqa-dev.context-vi.question-en.json" $(EVAL); \
		$(BIN)/python -m eval --squad "$(BENCH)/mlqa-dev.context-en.question-vi.json" $(EVAL); \
	else echo "no public sets in $(BENCH): the gold set alone was run" >&2; fi

clean: ## remove the environment and every cache; ingested releases in var/ stay
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than Python 3.11; run: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "making the environment in .venv" >&2
	@$(PYTHON) -m venv .venv

$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing the dependencies into .venv (once, some minutes)" >&2
	@$(INSTALL) -e .
	@touch $@

$(INSTALLED_DEV): pyproject.toml constraints.txt | $(BIN)/pip
	@echo "installing the dependencies and the development tools into .venv (once, some minutes)" >&2
	@$(INSTALL) -e '.[dev]'
	@touch $(INSTALLED) $@
