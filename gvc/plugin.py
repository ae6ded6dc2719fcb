# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The FFmpeg plugin: where it is, and how to run a program with it.

The plugin registers the codec `gvc` inside the unmodified FFmpeg libraries of a process. Other programs get it by
preloading, which this module does; PyAV in this process gets it through `import gvc.av`.
"""

import ctypes
import mmap
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NoReturn

from .errors import EngineError
from .machine.process import given_environment

STATIC_BUILD = "is a static build, and the plugin cannot add GVC to FFmpeg libraries that are inside a program"
STATIC_ADVICE = (
    "put one that uses shared libraries before it on PATH, such as Debian's, or build one with GVC inside (make ffmpeg)"
)
STATIC_LIBRARY = "has FFmpeg's libraries inside it, out of the plugin's reach; use one that has shared ones beside it"
NOTHING_LOADED = "no FFmpeg library is loaded in this process; import what brings one, then call this again"
# By default mpv decodes in the thread that also handles the keyboard.
FIRST_ARGUMENTS = {"mpv": ("--vd-queue-enable=yes",)}
PACKAGES = {
    "ffprobe": "ffmpeg",
    "ffplay": "ffmpeg",
    "vlc": "vlc",
    "cvlc": "vlc-bin vlc-plugin-base",
    "gst-launch-1.0": "gstreamer1.0-tools",
    "gst-play-1.0": "gstreamer1.0-plugins-base-apps",
    "gst-discoverer-1.0": "gstreamer1.0-plugins-base-apps",
}
# mpv shows pictures by their timestamps, so the decoder may return them a whole GOP late. Without this variable the
# decoder would take mpv's thread count as the permitted delay. OpenShot loses frames that come after the last packet.
VARIABLES = {"mpv": {"GVC_FRAME_DELAY": "129"}, "openshot-qt": {"GVC_FRAME_DELAY": "0"}}


def library_path() -> Path:
    """Return the path of libgvc_ffmpeg.so. Raises EngineError if it was not built."""
    path = Path(__file__).resolve().parent / "lib" / "libgvc_ffmpeg.so"
    if not path.is_file():
        raise EngineError(f"the FFmpeg plugin is missing at {path}; install gvc again (needs CMake and a C compiler)")
    return path


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a copy of an environment that makes programs load the plugin. Raises EngineError.

    base: the environment to copy, default the one that this process was started with.
    """
    path = library_path()
    variables = given_environment() if base is None else dict(base)
    preload = str(path)
    if any(separator in preload for separator in " :"):
        # The loader splits LD_PRELOAD at spaces and colons and has no quoting, so only the file name can stand there.
        # LD_LIBRARY_PATH, which then names the folder, is split at colons only.
        if ":" in preload:
            raise EngineError(
                f"the FFmpeg plugin cannot be preloaded from {path}; install gvc in a path without colons"
            )
        variables["LD_LIBRARY_PATH"] = _before(path.parent, variables.get("LD_LIBRARY_PATH"))
        preload = path.name
    variables["LD_PRELOAD"] = _before(preload, variables.get("LD_PRELOAD"))
    if sys.executable:
        variables.setdefault("GVC_PYTHON", sys.executable)
    return variables


def _before(entry: str | Path, others: str | None) -> str:
    """Return a list for the environment that has an entry before the others, if there are any."""
    return f"{entry}:{others}" if others else str(entry)


def _built_folder(name: str, advice: str) -> Path:
    """Return a folder of what is built for a player. Raises EngineError with `advice` if it is not there."""
    folder = Path(__file__).resolve().parent / "lib" / name
    if not folder.is_dir():
        raise EngineError(advice)
    return folder


def gstreamer_folder() -> Path:
    """Return the folder of GVC's elements for GStreamer. Raises EngineError if they were not built."""
    return _built_folder(
        "gstreamer-1.0",
        "GVC's elements for GStreamer were not built; install GStreamer's headers (apt-get install "
        "libgstreamer-plugins-base1.0-dev), then build and install gvc again",
    )


def gstreamer_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which GStreamer finds GVC's elements, if they were built.

    The variables also name a registry file, in which libavcodec's GVC may be listed too. In the user's normal registry,
    programs without the plugin would find it instead of the codec that it replaces, so the plugin stays out of
    GStreamer unless these variables are set. A registry named by the user is kept, and the plugin then stays out of
    GStreamer. The elements do no harm there: GStreamer drops them as soon as their folder is not searched any more.
    """
    from .machine.cache import cache_file

    changed = {}
    with suppress(EngineError):
        name = "GST_PLUGIN_PATH_1_0" if "GST_PLUGIN_PATH_1_0" in variables else "GST_PLUGIN_PATH"
        changed[name] = _before(gstreamer_folder(), variables.get(name))
    if "GST_REGISTRY" not in variables and "GST_REGISTRY_1_0" not in variables:
        registry = str(cache_file("gstreamer", "registry.bin"))
        changed |= {"GST_REGISTRY_1_0": registry, "GVC_GST_REGISTRY": registry}
    return changed


def vlc_folder() -> Path:
    """Return the folder of GVC's module for VLC. Raises EngineError if it was not built."""
    return _built_folder(
        "vlc",
        "GVC's module for VLC was not built; install the headers of VLC 3.0 (apt-get install libvlccore-dev), then "
        "install gvc again",
    )


def vlc_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which VLC finds GVC's module, if it was built."""
    with suppress(EngineError):
        return {"VLC_PLUGIN_PATH": _before(vlc_folder(), variables.get("VLC_PLUGIN_PATH"))}
    return {}


def is_static_build(path: str | Path) -> bool:
    """Return whether FFmpeg, without GVC, is linked statically into a program or library, where no plugin can reach it.

    Such a file contains libavcodec's version string and no name of a shared libavcodec. Scripts and programs that only
    start an FFmpeg do not contain that string.
    """
    try:
        with open(path, "rb") as file:
            if file.read(4) != b"\x7fELF":
                return False
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as contents:
                shared = rb"libavcodec(-[0-9a-f]+)?\.so|libgvc"
                return contents.find(b"Lavc") >= 0 and re.search(shared, contents) is None
    except OSError:  # A file that may be executed but not read.
        return False


def imageio_environment() -> dict[str, str]:
    """Return the variable that makes imageio-ffmpeg start the ffmpeg on PATH.

    MoviePy and imageio start the ffmpeg that this package brings, a static build. The result is empty if PATH has no
    ffmpeg that the plugin can serve.
    """
    path = shutil.which("ffmpeg")
    return {"IMAGEIO_FFMPEG_EXE": path} if path and not is_static_build(path) else {}


def run(program: str, args: Sequence[str], *, gstreamer: bool = False) -> NoReturn:
    """Replace this process by `program` (ffmpeg, mpv, melt, python ...) with the plugin loaded.

    As the process is replaced, Ctrl-C, job control and the exit status are the program's own.

    args: the program's arguments; FIRST_ARGUMENTS are put before them, so that `args` take precedence. Likewise
        variables of the environment take precedence over VARIABLES and that of imageio-ffmpeg.
    gstreamer: whether GStreamer in the program finds GVC too, default False.
    Raises EngineError if the program is not found or the plugin cannot serve it.
    """
    path = shutil.which(program)
    if path is None:
        advice = f"; install it, for instance by apt-get install {PACKAGES.get(program, program)}"
        raise EngineError(f"the program {program!r} was not found{'' if os.sep in program else advice}")
    if is_static_build(path):
        raise EngineError(f"{path} {STATIC_BUILD}; {STATIC_ADVICE}")
    name = os.path.basename(program)
    variables = imageio_environment() | VARIABLES.get(name, {}) | environment()
    variables |= vlc_environment(variables)
    if gstreamer:
        variables |= gstreamer_environment(variables)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(path, [program, *FIRST_ARGUMENTS.get(name, ()), *args], variables)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(library_path()))
    library.gvc_ffmpeg_status.restype = ctypes.c_char_p
    return library


def register() -> str:
    """Register the codec in all shared FFmpeg libraries that this process has loaded.

    Returns one line for each library, a sentence; "" if no library is loaded. Raises EngineError if the plugin is
    missing.
    """
    library = _library()
    library.gvc_ffmpeg_install()
    return library.gvc_ffmpeg_status().decode(errors="replace")


def install() -> str:
    """Register the codec in all FFmpeg libraries that this process has loaded, and report static ones too.

    Returns one line for each library, a sentence, or a single sentence if no library is loaded. Raises EngineError if
    the plugin is missing.
    """
    lines = register().splitlines()
    lines += [f"{path} {STATIC_LIBRARY}" for path in _loaded_files() if _has_ffmpeg_inside(path)]
    return "\n".join(lines) or NOTHING_LOADED


_has_ffmpeg_inside = cache(is_static_build)  # Cached because the check reads the whole file.


def _loaded_files() -> list[str]:
    """Return the paths of the program and of all libraries mapped into this process."""
    with open("/proc/self/maps", errors="replace") as maps:
        rows = [line.rstrip("\n").split(maxsplit=5) for line in maps]
    return sorted({row[5] for row in rows if len(row) == 6 and "x" in row[1] and row[5].startswith("/")})
