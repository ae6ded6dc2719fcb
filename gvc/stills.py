"""Boundary stills: AV1 intra pictures through PyAV. AV1 decoders are bit-exact, so both sides see the same picture."""

import os
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np

from .errors import BitstreamError
from .media import VideoFormat
from .priors.base import Planes

os.environ.setdefault("SVT_LOG", "1")  # else the encoder prints its settings for every still

MIN_SIZE = 64  # the encoder takes no smaller pictures; smaller ones are padded and cropped
FINEST, COARSEST = 10, 63  # range of the quantiser (crf) that is used
STRIDE = {"fast": 10, "medium": 5, "slow": 3}  # of the search for the best quantiser
SPEED = {"fast": 6, "medium": 4, "slow": 2}  # encoder preset by ours


def search_quantiser(cost_of: Callable[[int], float], start: int, preset: str) -> int:
    """Return the quantiser where a cost that falls to one minimum is least, looking in strides from `start`."""
    best, stride = start, STRIDE[preset]
    for step in (-stride, stride):
        while (following := min(max(best + step, FINEST), COARSEST)) != best and cost_of(following) < cost_of(best):
            best = following
        if best != start:
            break
    return best


def encode_still(planes: Planes, crf: int, preset: str) -> bytes:
    """Code one picture, uint8 4:2:0 planes, as AV1 OBUs; `crf` FINEST (best) .. COARSEST."""
    height, width = (max(MIN_SIZE, n + n % 2) for n in planes[0].shape)
    context = av.CodecContext.create("libsvtav1", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
    context.options = {"crf": str(crf), "preset": str(SPEED[preset]), "svtav1-params": "avif=1:lp=1"}
    frame = av.VideoFrame(width, height, "yuv420p")
    for target, plane in zip(frame.planes, planes, strict=True):
        padding = [(0, target.height - plane.shape[0]), (0, target.width - plane.shape[1])]
        _samples(target)[:, : target.width] = np.pad(plane, padding, "edge")
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def decode_still(data: bytes, video: VideoFormat) -> Planes:
    """Decode one picture of the video's size. Raises BitstreamError."""
    context = av.CodecContext.create("libdav1d", "r")
    limit = max(video.width + 1, MIN_SIZE) * max(video.height + 1, MIN_SIZE)
    context.options = {"max_pixels": str(limit + 1), "framesizelimit": str(limit)}
    context.thread_count = 1
    try:
        frames = [*context.decode(av.Packet(data)), *context.decode(None)]
    except (av.FFmpegError, EOFError) as error:
        raise BitstreamError("boundary still", 0, f"it does not decode ({error})") from None
    shapes = video.plane_shapes
    if len(frames) != 1 or frames[0].format.name not in ("yuv420p", "yuvj420p"):
        raise BitstreamError("boundary still", 0, "it is not one 8-bit 4:2:0 picture")
    if frames[0].width < video.width or frames[0].height < video.height:
        raise BitstreamError("boundary still", 0, "it is smaller than the video")
    return tuple(_samples(p)[:h, :w].copy() for p, (h, w) in zip(frames[0].planes, shapes, strict=True))


def _samples(plane: av.video.plane.VideoPlane) -> np.ndarray:
    """Return a writable view of a plane, uint8 [height, line size]."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
