# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What keeps a metric from being measured."""

from importlib import import_module
from types import ModuleType

from ..errors import GvcError


class MetricError(GvcError):
    """A metric that cannot be had here, or not for these pictures."""


def needed(module: str, package: str) -> ModuleType:
    """Import what a metric needs. Raises MetricError that names the package."""
    try:
        return import_module(module)
    except ImportError:
        raise MetricError(f"the package {package} is missing; install it: pip install 'gvc[metrics]'") from None
