# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Code the last pictures of a chain anew, as a chain of its own with the settings of the stream."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from statistics import median_low

from gvc.bitstream import GopUnit, SequenceHeader, is_show, read_packet
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import BitstreamError
from gvc.loop.denoise import OnStep
from gvc.media import Packet, Picture
from gvc.options import DECODER_OPTIONS
from gvc.plan.quality import level_quality
from gvc.plan.settings import LONGEST_GOP, PAPER_LOG2_ATOMS

# Addition to the quality of the film, since pictures lose once more. On two films of 26 and 72 pictures the loss shrank
# by 1.4 and 2.4 dB for 29 and 47 % more bytes of one chain.
FINER = 10
# Fields of the sequence header that have the names of their options
SAME = ("mode", "transition", "seed", "prompt", "x0_cache", "x0_warmup", "lowres_steps", "lowres_size")
NO_SPLIT = 2**31 - 1  # Distance of keyframes in pictures that no chain reaches


def recoded(
    chain: Sequence[Packet],
    skipped: int,
    time_base: Fraction,
    options: Mapping[str, object],
    *,
    warn: Callable[[str], object] = warnings.warn,
    on_step: OnStep | None = None,
) -> Iterator[Packet]:
    """Yield the packets of a new chain that has the pictures of a chain without its first ones.

    Args:
        chain: packets of a chain from its keyframe on.
        skipped: number of pictures that are left out, 1 or more.
        time_base: seconds in a tick of the packets' times.
        options: values by name (gvc.options.ENCODER_OPTIONS), which override what is known from the chain.
        warn: function called with a sentence about damage. Default: warnings.warn.
        on_step: function that is called at each step of the encoder's loop. Default: none.

    Raises BitstreamError if the keyframe is damaged, PriorError, OptionError.
    """
    units = [unit for packet in chain if (unit := _unit(packet))]
    header = units[0].header if units else None
    if header is None:
        raise BitstreamError("packet_type", 0, "the part begins in a chain without an intact keyframe")
    shared = {option.name: options[option.name] for option in DECODER_OPTIONS if option.name in options}
    decoder = Decoder(None, shared)
    video = replace(header.format, time_base=time_base)
    encoder = Encoder(video, settings_of(header, units) | dict(options), on_step=on_step, first=units[0].index)
    try:
        for number, packet in enumerate(chain):
            for picture in _decoded(decoder, packet, warn):
                if number >= skipped:
                    yield from encoder.encode(picture)
        yield from encoder.encode(None)
    finally:
        encoder.close()


def settings_of(header: SequenceHeader, units: Sequence[GopUnit]) -> dict[str, object]:
    """Return encoder options by name with which a chain can be coded again, as far as its GOPs tell them.

    The quality is FINER than the one at which coding stopped in most GOPs. It is missing if no GOP has any atoms.
    """
    anchored, fixed = header.mode.has_first, header.transition.fixed
    spanned = max(unit.shown + unit.ahead + (anchored and not unit.key) for unit in units)
    levels = [unit.stop for unit in units if not unit.bare]
    settings = {
        **{name: getattr(header, name) for name in SAME},
        "prior": header.prior.partition("/")[0],
        "overlap": max(unit.ahead for unit in units),
        "gop": spanned if spanned > LONGEST_GOP else 0,
        "keyint": NO_SPLIT,
    }
    if fixed:
        settings["shift"] = header.shift
        settings["preset"] = "gvcc" if header.codebook_limit == PAPER_LOG2_ATOMS else "medium"
    elif levels:
        settings["quality"] = min(level_quality(median_low(levels)) + FINER, 100.0)
    return settings


def _unit(packet: Packet) -> GopUnit | None:
    try:
        return None if is_show(packet.data) else read_packet(packet.data)
    except BitstreamError:
        return None


def _decoded(decoder: Decoder, packet: Packet, warn: Callable[[str], object]) -> list[Picture]:
    try:
        pictures = decoder.decode(packet)
    except BitstreamError as error:
        warn(f"a picture at the beginning is missing: {error}")
        return []
    for picture in pictures:
        if picture.error:
            warn(f"a picture at the beginning comes from a damaged packet: {picture.error}")
    return pictures
