# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What one GOP may ask of a decoder: docs/BITSTREAM.md, section 5.6. No packet of a few bytes holds a decoder up.

Decoders refuse what is beyond it before they begin, encoders never write it. The functions `beyond_...` return a clause
that says what is too much, or "".
"""

from collections.abc import Sequence

from ..bitstream import SequenceHeader
from ..errors import MediaError
from ..media import VideoFormat
from ..modes import Scheme
from .codebook import log2_size_for, pieces
from .denoise import Rule

MAX_SAMPLES = 2**27  # luma samples of a GOP, its anchor among them: bounds the memory of either side
MAX_NETWORK_STEPS = 129  # of priors whose every step is a call of a large network
# Atoms of codebooks, which are what decoding a step takes, all steps together: for each GOP, sample, and byte of atoms.
# The first holds two noise vectors of a largest codebook, so that a GOP of one step fits, however few its bytes.
# Measured: with the transition ancestral the encoder needs no more than half of what it may use.
GOP_ATOMS, BYTE_ATOMS = 2**25, 2**17
# The steps of sde are given, and its atoms may be few: 18 noise vectors, each from less than twice the 1.5 values that
# the prior gp may carry for a luma sample.
SAMPLE_ATOMS = {Scheme.ANCESTRAL: 4, Scheme.SDE: 54}


def beyond_samples(frames: int, video: VideoFormat) -> str:
    """Look at the size of a GOP of so many pictures, the anchor among them."""
    if frames * video.width * video.height <= MAX_SAMPLES:
        return ""
    return (
        f"{frames} pictures of {video.width}x{video.height} are too much for one GOP; at most "
        f"{MAX_SAMPLES // 2**20} million luma samples fit"
    )


def check_gop_size(frames: int, video: VideoFormat) -> None:
    """Encoder: raise MediaError when a GOP of so many pictures is larger than decoders accept."""
    if excess := beyond_samples(frames, video):
        raise MediaError(f"{excess}, so ask for a smaller picture or shorter GOPs")


def beyond_steps(rule: Rule, *, cheap: bool) -> str:
    """Look at the number of steps. cheap: whether the prior's are (`Prior.cheap_steps`)."""
    if cheap or len(rule.times) <= MAX_NETWORK_STEPS:
        return ""
    return f"{len(rule.times)} steps are too many for a prior with a large network; at most {MAX_NETWORK_STEPS} may be"


def beyond_work(header: SequenceHeader, rule: Rule, blocks: Sequence[slice], frames: int, coded: int) -> str:
    """Look at the work of the loop.

    blocks: of the latent. frames: of the GOP, the anchor among them. coded: bytes of its atoms.
    """
    sizes = [piece.stop - piece.start for block in blocks for piece in pieces(block)]
    atoms = (1 + rule.noisy) * sum(1 << log2_size_for(size, header.codebook_extra) for size in sizes)
    samples = frames * header.format.width * header.format.height
    most = GOP_ATOMS + SAMPLE_ATOMS[header.transition] * samples + BYTE_ATOMS * coded
    if atoms <= most:
        return ""
    return f"{1 + rule.noisy} noise vectors from {atoms} atoms of codebooks are too much; at most {most} may be"
