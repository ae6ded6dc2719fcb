# make demo [CLIP=path]   set everything up, then encode, probe and decode a clip with the machine's own ffmpeg
# make test               set everything up, then run all tests
# make lint               style checks
#
# Variables: PYTHON (python3), VENV (.venv), PIP_ARGS (for pip install), and for the demo CLIP, BPP and FRAMES.
# PyPI's torch for Linux brings gigabytes of CUDA libraries. For the CPU build alone:
#     make demo PIP_ARGS='--extra-index-url https://download.pytorch.org/whl/cpu'

PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
CLIP ?= assets/city_416x240.mp4
BPP ?= 0.016
FRAMES ?= 97

BIN := $(VENV)/bin
C_SOURCES := $(shell find ffmpeg_bridge gvc/native -name '*.[ch]' -o -name '*.cpp' -o -name '*.hpp' | sort)
NATIVE := $(C_SOURCES) $(shell find ffmpeg_bridge -name '*.inc' -o -name '*.in') CMakeLists.txt

.PHONY: demo test lint setup clean

demo: setup
	$(BIN)/python tools/demo.py --bpp $(BPP) --frames $(FRAMES) "$(CLIP)"

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	clang-format --dry-run -Werror $(C_SOURCES)

# A make of its own for the native code: this one would not see that installing has just built it.
setup: $(VENV)/.packages
	@$(MAKE) --silent --no-print-directory $(VENV)/.native

$(VENV)/.python: tools/system_packages.sh
	tools/system_packages.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	touch $@

# The build uses the pinned setuptools and pybind11, so that it downloads nothing twice.
$(VENV)/.packages: $(VENV)/.python setup.py pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt setuptools pybind11
	$(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt --no-build-isolation -e '.[test]'
	touch $@ $(VENV)/.native

$(VENV)/.native: $(NATIVE)
	$(BIN)/python setup.py --quiet build_ext --inplace
	touch $@

clean:
	rm -rf $(VENV) build gvc/lib gvc/*.so *.egg-info
