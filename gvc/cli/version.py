# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc --version`."""

import platform
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("av", "torch", "diffusers", "numpy")


def package_version(name: str) -> str | None:
    """Return the version of an installed package without importing it; None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def version_text() -> str:
    """Return the versions of GVC, its bitstream, Python and the main libraries."""
    from ..bitstream.sequence import VERSION

    libraries = ", ".join(f"{name} {package_version(name) or 'not installed'}" for name in LIBRARIES)
    return f"gvc {package_version('gvc') or '(not installed)'}, bitstream {VERSION}\n" + (
        f"Python {platform.python_version()}, {libraries}"
    )
