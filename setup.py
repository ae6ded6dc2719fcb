# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Builds gvc._native (pybind11) and, by CMake, the C libraries of gvc/lib. The metadata is in pyproject.toml."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from pybind11.setup_helpers import ParallelCompile, Pybind11Extension, build_ext
from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def require_build_tools() -> None:
    """Stop with one clear sentence instead of a page of output."""
    compilers = {"C": ("CC", "cc"), "C++": ("CXX", "c++")}
    for language, (variable, fallback) in compilers.items():
        command = os.environ.get(variable) or sysconfig.get_config_var(variable) or fallback
        if not any(shutil.which(name) for name in (command.split()[0], fallback)):
            sys.exit(
                f"error: building gvc needs a {language} compiler and none was found; install one "
                f"(Debian: apt-get install g++) or set {variable}"
            )
    if not shutil.which("cmake"):
        sys.exit("error: building gvc needs CMake 3.18 or newer and none was found; install it (apt-get install cmake)")


class BuildExtensions(build_ext):
    """Python's extension modules, then libgvc and the FFmpeg plugin."""

    def run(self) -> None:
        require_build_tools()
        super().run()
        package = ROOT if self.inplace else Path(self.build_lib).resolve()
        self.build_libraries(package / "gvc" / "lib")

    def build_libraries(self, target: Path) -> None:
        build = Path(self.build_temp).resolve() / "cmake"
        configure = ["-DCMAKE_BUILD_TYPE=Release", "-DGVC_PYTHON_PACKAGE=ON", f"-DCMAKE_INSTALL_PREFIX={target}"]
        # A wheel may be installed elsewhere; there libgvc looks for the Python of the environment that it lies in.
        configure.append(f"-DGVC_ENGINE_PYTHON={sys.executable if self.inplace else ''}")
        subprocess.run(["cmake", "-S", str(ROOT), "-B", str(build), *configure], check=True)
        subprocess.run(["cmake", "--build", str(build), "--parallel", "--target", "install"], check=True)


def native_extensions() -> list[Pybind11Extension]:
    folder = ROOT / "gvc" / "native"
    sources, headers = ([str(p.relative_to(ROOT)) for p in sorted(folder.glob(kind))] for kind in ("*.cpp", "*.h"))
    # Contracting a*b+c into one rounding would let two machines disagree about what a stream says.
    flags = ["-O3", "-ffp-contract=off", "-Wall", "-Wextra"]
    return [Pybind11Extension("gvc._native", sources, cxx_std=17, extra_compile_args=flags, depends=headers)]


ParallelCompile().install()
setup(
    packages=[*find_packages(include=["gvc", "gvc.*"]), "gvc_container"],
    package_dir={"gvc_container": "container"},
    include_package_data=False,  # or each folder that MANIFEST.in names would count as a package
    package_data={
        "gvc": [
            "py.typed",
            "**/*.safetensors",
            "**/*.json",
            "**/*.npz",
            "compare/page/*",
            "**/CREDITS.tsv",  # whoever passes weights on passes these on too
            "**/MODEL_CARD.md",
        ],
        "gvc_container": ["py.typed"],
    },
    ext_modules=native_extensions(),
    cmdclass={"build_ext": BuildExtensions},
)
