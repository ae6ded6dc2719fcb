# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Python libraries. Each gets an environment of its own, and reads the film in its order and then at random."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .kit import FRAMES, GVC, ROOT, Kit, TrialError, version_of
from .programs import compare

LIBRARIES = "Python libraries"
ENVIRONMENTS = ROOT / "build" / "compatibility"
DEBIAN_PYTHON = "/usr/bin/python3"
SETUP = """
import hashlib, json, random, sys
def checksum(pixels):
    return hashlib.md5(pixels if isinstance(pixels, bytes) else pixels.tobytes()).hexdigest()
"""
REPORT = """
whole = [checksum(pixels) for pixels in linear(sys.argv[1])]
mixed = random.Random(3).sample(range(len(whole)), len(whole))
found = dict(zip(mixed, map(checksum, pick(sys.argv[1], mixed))))
print(json.dumps([whole, [found[i] for i in sorted(found)]]))
"""


@dataclass(frozen=True)
class Library:
    """A Python library and how it is tried.

    name: its name, which begins the row.
    requirements: what pip installs, without dependencies; the first one is the library.
    call: what users call.
    script: definitions of linear(path) and pick(path, numbers), which yield pixels.
    how: what users have to know. Default: nothing.
    debian: Debian package that is tried in the system's Python, instead of requirements. Default: none.
    oldest: version of Python that is needed at least. Default: this one.
    planes: whether pixels are the film's own samples, so that they can be compared with FFmpeg's. Default: no; they are
        compared with those of FFV1.
    borrowed: modules of this Python that the library uses. Default: none.
    variables: environment that it needs, with PACKAGES for the folder of packages. Default: none.
    group: heading under which it stands.
    """

    name: str
    requirements: tuple[str, ...]
    call: str
    script: str
    how: str = ""
    debian: str = ""
    oldest: int = 0
    planes: bool = False
    borrowed: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    group: str = LIBRARIES

    @property
    def shown(self) -> str:
        return f"`{self.call}`"

    def version(self) -> str | None:
        return version_of(self.debian) if self.debian else self.requirements[0].partition("==")[2]

    def attempt(self, kit: Kit) -> str:
        python = DEBIAN_PYTHON if self.debian else self._environment()
        found = self._read([*GVC, "run", python], kit.film, kit)
        whole = 2 * [kit.hashes(kit.lossless)] if self.planes else self._read([python], kit.lossless, kit)
        for read, of_ffv1 in zip(found, whole, strict=True):
            compare(read, of_ffv1)
        return f"all {FRAMES} pictures, all right, also in random order"

    def _read(self, python: list[str], film: Path, kit: Kit) -> list[list[str]]:
        packages = str(
            Path(python[-1]).parents[1] / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
        )
        variables = {name: value.replace("PACKAGES", packages) for name, value in self.variables}
        script = kit.folder / "library.py"
        script.write_text(SETUP + self.script + REPORT)
        done = kit.run([*python, script, film], GVC_PYTHON=sys.executable, **variables)
        return json.loads(done.stdout.strip().splitlines()[-1])

    def _environment(self) -> Path:
        """Return the Python of an environment that has the library, made if it is not there."""
        folder = ENVIRONMENTS / self.requirements[0].replace("==", "-")
        python = folder / "bin" / "python"
        if not python.exists():
            subprocess.run([self._base(), "-m", "venv", "--without-pip", folder], check=True)
            pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", str(python)]
            subprocess.run([*pip, "install", "--no-deps", *self.requirements], check=True)
            (packages,) = folder.glob("lib/python*/site-packages")
            borrowed = [str(Path(__import__(name).__file__).parents[1]) for name in self.borrowed]
            (packages / "borrowed.pth").write_text("\n".join(borrowed))
            (packages / "gvc").symlink_to(ROOT / "gvc")
            (packages / "gvc_container").symlink_to(ROOT / "container")
        return python

    def _base(self) -> str:
        if not self.oldest or sys.version_info >= (3, self.oldest):
            return sys.executable
        for python in self._pythons():
            try:
                subprocess.run([python, "-c", "import venv"], capture_output=True, check=True)
                return python
            except (OSError, subprocess.CalledProcessError):
                continue
        raise TrialError(f"not tried: there is no Python 3.{self.oldest} here")

    def _pythons(self) -> Iterator[str]:
        versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
        for minor in range(self.oldest, self.oldest + 4):
            yield from (f"python3.{minor}", *map(str, versions.glob(f"3.{minor}.*/bin/python")))
