# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Settings for all tests."""

import shutil
import subprocess

import pytest
from hypothesis import settings
from lazily import Lazily
from programs import STOCK, built

from gvc.machine.process import configure_process, scheduling_kept

configure_process()  # The engine and the command do the same. Test modules import NumPy later.

# Hypothesis must not fail a test because a busy machine is slow.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keep tests and their child processes away from the user's cache folder and warm engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("GVC_SERVE", "0")
        yield


@pytest.fixture(autouse=True)
def same_scheduling():
    """Undo it when a test opens SVT-AV1 itself as root: real-time threads here would starve all other processes."""
    with scheduling_kept():
        yield


@pytest.fixture
def chain():
    """Return an FLF2V stream with a single keyframe at 0; GOPs start at 0, 5, 9."""
    from small_streams import stream

    return stream("flf2v", "ancestral")


@pytest.fixture(scope="session")
def wan_folders(tmp_path_factory):
    """Return folders of tiny Wan models by kind; tests must not change them."""
    from tiny_wan import build_tiny_wan

    return Lazily(lambda kind: build_tiny_wan(tmp_path_factory.mktemp(kind), kind))


@pytest.fixture(scope="session")
def wan_priors(wan_folders):
    """Return the tiny Wan models by kind."""
    from gvc.priors.wan import WanPrior

    return Lazily(lambda kind: WanPrior.from_pretrained(wan_folders[kind]))


@pytest.fixture(scope="session")
def ltx2_folders(tmp_path_factory):
    """Return folders of tiny LTX-2 models by version; tests must not change them."""
    from tiny_ltx2 import build_tiny_ltx2

    return Lazily(lambda version: build_tiny_ltx2(tmp_path_factory.mktemp("ltx2"), version))


@pytest.fixture(scope="session")
def ltx2_priors(ltx2_folders):
    """Return the tiny LTX-2 models by version."""
    from gvc.priors.ltx2 import Ltx2Prior

    return Lazily(lambda version: Ltx2Prior.from_pretrained(ltx2_folders[version]))


@pytest.fixture(scope="module", params=[STOCK, *built()], ids=lambda programs: programs.name)
def programs(request):
    """Return FFmpeg's programs with GVC, for each route that this machine has."""
    request.param.require("ffmpeg", "ffprobe")
    return request.param


@pytest.fixture
def compiled(tmp_path):
    """Return a function that compiles C code into tmp_path."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here to build what the plugin is to be tried with")

    def build(name, text, *flags):
        source_file = tmp_path / f"{name}.c"
        source_file.parent.mkdir(exist_ok=True)
        source_file.write_text(text)
        subprocess.run([compiler, source_file, *flags, "-o", tmp_path / name], check=True)
        return tmp_path / name

    return build
