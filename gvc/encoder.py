# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The encoder: pictures in, packets out."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from .bitstream import GopUnit, write_gop, write_sequence_header, write_show
from .errors import MediaError
from .gop.chains import ChainPipeline, chains_for
from .gop.decoder import Reconstruction
from .gop.encoder import GopEncoder
from .gop.overlap import Overlap
from .gop.pipeline import GopPipeline
from .gop.rule import CurrentGop, gop_here
from .gop.setup import Setup
from .loop.denoise import OnStep
from .machine.pages import copied
from .machine.parallel import Team
from .media import Clip, Packet, Picture, VideoFormat
from .pictures.samples import from_coded, to_coded
from .plan.control import RateControl
from .plan.gops import Gop
from .priors import Opener, open_prior


class Encoder:
    """Turns pictures into packets.

    Args:
        video_format: geometry, colour, time base and nominal frame rate of the pictures.
        options: values by name (gvc.options.ENCODER_OPTIONS), text or numbers.
        on_reconstruction: a function that gets the pictures of each GOP as a decoder will show them (realism 0).
        opener: a function that gives the prior for a name, such as one that shares it, default: gvc.open_prior.
        on_step: a function that is called at each step of each GOP (gvc.loop.denoise.OnStep), in any thread, default:
            none. A GOP that takes too many steps is begun again with fewer.
        first: number of the first picture in the stream, for a single chain of the stream (gvc.plan.gops.ChainSplitter)
            that is coded apart from the others. At constant quality it gets the same packets as in the whole stream. A
            bitrate is the chain's own (gvc.plan.demand). Default: none, the pictures are a whole stream.

    Attributes:
        extradata: bytes of the sequence header, for the decoder or the container; each keyframe has them too.
        header: the same, parsed.
        choice: sentence on the prior that prior=auto selected; "" if the option names a prior.
    Raises OptionError, PriorError, MediaError for a format that cannot be coded.
    """

    def __init__(
        self,
        video_format: VideoFormat,
        options: Mapping[str, object] | None = None,
        on_reconstruction: Callable[[list[Picture]], None] | None = None,
        opener: Opener | None = None,
        on_step: OnStep | None = None,
        *,
        first: int | None = None,
    ):
        setup = Setup.of(video_format, options or {}, opener or open_prior)
        settings, prior = setup.settings, setup.prior
        self.options, self.header, self.choice = setup.options, setup.header, setup.choice
        self.format = video_format
        self.extradata = write_sequence_header(self.header)
        self._team = Team(self.options.threads)
        new_coder = partial(GopEncoder, prior, self.header, settings, on_step)
        self._rate = RateControl(settings, prior, self.header, new_coder().floor, first)
        self._planner = self._rate.planner()

        def new_pipeline() -> GopPipeline:
            return GopPipeline(new_coder(), self._rate, self._team, settings.mode, prior.concurrent)

        independent = settings.mode.has_last and prior.concurrent and not self._rate.follows_bits
        chains = chains_for(self._team.size) if independent else 1
        self._pipeline = ChainPipeline(new_pipeline, chains) if chains > 1 else new_pipeline()
        self._on_reconstruction = on_reconstruction
        self._overlap = Overlap()

    @property
    def gop(self) -> CurrentGop:
        """Number and steps of the GOP that this thread codes; elsewhere of one that is being coded, or was last."""
        return gop_here(self._pipeline.current)

    def encode(self, picture: Picture | None) -> list[Packet]:
        """Encode the next picture in display order, or None at the end; return the packets that are ready, in order.

        The picture is copied, so the caller may change its planes afterwards. All packets of a GOP are returned
        together, when it is coded; with several threads that may be in a later call than the one that completed it.

        Raises MediaError for a picture of another size and RateError if the bitrate is too low for the material.
        """
        with self._team.leading():
            if picture is None:
                gops = self._planner.finish()
            else:
                self._check(picture)
                gops = self._planner.push(replace(picture, planes=copied(to_coded(picture.planes, self.format))))
            packets = [packet for gop in gops for coded in self._pipeline.push(gop) for packet in self._packets(*coded)]
            rest = self._pipeline.finish() if picture is None else self._pipeline.ready()
            return packets + [packet for coded in rest for packet in self._packets(*coded)]

    def close(self) -> None:
        """Give up the GOPs whose packets were not returned, and end the threads."""
        self._pipeline.close()
        self._team.dismiss()

    def _check(self, picture: Picture) -> None:
        shapes = tuple(plane.shape for plane in picture.planes)
        if shapes != self.format.plane_shapes:
            raise MediaError(
                f"the picture's planes are {shapes}, the stream's {self.format.plane_shapes}; "
                "scale all pictures to one size"
            )
        if any(plane.dtype != self.format.samples.dtype for plane in picture.planes):
            raise MediaError(f"samples of {self.format.samples.pix_fmt} must have the type {self.format.samples.dtype}")

    def _packets(self, gop: Gop, unit: GopUnit, reconstruction: Reconstruction) -> list[Packet]:
        """Return the packets of a coded GOP; report it to the rate control and to the caller."""
        payloads = [write_gop(unit), *map(write_show, range(1, len(gop.pictures)))]
        self._rate.book(gop, unit, 8.0 * sum(map(len, payloads)))
        if self._on_reconstruction:
            self._report(gop, self._overlap.join(reconstruction.plain, unit.shown, unit.key))
        return [
            Packet(data, picture.pts, picture.duration, gop.key and i == 0)
            for i, (data, picture) in enumerate(zip(payloads, gop.pictures, strict=True))
        ]

    def _report(self, gop: Gop, pictures: Clip) -> None:
        planes = (from_coded(coded, self.format) for coded in zip(*pictures, strict=True))
        self._on_reconstruction(
            [
                Picture(shown, p.pts, p.duration, gop.key and i == 0)
                for i, (shown, p) in enumerate(zip(planes, gop.pictures, strict=True))
            ]
        )
