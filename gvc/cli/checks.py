# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Checks of an installation: whether everything that GVC needs is there, and how to get missing parts."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..errors import EngineError
from ..extras import EXTRAS, packages
from ..machine.process import variable
from .version import package_version

MAIN_PROGRAMS, PLAYERS = ("ffmpeg", "ffprobe"), ("ffplay", "mpv")
REINSTALL = "run `make setup`, or `pip install -e .` in the source folder (needs CMake and a C++ compiler)"


@dataclass
class Check:
    """Result of one check.

    name: thing that was checked.
    ok: whether it is there and works.
    found: version, place or reason of the failure.
    advice: way to get it.
    needed: whether GVC needs it; other things are optional.
    """

    name: str
    ok: bool
    found: str
    advice: str = ""
    needed: bool = True


def checks() -> Iterator[Check]:
    """Yield the result of each check as soon as it is done."""
    yield Check("Python", sys.version_info >= (3, 11), platform.python_version(), "install Python 3.11 or newer")
    yield from _packages()
    yield _native_module()
    yield from map(_library, ("libgvc.so", "libgvc_ffmpeg.so"))
    yield _pyav()
    yield from (_program(name, needed=True) for name in MAIN_PROGRAMS)
    yield from (_program(name, needed=False) for name in PLAYERS)
    yield from _players()
    yield _engine()
    yield _warm_engine()
    yield _speeds()
    yield _models()


def _packages() -> Iterator[Check]:
    if package_version("gvc"):
        yield from map(_package, packages())
        yield from map(_extra, EXTRAS)
    else:
        yield Check("gvc", False, "not installed, so the list of the packages that it needs is unknown", REINSTALL)


def _package(name: str) -> Check:
    found = package_version(name)
    return Check(name, found is not None, found or "not installed", f"pip install -c constraints.txt {name}")


def _extra(name: str) -> Check:
    """Check that all packages of an optional extra are installed."""
    wanted = packages(name)
    versions = {package: package_version(package) for package in wanted}
    absent = [package for package in wanted if not versions[package]]
    found = f"lacks {', '.join(absent)}" if absent else ", ".join(map(" ".join, versions.items()))
    return Check(f"extra {name}", not absent, found, f"pip install 'gvc[{name}]'", needed=False)


def _native_module() -> Check:
    try:
        from .. import _native
    except ImportError as error:
        return Check("native module", False, str(error), REINSTALL)
    return Check("native module", True, _native.__file__)


def _library(name: str) -> Check:
    path = Path(__file__).parents[1] / "lib" / name
    return Check(name, path.is_file(), str(path) if path.is_file() else "not built", REINSTALL)


def _pyav() -> Check:
    """Check that the codec can be registered in PyAV. This runs in a new process, so that a crash is only a result."""
    script = "import gvc.av, gvc.plugin; print(gvc.plugin.install())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    found = " ".join((done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()[-1:])
    return Check("PyAV with GVC", done.returncode == 0, found, "pip install 'av>=18,<19'")


def _program(name: str, needed: bool) -> Check:
    path = shutil.which(name)
    package = name if name == "mpv" else "ffmpeg"
    if path is None:
        return Check(name, False, "not on PATH", f"apt-get install {package}", needed)
    from ..plugin import STATIC_ADVICE, STATIC_BUILD, environment, is_static_build

    variables = {**environment(), "GVC_DEBUG": "1"}
    flag = "--version" if name == "mpv" else "-version"
    try:
        done = subprocess.run([path, flag], env=variables, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check(name, False, f"{path} does not run: {error}", f"apt-get install {package}", needed)
    release = (re.search(r"version (\S+)|mpv (\S+)", done.stdout) or ["?"])[0]
    if "serves gvc" in done.stderr:
        return Check(name, True, f"{path}, {release}, takes the plugin")
    if "has gvc already" in done.stderr:
        return Check(name, True, f"{path}, {release}, has GVC built in")
    if is_static_build(path):
        return Check(name, False, f"{path}, {release}, {STATIC_BUILD}", STATIC_ADVICE, needed)
    reason = " ".join(done.stderr.split()) or "it does not use shared FFmpeg libraries"
    advice = f"GVC needs a dynamically linked {name} with libavcodec 59 to 63: apt-get install {package}"
    return Check(name, False, f"{path}, {release}, cannot take the plugin ({reason})", advice, needed)


def _players() -> Iterator[Check]:
    """Look for players that have a decoder of their own for GVC."""
    from ..plugin import gstreamer_folder, vlc_folder

    tools = "gstreamer1.0-tools gstreamer1.0-plugins-good"
    yield _player("GStreamer", "gst-launch-1.0", tools, gstreamer_folder, "gvcdec and gvcenc")
    yield _player("VLC", "vlc", "vlc", vlc_folder, "its module")


def _player(name: str, program: str, package: str, folder: Callable[[], Path], finds: str) -> Check:
    """Check that a player is there and that what it finds in a folder was built."""
    try:
        place = folder()
    except EngineError as error:
        return Check(name, False, *str(error).split("; ", 1), needed=False)
    path = shutil.which(program)
    if path is None:
        return Check(name, False, f"{program} is not on PATH", f"apt-get install {package}", needed=False)
    return Check(name, True, f"{path}, finds {finds} in {place}")


def _engine() -> Check:
    """Code one small picture through libgvc, which starts the engine process as FFmpeg would."""
    try:
        import av

        from .. import av as _registered  # noqa: F401

        context = av.CodecContext.create("gvc", "w")
        context.width = context.height = 64
        context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 25)
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts = 0
        with variable("GVC_SERVE", "0"):  # The check is about starting an engine, so a warm one is not used
            size = sum(packet.size for packet in [*context.encode(frame), *context.encode(None)])
    except Exception as error:  # Any error is a result of the check
        advice = f"see the message above; the engine runs with {os.environ.get('GVC_PYTHON', sys.executable)}"
        return Check("engine", False, str(error), advice)
    return Check("engine", size > 0, f"starts and codes a picture ({size} bytes)")


def _warm_engine() -> Check:
    """Look for the user's warm engine, which keeps models loaded."""
    try:
        from ..engine.address import find_engine
    except Exception as error:  # The import fails if libgvc's header is missing
        return Check("warm engine", False, str(error), REINSTALL, needed=False)
    pid, ignored = find_engine(), os.environ.get("GVC_SERVE") == "0"
    found = f"runs (process {pid})" if pid else "none runs, so each program starts an engine of its own"
    if pid and ignored:
        found = f"runs (process {pid}), and is not used because of GVC_SERVE=0"
    advice = "unset GVC_SERVE" if ignored else "`gvc serve` keeps models loaded between programs"
    return Check("warm engine", pid is not None and not ignored, found, advice, needed=False)


def _speeds() -> Check:
    """Show the measured speeds by which `prior=auto` chooses."""
    if package_version("gvc") and not _extra("neural").ok:
        return Check("prior auto", True, "takes gp, because the extra neural is not installed")
    from ..machine.cache import cache_file
    from ..priors.auto import PLAYING_SHARE, kept_speeds

    found = []
    for label, seconds in kept_speeds():
        size, rate = f"{label['side']}x{label['side']}", PLAYING_SHARE / seconds
        found.append(f"{size} up to {rate:.3g} frames/s ({label['prior']}, {label['device']}, {label['dtype']})")
    known = f"takes neural for {'; '.join(found)}; to measure anew remove {cache_file('speed', '')}" if found else ""
    return Check("prior auto", True, known or "not measured here yet; the first use of --prior auto does that")


def _models() -> Check:
    """Tell which models of the catalogue can run here without anything being fetched."""
    advice = "`gvc models` lists them, with the command for each"
    if not (package_version("gvc") and _extra("models").ok):
        return Check("models", False, "need the extra models", "pip install 'gvc[models]'", needed=False)
    from ..priors.hub_cache import cached_repositories
    from .survey import survey

    if not cached_repositories():  # Looking for accelerators takes longer.
        return Check("models", False, "none in the cache", advice, needed=False)
    there = [entry for entry in survey().entries if entry.cached and not entry.cached.lacks]
    able = [entry.model.name for entry in there if entry.settings]
    found = f"{', '.join(able) or 'none'} of {len(there)} in the cache can run here"
    return Check("models", bool(able), found, advice, needed=False)
