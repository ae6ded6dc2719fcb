# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Codebooks on an accelerator, with torch: the same as those of gvc/native, for priors whose vectors are there.

The blocks of a GOP are computed together. Noise is exact: its values are sums of integers, and every other operation on
them is a single one that IEEE 754 defines. Correlations are sums of float32 in the order of the native code, so they
are equal to the bit, too, if the residuals are. Only the choice of atoms, which is the encoder's affair, can differ
from the native one, and rarely does: lengths of residuals and sums of magnitudes are rounded in other ways.
"""

from .codebooks import DeviceCodebooks, is_exact

__all__ = ["DeviceCodebooks", "is_exact"]
