# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The bundled prior `gp`, a Gaussian process in closed form."""

from .prior import VERSIONS, GpPrior

__all__ = ["VERSIONS", "GpPrior"]
