# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Description of the machine and the software that produced figures; part of every result."""

import hashlib
import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.programs import FFMPEG

ROOT = Path(__file__).resolve().parents[1]
CODE = ("gvc", "torch", "numpy", "av")
METRICS = ("pytorch-msssim", "opencv-python-headless", "imageio-ffmpeg", "bjontegaard")
SOURCES = ("**/*.py", "native/*.cpp", "native/*.h")


def describe() -> dict:
    """Return the machine, the versions and the state of the sources, for the JSON of a run."""
    return {"machine": machine(), "versions": versions(), "commit": commit(), "load": os.getloadavg()[0]}


def machine() -> dict:
    """Return facts about the hardware and the system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _first(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo")) or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}, {platform.freedesktop_os_release()['PRETTY_NAME']}",
    }


@cache
def versions() -> dict[str, str]:
    """Return the versions of the programs and libraries that the figures depend on."""
    found = {"python": platform.python_version()}
    for package in CODE + METRICS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    banner = subprocess.run([FFMPEG, "-version"], capture_output=True, text=True, check=True).stdout
    found["ffmpeg of imageio-ffmpeg"] = banner.split()[2]
    return found


def commit(folder: Path = ROOT) -> str:
    """Return the commit of a checkout, default this one, with a mark if its files differ from it; or "unknown"."""
    command = ("git", "describe", "--always", "--dirty", "--abbrev=12")
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError):  # Git is missing, or the sources are no clone.
        return "unknown"


@cache
def code_of(package: str) -> str:
    """Return a hash of a package's sources; figures remain valid as long as it does not change."""
    digest = hashlib.sha256()
    folder = ROOT / package
    for path in sorted(path for pattern in SOURCES for path in folder.glob(pattern)):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def command_line(module: str = "benchmarks") -> str:
    """Return the command line of this run of a module."""
    return " ".join([f"python -m {module}", *sys.argv[1:]])


def _first(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text()) if path.exists() else None
    return found[1] if found else ""
