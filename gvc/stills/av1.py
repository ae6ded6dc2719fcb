# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Boundary stills: the AV1 pictures of a chain of GOPs, with each other as references, coded through PyAV.

AV1 decoders are bit-exact, so encoder and decoder see the same pictures.
"""

import ctypes
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import repeat

import av
import numpy as np

from ..errors import BitstreamError
from ..machine.parallel import allowed
from ..machine.process import scheduling_kept
from ..machine.stages import stage
from ..media import Planes, VideoFormat
from .headers import FRAME, FRAME_HEADER, obus, without_last_size

# Silences SVT-AV1, which otherwise prints its settings at the start and a notice at the end. Errors are exceptions.
os.environ.setdefault("SVT_LOG", "0")

MIN_SIZE = 64  # smallest side that SVT-AV1 accepts; smaller pictures are padded before coding and cropped afterwards
FINEST, COARSEST = 10, 63  # range of the quantiser (crf) in use
STRIDE = {"fast": 10, "medium": 5, "slow": 3}  # step of the search for the best quantiser, by effort
DELIMITER = b"\x12\x00"  # OBU that separates two temporal units
# Largest number of frames in a temporal unit. Without a limit a hostile stream could make a decoder work for long: an
# empty frame takes a few bytes and as much time as any other.
MAX_FRAMES = 8
INDICES_A_CRF = 4  # AV1 quantiser indices (of 256) in one step of crf
# SVT-AV1 preset by effort, for stills of a chain, which later stills and the pictures between them refer to. Preset 2
# instead of 3 saves 0 to 6 % of the bytes by PSNR for twice the time (six clips), so large pictures go without it.
CHAIN_SPEED = {"fast": 5, "medium": 2, "slow": 0}
CHAIN_SPEED_LARGE = {"fast": 5, "medium": 3, "slow": 0}
LARGE = 2**19  # largest number of luma samples of pictures that are not large
SPEED = {"fast": 5, "medium": 3, "slow": 1}  # SVT-AV1 preset by effort, for pictures that nothing refers to
TRIAL_SPEED = 8  # SVT-AV1 preset for stills that are coded only to learn their sizes
# Settings that keep fine detail, which an encoder that minimises squared error removes first. They are for chains only,
# since a tail is a difference and not a picture. Restoration is off because it smooths: this saves 9 % of the bytes by
# LPIPS and costs 1 % by PSNR. CDEF is off for the same reason, with sharpness 3 in place of 5: this saves 3 % by LPIPS
# and 1 % by PSNR (seven clips). An ac-bias of 5 in place of 2 saves 2 % by LPIPS and costs .5 % by PSNR.
DETAIL = {"sharpness": 3, "ac-bias": 5.0, "enable-restoration": 0, "enable-cdef": 0}


@dataclass(frozen=True)
class Structure:
    """How the stills of a chain refer to each other, and how fine each of them is.

    parameters: parameters of SVT-AV1.
    offsets: quantiser indices by which stills of each temporal layer are coarser than the chain's quantiser, up to six
        of them. Default: none, the encoder finds out how much each block of each still is worth to the others.
    first: quantiser indices by which the first still is finer than by its boost, default 0. Only with `offsets`.
    filled: number of stills after the first one that the encoder orders together; it gets the last still again until
        these are whole. Default 1: the last ones may be fewer, and are ordered in another way.
    group: number of stills after the first one that refer to each other and to the first one only, default 0: all.
    """

    parameters: Mapping[str, object]
    offsets: tuple[int, ...] = ()
    first: int = 0
    filled: int = 1
    group: int = 0


# Coding order = display order: the packet of a picture is ready at once, and pictures refer only to earlier ones.
LOW_DELAY = Structure({"pred-struct": 1, "lookahead": 0}, (0,) * 6)
# Hierarchical coding order: every sixteenth picture is coded first and finest, then the one in the middle, and so on.
# By comparison with every eighth this saves 3 % of the bytes by PSNR and 5 % by SSIM, in less time (four clips).
# tune=2 optimises SSIM, which SVT-AV1 refuses in low delay; with it and DETAIL, LPIPS, DISTS and VGG see 9 % fewer
# bytes and PSNR 4 % more (five clips).
LAYERED = Structure({"pred-struct": 2, "hierarchical-levels": 4, "tune": 2}, (-24, -10, 4, 18, 26, 0))
# The same order, and quantisers by what blocks are worth to the stills that refer to them.
ADAPTED = Structure({"pred-struct": 2, "hierarchical-levels": 4, "tune": 2, "aq-mode": 2})
# Steps of crf by which ADAPTED's quantiser is above that of LAYERED for about as many bytes, and its limit in SVT-AV1.
ADAPTED_CRF, COARSEST_CRF = 8, 70
# Highest of SVT-AV1's six levels of parallelism in use. Levels change time and memory, not the bytes: for a reordered
# chain at 1280x720, levels 1 to 6 take 130, 190, 200, 340, 460 and 750 MB.
MOST_PARALLEL = 3


def chain_speed(effort: str, video: VideoFormat) -> int:
    """Return the SVT-AV1 preset for the stills of a chain."""
    return (CHAIN_SPEED_LARGE if video.width * video.height > LARGE else CHAIN_SPEED)[effort]


def search_quantiser(cost_of: Callable[[int], float], start: int, effort: str) -> int:
    """Return the quantiser of least cost, found by steps of STRIDE[effort] from `start`.

    cost_of: cost of a quantiser, a function with a single minimum.
    """
    best, stride = start, STRIDE[effort]
    for step in (-stride, stride):
        while (following := min(max(best + step, FINEST), COARSEST)) != best and cost_of(following) < cost_of(best):
            best = following
        if best != start:
            break
    return best


class StillEncoder:
    """Codes the stills of a chain in order.

    shape: height and width of the luma plane; pictures are uint8 4:2:0.
    crf: quantiser of all stills but the first, FINEST..COARSEST, a multiple of 1/4.
    speed: SVT-AV1 preset, 0 (best) to 10.
    boost: steps of crf by which the first still is finer, since all others refer to it; a multiple of 1/4, default 0.
        ADAPTED finds it out by itself.
    detail: whether to keep detail at the cost of squared error (DETAIL), default False.
    structure: references between the stills, default LOW_DELAY.
    threads: largest number of threads; default 0, the limit in force (gvc.machine.parallel).
    """

    def __init__(
        self,
        shape: tuple[int, int],
        crf: float,
        speed: int,
        *,
        boost: float = 0,
        detail: bool = False,
        structure: Structure = LOW_DELAY,
        threads: int = 0,
    ):
        self._filled = structure.filled
        self._height, self._width = (max(MIN_SIZE, n + n % 2) for n in shape)
        context = av.CodecContext.create("libsvtav1", "w")
        context.width, context.height, context.pix_fmt = self._width, self._height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
        parameters = {
            "lp": min(threads or allowed(), MOST_PARALLEL),
            **(DETAIL if detail else {}),
            **structure.parameters,
            **_quantisers(crf, boost, structure),
        }
        text = ":".join(f"{name}={value}" for name, value in parameters.items())
        context.options = {"preset": str(speed), "svtav1-params": text}
        with scheduling_kept():
            context.open()
        self._context, self._count = context, 0

    @stage("stills")
    def encode(self, planes: Planes) -> bytes:
        """Code the next still as AV1 OBUs; only valid with LOW_DELAY."""
        return b"".join(self._send(planes))

    def encode_all(self, pictures: Sequence[Planes]) -> Iterator[bytes]:
        """Yield all stills of a chain, each as a temporal unit; the encoder's threads work ahead of the caller."""
        count = len(pictures)
        filling = repeat(pictures[-1], (1 - count) % self._filled)
        units = (unit for planes in (*pictures, *filling, None) for unit in self._send(planes))
        for number, unit in enumerate(units):
            if number < count:
                yield unit

    def abandon(self) -> None:
        """Leak the encoder on purpose: closing one whose threads are out of step would wait for ever."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._context))

    def _send(self, planes: Planes | None) -> Iterator[bytes]:
        """Send the encoder a picture, or None to flush it; yield the packets that are ready, without delimiters."""
        for packet in self._context.encode_lazy(self._frame(planes) if planes else None):
            yield without_last_size(bytes(packet).removeprefix(DELIMITER))

    def _frame(self, planes: Planes) -> av.VideoFrame:
        frame = av.VideoFrame(self._width, self._height, "yuv420p")
        for target, plane in zip(frame.planes, planes, strict=True):
            padding = [(0, target.height - plane.shape[0]), (0, target.width - plane.shape[1])]
            _samples(target)[:, : target.width] = np.pad(plane, padding, "edge")
        frame.pts = self._count
        self._count += 1
        return frame


def _quantisers(crf: float, boost: float, structure: Structure) -> dict[str, object]:
    """Return the parameters of SVT-AV1 that set the quantisers of a chain."""
    if not structure.offsets:
        return {"crf": min(crf + ADAPTED_CRF, COARSEST_CRF)}
    rest = round(INDICES_A_CRF * (crf - int(crf)))  # Fixed offsets go with integers only, so they add the fraction.
    return {
        "crf": int(crf),
        "aq-mode": 0,
        "use-fixed-qindex-offsets": 1,  # exactly the requested quantisers, without the encoder's own adaptation
        "key-frame-qindex-offset": rest - round(INDICES_A_CRF * boost) - structure.first,
        "qindex-offsets": str([rest + offset for offset in structure.offsets]).replace(" ", ""),
    }


class StillDecoder:
    """Decodes the stills of a chain in order and crops them to the size of the video."""

    def __init__(self, video: VideoFormat):
        context = av.CodecContext.create("libdav1d", "r")
        limit = max(video.width + 1, MIN_SIZE) * max(video.height + 1, MIN_SIZE)
        context.options = {"max_pixels": str(limit + 1), "framesizelimit": str(limit)}
        context.thread_count = 1  # With more threads a picture would come out only after later packets.
        self._context, self._video = context, video

    @stage("stills")
    def decode(self, data: bytes, element: str = "still") -> Planes:
        """Decode the next still. Raises BitstreamError, which names it as `element` of the stream."""
        video = self._video
        if sum(kind in (FRAME_HEADER, FRAME) for kind, _ in obus(data, element)) > MAX_FRAMES:
            raise BitstreamError(element, 0, f"the still has more than {MAX_FRAMES} AV1 frames")
        try:
            # The delimiter flushes any further picture in these bytes, which would be taken for the next still.
            frames = [frame for part in (data, DELIMITER) for frame in self._context.decode(av.Packet(part))]
        except (av.FFmpegError, EOFError) as error:
            raise BitstreamError(element, 0, f"the still does not decode ({error})") from None
        if len(frames) != 1 or frames[0].format.name not in ("yuv420p", "yuvj420p"):
            raise BitstreamError(element, 0, "the still is not one 8-bit 4:2:0 picture")
        if frames[0].width < video.width or frames[0].height < video.height:
            raise BitstreamError(element, 0, "the still is smaller than the video")
        shapes = video.plane_shapes
        return tuple(_samples(p)[:h, :w].copy() for p, (h, w) in zip(frames[0].planes, shapes, strict=True))


def encode_still(planes: Planes, crf: int, effort: str) -> bytes:
    """Code a single picture that belongs to no chain."""
    return StillEncoder(planes[0].shape, crf, SPEED[effort]).encode(planes)


def decode_still(data: bytes, video: VideoFormat) -> Planes:
    """Decode a picture that `encode_still` coded. Raises BitstreamError."""
    return StillDecoder(video).decode(data)


def _samples(plane: av.video.plane.VideoPlane) -> np.ndarray:
    """Return a writable view of a plane, uint8 [height, line size]."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
