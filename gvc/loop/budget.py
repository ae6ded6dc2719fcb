# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Limits on the work and memory that one GOP may need (docs/BITSTREAM.md, section 5.6).

They keep a packet of a few bytes from blocking a decoder. Decoders refuse a GOP beyond the limits before they begin;
encoders never write one. The functions `beyond_...` return a clause that says what is too much, or "".
"""

from collections.abc import Sequence

from ..bitstream import SequenceHeader
from ..errors import MediaError
from ..media import VideoFormat
from ..modes import Scheme
from .codebook import log2_size_for, pieces
from .denoise import Rule

MAX_SAMPLES = 2**27  # largest number of luma samples in a GOP with its anchor; bounds the memory of both sides
MAX_NETWORK_STEPS = 129  # largest number of steps for priors whose steps each call a large network
# The work of a step is the number of atoms in its codebooks. The limit for all steps together is a sum: so many atoms
# for each GOP, for each coded byte of atoms, and for each sample. The share of a GOP suffices for two noise vectors of
# the largest codebook, so that a GOP with one step is always allowed. With the ancestral transition the encoder needs
# at most half of the limit (measured).
GOP_ATOMS, BYTE_ATOMS = 2**25, 2**17
# With sde the number of steps is fixed and atoms may be few. So its limit allows 18 noise vectors, each with less than
# twice the 1.5 values that the prior gp may carry for a luma sample.
SAMPLE_ATOMS = {Scheme.ANCESTRAL: 4, Scheme.SDE: 54}


def beyond_samples(frames: int, video: VideoFormat) -> str:
    """Check the size of a GOP. frames: number of its pictures, including the anchor."""
    if frames * video.width * video.height <= MAX_SAMPLES:
        return ""
    return (
        f"{frames} pictures of {video.width}x{video.height} are too much for one GOP; at most "
        f"{MAX_SAMPLES // 2**20} million luma samples fit"
    )


def check_gop_size(frames: int, video: VideoFormat) -> None:
    """Encoder: raise MediaError if a GOP of `frames` pictures is larger than decoders accept."""
    if excess := beyond_samples(frames, video):
        raise MediaError(f"{excess}, so use a smaller picture or shorter GOPs")


def beyond_steps(rule: Rule, *, cheap: bool) -> str:
    """Check the number of steps. cheap: whether the prior's steps take little time (`Prior.cheap_steps`)."""
    if cheap or len(rule.times) <= MAX_NETWORK_STEPS:
        return ""
    return f"{len(rule.times)} steps are too many for a prior with a large network; at most {MAX_NETWORK_STEPS} may be"


def beyond_work(header: SequenceHeader, rule: Rule, blocks: Sequence[slice], frames: int, coded: int) -> str:
    """Check the work of the loop. Steps at low resolution count like others, and the change of resolution as one more.

    blocks: blocks of the latent.
    frames: number of pictures in the GOP, including the anchor.
    coded: number of bytes of its atoms.
    """
    sizes = [piece.stop - piece.start for block in blocks for piece in pieces(block)]
    vectors = 1 + rule.noisy + bool(rule.low_steps)
    atoms = vectors * sum(1 << log2_size_for(size, header.codebook_extra) for size in sizes)
    samples = frames * header.format.width * header.format.height
    most = GOP_ATOMS + SAMPLE_ATOMS[header.transition] * samples + BYTE_ATOMS * coded
    if atoms <= most:
        return ""
    return f"{vectors} noise vectors from {atoms} atoms of codebooks are too much; at most {most} may be"
