# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The error that keeps a metric from being measured."""

from types import ModuleType

from ..errors import GvcError
from ..extras import import_extra


class MetricError(GvcError):
    """A metric cannot be measured here, or not for these pictures."""


def needed(module: str) -> ModuleType:
    """Import a module that a metric needs. Raises a MetricError that names the extra."""
    return import_extra(module, "metrics", "this metric", MetricError)
