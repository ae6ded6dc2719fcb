"""Which prior `auto` stands for."""

from ..errors import PriorError
from ..media import VideoFormat
from . import BUNDLED, open_prior
from .base import ModelOptions

PLAYING_SHARE = 0.5  # of a picture's time that the network may take; the rest of decoding needs some too
NOMINAL_RATE = 25  # pictures a second, where the video does not say


def chosen_prior(spec: str, video_format: VideoFormat, options: ModelOptions) -> str:
    """Return the spec of a prior, that is `spec` but for `auto`: the better one that plays the video in time here.

    Raises PriorError for a version of a bundled prior, which can only decode.
    """
    kind, _, version = spec.partition("/")
    if kind in BUNDLED and version:
        raise PriorError(f"prior {spec!r} is only for decoding; valid: {kind}")
    if spec != "auto":
        return spec
    seconds = open_prior("neural", options).seconds(video_format.width, video_format.height)
    return "neural" if seconds * (video_format.frame_rate or NOMINAL_RATE) <= PLAYING_SHARE else "gp"
