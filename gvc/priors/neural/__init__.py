# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The bundled prior `neural`: `gp` with a learned last step."""

from .prior import VERSIONS, NeuralPrior

__all__ = ["VERSIONS", "NeuralPrior"]
