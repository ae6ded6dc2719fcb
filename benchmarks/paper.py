# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The rate of a file of the preset gvcc as the paper's own code would count it."""

from pathlib import Path

from gvc_container.probe import probe

from gvc.gop.rule import FIXED_SILENT, FIXED_STEPS
from gvc.plan.settings import PAPER_LOG2_ATOMS

BLOCKS = 1  # parts of a GOP with a codebook of their own; F latent frames in the paper, one for the bundled prior


def paper_bytes(path: Path, atoms: int) -> float:
    """Return bytes by 17 steps * F * M * (log2 K + 1) bits a GOP, and for FLF2V the stills.

    Not counted, as there: the second half of the doubled atoms of I2V, its first picture and its tail, headers, scales
    and the container. The paper's first versions also divided by three.
    """
    found = probe(path)
    bits = len(found.gops) * (FIXED_STEPS - FIXED_SILENT) * BLOCKS * atoms * (PAPER_LOG2_ATOMS + 1)
    return bits / 8 + (found.bytes.stills if found.sequence["mode"] == "flf2v" else 0)
