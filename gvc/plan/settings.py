# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the options of a stream mean together."""

from dataclasses import dataclass
from types import SimpleNamespace

from ..bitstream import MAX_PROMPT, SDE_SHIFT, SequenceHeader
from ..errors import OptionError
from ..media import VideoFormat
from ..modes import Mode, Scheme
from ..prior import Prior
from .gops import Choose, GopPlanner
from .lengths import SHORTEST, GopLengths
from .quality import crf_quality, quality_level

TEMPORAL_STRIDE = 4  # GOPs whose length is fixed have 4k + 1 pictures, as video models want it
LONGEST_GOP = 33  # pictures, where no length is asked for
CODEBOOK_EXTRA = {"fast": 0, "medium": 2, "slow": 3}  # log2 of atoms a latent value: more find better ones
COARSE_EXTRA = 2  # more of it where this costs little time: up to COARSE_QUALITY blocks of `gp` are small
COARSE_QUALITY = 20

# The scheme of arXiv 2603.26571, whose settings the preset gvcc takes over.
PAPER_LOG2_ATOMS = 14  # of a codebook
PAPER_SHIFT_LARGE, LARGE_SIDE = 5, 720  # of the time grid for I2V and FLF2V from 720p on


@dataclass(frozen=True)
class Settings:
    """How the GOPs of a stream are coded. `effort` is fast, medium or slow; the rest is as in the options."""

    mode: Mode
    scheme: Scheme
    effort: str
    codebook_extra: int
    coarse_extra: int  # added to it for priors whose steps take little time
    codebook_limit: int
    shift: int
    x0_cache: bool
    seed: int
    prompt: str
    atoms: int
    level: int  # noise level where constant quality stops
    gop: int  # pictures that a GOP spans at most, 4k + 1
    by_content: bool  # GOPs are shorter where the content asks for it, if the prior can tell
    keyint: int
    keyint_min: int
    scenecut: float
    overlap: int
    tail: bool
    bitrate: int
    maxrate: int
    bufsize: int

    @classmethod
    def of(cls, options: SimpleNamespace, video_format: VideoFormat) -> "Settings":
        """Return the settings that parsed encoder options ask for. Raises OptionError where these contradict."""
        paper = options.preset == "gvcc"
        effort = "medium" if paper else options.preset
        gop = options.gop or LONGEST_GOP
        gop -= (gop - 1) % TEMPORAL_STRIDE
        mode, scheme = Mode(options.mode), Scheme.SDE if paper else Scheme(options.transition)
        _check(options, scheme, gop)
        level = quality_level(options.quality if options.crf < 0 else crf_quality(options.crf))
        coarse = not options.bitrate and level >= quality_level(COARSE_QUALITY)
        return cls(
            mode=mode,
            scheme=scheme,
            effort=effort,
            codebook_extra=0 if paper else CODEBOOK_EXTRA[effort],
            coarse_extra=COARSE_EXTRA if coarse and not paper else 0,
            codebook_limit=PAPER_LOG2_ATOMS if paper else 0,
            shift=options.shift or _paper_shift(mode, video_format),
            x0_cache=bool(options.x0_cache),
            seed=options.seed,
            prompt=options.prompt,
            atoms=options.atoms,
            level=level,
            gop=gop,
            by_content=not (options.gop or scheme.fixed),
            keyint=options.keyint,
            keyint_min=options.keyint_min,
            scenecut=options.scenecut if options.sc_threshold < 0 else options.sc_threshold / 100,
            overlap=options.overlap,
            tail=bool(options.tail) and mode.has_tail,
            bitrate=options.bitrate,
            maxrate=options.maxrate,
            bufsize=options.bufsize,
        )

    def lengths(self, prior: Prior) -> GopLengths | None:
        """Return what makes GOPs as long as their content asks, or None where all are to have the same length."""
        if not self.by_content or self.mode not in prior.adaptive_modes:
            return None
        return GopLengths(prior.sample_scale, SHORTEST[self.effort])

    def planner(self, choose: Choose | None, lookahead: int) -> GopPlanner:
        """Return what cuts the stream into GOPs."""
        return GopPlanner(
            length=self.gop,
            choose=choose,
            lookahead=lookahead,
            keyint=self.keyint,
            keyint_min=self.keyint_min,
            scenecut=self.scenecut,
            anchored=self.mode.has_first,
            overlap=self.overlap,
        )

    def header(self, video_format: VideoFormat, prior: Prior) -> SequenceHeader:
        """Return the sequence header of the stream."""
        return SequenceHeader(
            format=video_format,
            mode=self.mode,
            transition=self.scheme,
            codebook_extra=self.codebook_extra + (self.coarse_extra if prior.cheap_steps else 0),
            seed=self.seed,
            x0_cache=self.x0_cache,
            weights_hash=prior.weights_hash,
            prior=prior.name,
            shift=self.shift if self.scheme.fixed else SDE_SHIFT,
            codebook_limit=self.codebook_limit,
            prompt=self.prompt,
        )


def _check(options: SimpleNamespace, scheme: Scheme, gop: int) -> None:
    """Raise OptionError where options contradict each other."""
    if (options.bitrate or options.maxrate) and scheme.fixed:
        raise OptionError("transition=sde has no rate control; set atoms and quality, not bitrate or maxrate")
    if options.shift and not scheme.fixed:
        raise OptionError("shift is for transition=sde; leave it out, or ask for that transition")
    if options.overlap and not Mode(options.mode).overlaps:
        raise OptionError(f"overlap is for mode=t2v; the GOPs of {options.mode} share pictures anyway, so leave it out")
    if options.overlap >= gop:
        raise OptionError(f"overlap={options.overlap} leaves a GOP of {gop} pictures none of its own; take less")
    if len(options.prompt.encode()) > MAX_PROMPT:
        raise OptionError(f"the prompt has {len(options.prompt.encode())} bytes and {MAX_PROMPT} fit; shorten it")


def _paper_shift(mode: Mode, video_format: VideoFormat) -> int:
    large = min(video_format.width, video_format.height) >= LARGE_SIDE
    return PAPER_SHIFT_LARGE if large and mode.has_first else SDE_SHIFT
