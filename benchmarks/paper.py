# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The rate of a file of the preset gvcc as the paper's own code would count it."""

from pathlib import Path

from gvc_container.probe import probe

from gvc.gop.rule import FIXED_SILENT, FIXED_STEPS
from gvc.plan.settings import PAPER_LOG2_ATOMS

BLOCKS = 1  # codebooks in a GOP: one for the bundled prior, one for each latent frame in the paper


def paper_bytes(path: Path, atoms: int) -> float:
    """Return bytes by the paper's formula, 17 steps * F * M * (log2 K + 1) bits for a GOP, plus the stills in FLF2V.

    As in the paper, the following is not counted: the second half of I2V's doubled atoms, its first picture and its
    tail, headers, scales and the container. The first versions of the paper also divided by three.
    """
    found = probe(path)
    bits = len(found.gops) * (FIXED_STEPS - FIXED_SILENT) * BLOCKS * atoms * (PAPER_LOG2_ATOMS + 1)
    return bits / 8 + (found.bytes.stills if found.sequence["mode"] == "flf2v" else 0)
