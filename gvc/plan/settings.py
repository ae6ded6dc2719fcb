# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The settings of an encoder, which follow from all options together."""

from dataclasses import dataclass
from types import SimpleNamespace

from ..bitstream import LOWRES_SIZE, MAX_PROMPT, SDE_SHIFT, SequenceHeader
from ..errors import OptionError
from ..media import VideoFormat
from ..modes import Mode, Scheme
from ..prior import Prior
from .gops import ChainSplitter, Choose, GopPlanner
from .lengths import SHORTEST, GopLengths
from .quality import crf_quality, quality_level

TEMPORAL_STRIDE = 4  # GOPs of fixed length have 4k + 1 pictures, as video models need
LONGEST_GOP = 33  # default length of a GOP in pictures
CODEBOOK_EXTRA = {"fast": 0, "medium": 2, "slow": 3}  # log2 of atoms per latent value; larger codebooks fit better
# Addition to CODEBOOK_EXTRA up to quality COARSE_QUALITY, where it takes little time since latents of `gp` are small.
COARSE_EXTRA = 2
COARSE_QUALITY = 20

# Settings of arXiv 2603.26571, which the preset gvcc uses.
PAPER_LOG2_ATOMS = 14  # log2 of a codebook's size
PAPER_SHIFT_LARGE, LARGE_SIDE = 5, 720  # shift of the time grid in I2V and FLF2V from this picture side on


@dataclass(frozen=True)
class Settings:
    """The settings of an encoder. Fields without a comment have the meaning of the option of the same name."""

    mode: Mode
    scheme: Scheme
    effort: str  # fast, medium or slow
    codebook_extra: int  # log2 of atoms per latent value
    coarse_extra: int  # addition to codebook_extra for priors whose steps take little time
    codebook_limit: int  # log2 of the number of atoms in use, 0 = all
    shift: int
    x0_cache: int
    x0_warmup: int
    lowres_steps: int
    lowres_size: int
    seed: int
    prompt: str
    atoms: int
    level: int  # noise level where coding at constant quality stops
    gop: int  # largest number of pictures that a GOP spans, 4k + 1
    by_content: bool  # whether GOPs are shorter where the content needs it, if the prior supports that
    keyint: int
    keyint_min: int
    scenecut: float
    resilience: int
    overlap: int
    tail: bool
    bitrate: int
    maxrate: int
    bufsize: int

    @classmethod
    def of(cls, options: SimpleNamespace, video_format: VideoFormat) -> "Settings":
        """Return the settings for parsed encoder options. Raises OptionError if options contradict each other."""
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
            x0_cache=options.x0_cache,
            x0_warmup=options.x0_warmup if options.x0_cache else 0,
            lowres_steps=options.lowres_steps,
            lowres_size=options.lowres_size if options.lowres_steps else LOWRES_SIZE,
            seed=options.seed,
            prompt=options.prompt,
            atoms=options.atoms,
            level=level,
            gop=gop,
            by_content=not (options.gop or scheme.fixed),
            keyint=options.keyint,
            keyint_min=options.keyint_min,
            scenecut=options.scenecut if options.sc_threshold < 0 else options.sc_threshold / 100,
            resilience=options.resilience,
            overlap=options.overlap,
            tail=bool(options.tail) and mode.has_tail,
            bitrate=options.bitrate,
            maxrate=options.maxrate,
            bufsize=options.bufsize,
        )

    def lengths(self, prior: Prior) -> GopLengths | None:
        """Return the model that adapts GOP lengths to the content; None if all GOPs have the same length."""
        if not self.by_content or self.mode not in prior.adaptive_modes:
            return None
        return GopLengths(prior.sample_scale, SHORTEST[self.effort])

    def splitter(self) -> ChainSplitter:
        """Return the splitter that divides a stream into chains."""
        keyint = self.keyint
        if not (self.mode.has_first or self.overlap) and keyint > self.gop:
            keyint -= keyint % self.gop  # All GOPs are keyframes, so none need be shorter for keyint's sake.
        return ChainSplitter(keyint, self.scenecut, self.keyint_min)

    def planner(self, choose: Choose | None, lookahead: int, first: int | None = None) -> GopPlanner:
        """Return the planner that divides the stream into GOPs.

        choose, lookahead: as for GopPlanner.
        first: number of the first picture, if the stream is a single chain of another one. Default: none.
        """
        return GopPlanner(
            self.splitter() if first is None else ChainSplitter(self.keyint, scenecut=0),
            length=self.gop,
            choose=choose,
            lookahead=lookahead,
            anchored=self.mode.has_first,
            overlap=self.overlap,
            first=first or 0,
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
            x0_warmup=self.x0_warmup,
            lowres_steps=self.lowres_steps,
            lowres_size=self.lowres_size,
            weights_hash=prior.weights_hash,
            prior=prior.name,
            shift=self.shift if self.scheme.fixed else SDE_SHIFT,
            codebook_limit=self.codebook_limit,
            prompt=self.prompt,
        )


def _check(options: SimpleNamespace, scheme: Scheme, gop: int) -> None:
    """Raise OptionError if options contradict each other."""
    if (options.bitrate or options.maxrate) and scheme.fixed:
        raise OptionError("transition=sde has no rate control; set atoms and quality, not bitrate or maxrate")
    if options.shift and not scheme.fixed:
        raise OptionError("shift is for transition=sde; leave it out, or set transition=sde")
    if options.overlap and not Mode(options.mode).overlaps:
        raise OptionError(f"overlap is for mode=t2v; the GOPs of {options.mode} share pictures anyway, so leave it out")
    if options.overlap >= gop:
        raise OptionError(f"overlap={options.overlap} leaves a GOP of {gop} pictures none of its own; set it lower")
    if len(options.prompt.encode()) > MAX_PROMPT:
        raise OptionError(f"the prompt has {len(options.prompt.encode())} bytes, the limit is {MAX_PROMPT}; shorten it")


def _paper_shift(mode: Mode, video_format: VideoFormat) -> int:
    large = min(video_format.width, video_format.height) >= LARGE_SIDE
    return PAPER_SHIFT_LARGE if large and mode.has_first else SDE_SHIFT
