# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What is settled before the first picture of a stream is encoded."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace

from ..bitstream import SequenceHeader
from ..errors import MediaError, OptionError
from ..media import MAX_DIMENSION, VideoFormat
from ..options import ENCODER_OPTIONS, parse_options
from ..plan.control import most_held
from ..plan.settings import Settings
from ..prior import ModelOptions, Prior
from ..priors import Opener, open_prior
from ..priors.auto import open_chosen


@dataclass(frozen=True)
class Setup:
    """The setup of a stream.

    options: value of each encoder option.
    settings: settings that follow from them.
    prior: the opened prior.
    header: sequence header.
    choice: sentence on the prior that prior=auto selected; "" if the option names a prior.
    """

    options: SimpleNamespace
    settings: Settings
    prior: Prior
    header: SequenceHeader
    choice: str

    @classmethod
    def of(cls, video_format: VideoFormat, options: Mapping[str, object], opener: Opener = open_prior) -> "Setup":
        """Return the setup for encoder options by name, text or numbers. This opens the prior.

        Raises OptionError, PriorError, MediaError for a format that cannot be coded.
        """
        parsed = parse_options(ENCODER_OPTIONS, options)
        if not (1 <= video_format.width <= MAX_DIMENSION and 1 <= video_format.height <= MAX_DIMENSION):
            raise MediaError(
                f"pictures must have 1..{MAX_DIMENSION} samples a side; this video has "
                f"{video_format.width}x{video_format.height}"
            )
        if video_format.time_base <= 0:
            raise MediaError(f"the time base must be a positive fraction of a second, not {video_format.time_base}")
        settings = Settings.of(parsed, video_format)
        chosen = open_chosen(parsed.prior, video_format, ModelOptions.of(parsed), opener)
        prior = chosen.prior
        if parsed.mode not in prior.modes:
            raise OptionError(f"prior {prior.name} cannot work in mode={parsed.mode}; valid: {', '.join(prior.modes)}")
        if parsed.lowres_steps and not prior.has_low_band:
            raise OptionError(f"prior {prior.name} computes no steps at low resolution; leave lowres_steps out")
        if settings.resilience:
            _check_resilience(settings, prior, video_format)
        return cls(parsed, settings, prior, settings.header(video_format, prior), chosen.reason)


def _check_resilience(settings: Settings, prior: Prior, video: VideoFormat) -> None:
    """Raise OptionError unless the stills of whole chains are planned together."""
    if settings.maxrate or not settings.lengths(prior):
        raise OptionError(
            "resilience is for stills that are planned together: mode=flf2v with the prior gp or neural, without gop, "
            "maxrate and transition=sde; leave it out, and set a smaller keyint (-g)"
        )
    most = most_held(settings, video)
    if settings.keyint > most:
        raise OptionError(
            f"with resilience all pictures of a chain wait in memory, at {video.width}x{video.height} up to {most}; "
            f"set keyint={most} (-g) or less"
        )
