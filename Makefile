# make train   trains the default network on the embedded digits          make train ARGS="--preset deep --epochs 2"
# make test    lint, types and the tests, the slow ones reduced            make test-full: everything, and writes its figures
# make bench   measures beside other libraries in their own environment   make bench ARGS="networks --rounds 3"
#
# Each works alone on a fresh machine: it creates .venv first. PYTHON=/path/to/python3 chooses the interpreter (3.11 or later).

VENV := .venv
PEERS := bench/.venv-peers
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
PYTHON ?=
export PYTHON

.PHONY: train test test-full lint bench clean

train: $(VENV)/.jitcnn
	$(BIN)/jitcnn train $(ARGS)

test: lint
	$(PYTEST) $(ARGS)

test-full: lint
	$(PYTEST) --full $(ARGS)

lint: $(VENV)/.tools
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .
	$(BIN)/mypy --no-error-summary

bench: $(VENV)/.bench $(PEERS)/.installed
	$(BIN)/python -m bench --torch $(PEERS)/bin/python --ort $(PEERS)/bin/python $(ARGS)

clean:
	rm -rf $(VENV) $(PEERS) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps say that what pyproject.toml asks for is installed; asked for another interpreter, the environment is made anew.
ifneq ($(PYTHON),)
ifneq ($(shell $(PYTHON) -c 'import sys; print(sys.version)' 2>&1),$(shell $(BIN)/python -c 'import sys; print(sys.version)' 2>&1))
.PHONY: $(VENV)/bin/python
$(VENV)/.jitcnn $(VENV)/.tools $(VENV)/.bench: $(VENV)/bin/python
$(VENV)/bin/python:
	rm -rf $(VENV)
endif
endif

$(VENV)/.jitcnn: pyproject.toml
	.ci/venv $(VENV) -e .
	@touch $@

$(VENV)/.tools: pyproject.toml
	.ci/venv $(VENV) -e '.[plots,images,downloads,test,dev]'
	@touch $@ $(VENV)/.jitcnn

$(VENV)/.bench: pyproject.toml
	.ci/venv $(VENV) -e '.[plots]'
	@touch $@ $(VENV)/.jitcnn

$(PEERS)/.installed: Makefile
	.ci/venv $(PEERS) torch==2.13.0 onnxruntime==1.32.0 onnx numpy
	@touch $@
