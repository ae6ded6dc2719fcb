# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The sequence header: all that holds for a whole stream. It is the extradata (Matroska CodecPrivate).

Syntax: docs/BITSTREAM.md, "Sequence header".
"""

import re
import zlib
from dataclasses import dataclass
from fractions import Fraction

from ..errors import BitstreamError
from ..media import MAX_DIMENSION, SAMPLE_FORMATS, VideoFormat
from ..modes import Mode, Scheme
from .fields import FieldReader, FieldWriter

MAGIC = b"GVC1"
VERSION = 1
FIXED_SIZE = 30  # bytes up to and including the frame rate; libgvc reads these
MAX_SIZE = 4096
MAX_PROMPT = 2048  # bytes
PRIOR_NAME = re.compile(r"[a-z0-9]{1,16}/[a-z0-9][a-z0-9._-]{0,31}", re.ASCII)  # FAMILY/VARIANT
MODES, TRANSITIONS = tuple(Mode), tuple(Scheme)  # by their codes
MAX_CODEBOOK_EXTRA = 8
MAX_CODEBOOK_LIMIT = 24
SDE_SHIFT = 3  # where the header does not say it
MAX_SKIPS = 15  # largest number of steps in a row without the network
LOWRES_SIZE = 50  # default of the size at low resolution, where there is none
X0_CACHE, SCHEDULE, PROMPT, REFRESH, LOWRES = 1, 2, 4, 8, 16  # bits of the tools


@dataclass(frozen=True, kw_only=True)
class SequenceHeader:
    """What decoder and encoder agree on for all GOPs, in the order of the stream."""

    format: VideoFormat
    mode: Mode
    transition: Scheme
    codebook_extra: int = 0  # a codebook has 2^(ceil(log2 D) + codebook_extra) atoms
    seed: int = 42
    x0_cache: int = 0  # at most so many steps in a row take the x0_hat of a step before them, 0..MAX_SKIPS
    weights_hash: bytes = bytes(8)
    prior: str  # its name, e.g. "gp/1"
    shift: int = SDE_SHIFT  # of the time grid of the sde transition, 1..255
    codebook_limit: int = 0  # at most 2^codebook_limit atoms of a codebook are used; 0: all
    prompt: str = ""  # text for the prior
    x0_warmup: int = 0  # with x0_cache: number of steps before the first round of the refresh schedule, 0..255
    lowres_steps: int = 0  # number of first steps at low resolution, 0..255
    lowres_size: int = LOWRES_SIZE  # with lowres_steps: percentage of each side at low resolution, 1..99

    def __post_init__(self) -> None:
        """Take plain names, as options have them, for modes and transitions. Raises ValueError for unknown ones."""
        object.__setattr__(self, "mode", Mode(self.mode))
        object.__setattr__(self, "transition", Scheme(self.transition))

    @property
    def tools(self) -> int:
        """Which of the parts of the header that need not be there are there."""
        parts = {
            X0_CACHE: self.x0_cache,
            SCHEDULE: self.shift != SDE_SHIFT or self.codebook_limit,
            PROMPT: self.prompt,
            REFRESH: self.x0_cache and (self.x0_cache, self.x0_warmup) != (1, 0),
            LOWRES: self.lowres_steps,
        }
        return sum(bit for bit, said in parts.items() if said)


def write_sequence_header(header: SequenceHeader) -> bytes:
    """Return the bytes of a sequence header. Raises ValueError when the prompt is too long."""
    video, name, rest = header.format, header.prior.encode(), _optional_fields(header)
    w = FieldWriter()
    w.raw(MAGIC)
    w.uint(VERSION, 1)
    w.uint(video.samples.code, 1)
    w.uint(FIXED_SIZE + 3 + 4 + 1 + 8 + 1 + len(name) + len(rest) + 4, 2)
    w.uint(video.width, 2)
    w.uint(video.height, 2)
    for value, unspecified in (
        (video.color_range, 0),
        (video.color_primaries, 2),
        (video.color_trc, 2),
        (video.colorspace, 2),
        (video.chroma_location, 0),
    ):
        w.uint(value if value in range(256) else unspecified, 1)  # FFmpeg has some of its own, from 256 on
    w.uint(0, 1)  # reserved
    for value in _fitting_ratio(video.sample_aspect_ratio, 2**16 - 1):
        w.uint(value, 2)
    for value in _fitting_ratio(video.frame_rate, 2**31 - 1):  # readers may keep it in signed integers
        w.uint(value, 4)
    w.uint(MODES.index(header.mode), 1)
    w.uint(TRANSITIONS.index(header.transition), 1)
    w.uint(header.codebook_extra, 1)
    w.uint(header.seed, 4)
    w.uint(header.tools, 1)
    w.raw(header.weights_hash)
    w.uint(len(name), 1)
    w.raw(name)
    w.raw(rest)
    w.uint(zlib.crc32(bytes(w)), 4)
    return bytes(w)


def _optional_fields(header: SequenceHeader) -> bytes:
    """Return what the tools of a header bring along."""
    w = FieldWriter()
    if header.tools & SCHEDULE:
        w.uint(header.shift, 1)
        w.uint(header.codebook_limit, 1)
    if header.tools & PROMPT:
        text = header.prompt.encode()
        if len(text) > MAX_PROMPT:
            raise ValueError(f"a prompt has at most {MAX_PROMPT} bytes")
        w.sized(text)
    if header.tools & REFRESH:
        w.uint(header.x0_cache, 1)
        w.uint(header.x0_warmup, 1)
    if header.tools & LOWRES:
        w.uint(header.lowres_steps, 1)
        w.uint(header.lowres_size, 1)
    return bytes(w)


def _fitting_ratio(value: Fraction, limit: int) -> tuple[int, int]:
    """Return (numerator, denominator), neither above `limit`, of the fraction nearest to `value`."""
    if value <= 1:
        return value.limit_denominator(limit).as_integer_ratio()
    return (1 / (1 / min(value, Fraction(limit))).limit_denominator(limit)).as_integer_ratio()


def parse_sequence_header(data: bytes) -> SequenceHeader:
    """Parse a sequence header. Raises BitstreamError; never allocates by what the bytes say.

    Bytes after the header are passed over: containers pad the CodecPrivate to an even size.
    """
    r = FieldReader(data)
    if r.raw("magic", 4) != MAGIC:
        raise BitstreamError("magic", 0, "this is no GVC sequence header")
    if (version := r.uint("version", 1)) != VERSION:
        raise r.fail("version", f"this is bitstream version {version} and only {VERSION} is known; update GVC")
    samples = SAMPLE_FORMATS[r.uint("sample_format", 1, 1, len(SAMPLE_FORMATS)) - 1]
    if (size := r.uint("header_size", 2, FIXED_SIZE, MAX_SIZE)) > len(data):
        raise r.fail("header_size", f"the header says {size} bytes and has {len(data)}")
    if zlib.crc32(data[: size - 4]) != int.from_bytes(data[size - 4 : size], "little"):
        raise BitstreamError("header_checksum", size - 4, "the sequence header is damaged")
    r.end = size - 4
    width = r.uint("width", 2, 1, MAX_DIMENSION)
    height = r.uint("height", 2, 1, MAX_DIMENSION)
    color = [r.uint(name, 1) for name in ("color_range", "color_primaries", "transfer", "matrix", "chroma_location")]
    r.uint("reserved", 1, 0, 0)
    sar = Fraction(r.uint("sar_num", 2), r.uint("sar_den", 2, 1))
    rate = Fraction(r.uint("rate_num", 4), r.uint("rate_den", 4, 1))
    video = VideoFormat(
        width,
        height,
        frame_rate=rate,
        time_base=1 / rate if rate else Fraction(1, 25),
        sample_aspect_ratio=sar,
        color_range=color[0],
        color_primaries=color[1],
        color_trc=color[2],
        colorspace=color[3],
        chroma_location=color[4],
        samples=samples,
    )
    mode = MODES[r.uint("mode", 1, 0, len(MODES) - 1)]
    transition = TRANSITIONS[r.uint("transition", 1, 0, len(TRANSITIONS) - 1)]
    extra = r.uint("codebook_extra", 1, 0, MAX_CODEBOOK_EXTRA)
    seed = r.uint("seed", 4)
    tools = r.uint("tools", 1, 0, X0_CACHE | SCHEDULE | PROMPT | REFRESH | LOWRES)
    if tools & REFRESH and not tools & X0_CACHE:
        raise r.fail("tools", "a refresh schedule is flagged without the x0-cache that it is for")
    weights_hash = r.raw("weights_hash", 8)
    prior = _text(r, "prior_name", r.raw("prior_name", r.uint("name_size", 1)))
    shift, limit, prompt = SDE_SHIFT, 0, ""
    skips, warmup, lowres_steps, lowres_size = int(bool(tools & X0_CACHE)), 0, 0, LOWRES_SIZE
    if tools & SCHEDULE:
        shift, limit = r.uint("shift", 1, 1), r.uint("codebook_limit", 1, 0, MAX_CODEBOOK_LIMIT)
    if tools & PROMPT:
        prompt = _text(r, "prompt", r.sized("prompt"))
    if tools & REFRESH:
        skips, warmup = r.uint("x0_skips", 1, 1, MAX_SKIPS), r.uint("x0_warmup", 1)
    if tools & LOWRES:
        lowres_steps, lowres_size = r.uint("lowres_steps", 1, 1), r.uint("lowres_size", 1, 1, 99)
    if r.offset != r.end:
        raise r.fail("header_size", f"the fields take {r.offset} bytes of {r.end}")
    r.end = size
    r.uint("header_checksum", 4)
    if not PRIOR_NAME.fullmatch(prior):
        raise r.fail("prior_name", f"{prior!r} is no FAMILY/VARIANT of small letters and digits")
    header = SequenceHeader(
        format=video,
        mode=mode,
        transition=transition,
        codebook_extra=extra,
        seed=seed,
        x0_cache=skips,
        weights_hash=weights_hash,
        prior=prior,
        shift=shift,
        codebook_limit=limit,
        prompt=prompt,
        x0_warmup=warmup,
        lowres_steps=lowres_steps,
        lowres_size=lowres_size,
    )
    if header.tools != tools:
        raise r.fail("tools", "a part that is flagged says nothing")
    return header


def _text(r: FieldReader, element: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise r.fail(element, "it is no UTF-8 text") from None
