# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The choice of atoms by falling magnitude of their correlation, as gvc/native/ranking.cpp does it for one block."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from ...entropy import MAX_COUNT

# Magnitudes are added as integers, multiples of 2^-36: then no order of additions matters, so a device always makes the
# same choice. Their sum is at most N for a residual of unit norm, below 2^25 with all rounding.
UNIT = 2.0**-36


class RankingBatch:
    """Order of the atoms of several blocks by falling magnitude of their correlations, then by rising index.

    correlations: finite float32 [blocks, K].
    """

    def __init__(self, correlations: Tensor):
        magnitudes, self._order = correlations.abs().sort(dim=1, descending=True, stable=True)
        self._negative = correlations < 0
        sums = _sums_along_rows((magnitudes.double() / UNIT).long()).double() * UNIT
        counts = torch.arange(1, sums.shape[1] + 1, device=sums.device)
        self._reach = pad(sums / counts.double().sqrt(), (1, 0))  # [blocks, K + 1], by number of atoms

    def matched(self, wants: Tensor) -> Tensor:
        """Return, int64 [blocks], the numbers of atoms whose sum, projected on the residual, is closest to `wants`.

        wants: float64 [blocks, 1], not negative.
        """
        reach = self._reach[:, 1:]
        enough = reach >= wants
        # Of equal values argmax gives the first one, which is the smallest count.
        found = torch.where(enough.any(1), enough.byte().argmax(1), reach.argmax(1))[:, None]
        counts = (found + 1).clamp(max=MAX_COUNT)
        middle = (self._reach.gather(1, counts - 1) + self._reach.gather(1, counts)) / 2
        return (counts - (wants <= middle).long())[:, 0]

    def take(self, counts: Tensor) -> Tensor:
        """Return the signs of the strongest atoms and 0 for all others, int8 [blocks, K]. counts: int64 [blocks]."""
        ranks = torch.arange(self._order.shape[1], device=counts.device)
        strong = (ranks < counts[:, None]).to(torch.int8)
        chosen = torch.empty_like(strong).scatter_(1, self._order, strong)
        return torch.where(self._negative, -chosen, chosen)


def _sums_along_rows(values: Tensor) -> Tensor:
    """Return the cumulative sums of each row of int64 [rows, N].

    They come from one scan of all values, since torch scans few long rows slowly. It may wrap around, which subtraction
    undoes.
    """
    sums = values.flatten().cumsum(0).view(values.shape)
    return sums - (sums[:, :1] - values[:, :1])
