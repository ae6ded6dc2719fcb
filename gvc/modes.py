# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The two choices that a sequence header makes for a whole stream: the conditioning of GOPs, and the step rule."""

from enum import StrEnum


class Mode(StrEnum):
    """Conditioning of the generative model: which pictures of a GOP encoder and decoder know in advance."""

    T2V = "t2v"
    I2V = "i2v"
    FLF2V = "flf2v"

    @property
    def has_first(self) -> bool:
        """Whether the first picture is known: a still, or the last picture of the GOP before (the anchor)."""
        return self is not Mode.T2V

    @property
    def has_last(self) -> bool:
        """Whether the last picture is known; it is a still."""
        return self is Mode.FLF2V

    @property
    def has_tail(self) -> bool:
        """Whether the end of a GOP may be corrected: the next GOP refers to it, and it is not a still."""
        return self.has_first and not self.has_last

    @property
    def overlaps(self) -> bool:
        """Whether a GOP may also code the first pictures of the next one for blending; no anchor joins the two."""
        return not self.has_first


class Scheme(StrEnum):
    """Step rule of the trajectory, which also determines how atoms are chosen."""

    ANCESTRAL = "ancestral"
    SDE = "sde"

    @property
    def fixed(self) -> bool:
        """Whether time and number of atoms of each step are fixed (arXiv 2603.26571) and not matched to the source."""
        return self is Scheme.SDE

    @property
    def corrects_latent(self) -> bool:
        """Whether a tail corrects the last latent frame, and not the last pictures."""
        return self.fixed
