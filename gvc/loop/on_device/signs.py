# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Philox4x32-10 and the sign diagonals of codebooks, as gvc/native/philox.h defines them."""

import torch
from torch import Tensor

MULTIPLIERS, INCREMENTS = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)
SECOND_KEY = 0x47564331
WORD = 0xFFFFFFFF
Word = Tensor | int  # 32-bit unsigned value: an int, or an int64 tensor


def philox4x32_10(counter: tuple[Word, Word, Word, Word], key: tuple[int, int]) -> tuple[Word, Word, Word, Word]:
    """Return the generator's four words for a counter, whose words may be tensors of shapes that can be broadcast."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        # int64 wraps around, which leaves all bits of the unsigned product as they are.
        p0, p1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1, c2, c3 = (p1 >> 32 ^ c1 ^ k0) & WORD, p1 & WORD, (p0 >> 32 ^ c3 ^ k1) & WORD, p0 & WORD
        k0, k1 = k0 + INCREMENTS[0] & WORD, k1 + INCREMENTS[1] & WORD
    return c0, c1, c2, c3


def sign_diagonals(count: int, blocks: range, device: torch.device, *, seed: int, gop: int, step: int) -> Tensor:
    """Return the first `count` signs of the diagonals 0, 1 and 2 of some blocks, int8 [3, blocks, count]."""
    words = torch.arange(-(-count // 128), device=device)
    numbers = torch.arange(blocks.start, blocks.stop, device=device)[:, None]
    diagonals = (gop << 2) + torch.arange(3, device=device)[:, None, None]
    lanes = philox4x32_10((words, numbers, step, diagonals), (seed, SECOND_KEY))
    octets = torch.stack(lanes, dim=-1).to(torch.int32).view(torch.int8)  # Little-endian on all supported machines.
    bits = octets[..., None] >> torch.arange(8, dtype=torch.int8, device=device) & 1
    return (1 - 2 * bits).flatten(2)[..., :count]
