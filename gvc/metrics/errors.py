# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What keeps a metric from being measured."""

from types import ModuleType

from ..errors import GvcError
from ..extras import import_extra


class MetricError(GvcError):
    """A metric that cannot be had here, or not for these pictures."""


def needed(module: str) -> ModuleType:
    """Import what a metric needs. Raises MetricError that names the extra."""
    return import_extra(module, "metrics", "this metric", MetricError)
