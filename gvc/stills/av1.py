# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Boundary stills: the AV1 pictures of a chain, each with others of it as references, through PyAV.

AV1 decoders are bit-exact, so both sides see the same pictures.
"""

import ctypes
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

import av
import numpy as np

from ..bitstream.fields import FieldReader
from ..errors import BitstreamError
from ..machine.parallel import allowed
from ..machine.process import scheduling_kept
from ..media import VideoFormat
from ..prior import Planes

# Else the encoder prints its settings, and at the end that its video could go on. Its errors are exceptions anyway.
os.environ.setdefault("SVT_LOG", "0")

MIN_SIZE = 64  # the encoder takes no smaller pictures; smaller ones are padded and cropped
FINEST, COARSEST = 10, 63  # range of the quantiser (crf) that is used
STRIDE = {"fast": 10, "medium": 5, "slow": 3}  # of the search for the best quantiser
DELIMITER = b"\x12\x00"  # the OBU between two temporal units
HAS_EXTENSION, HAS_SIZE = 4, 2  # bits of the header of an OBU
FRAME_OBUS = (3, 6)  # types of OBU that begin a frame: OBU_FRAME_HEADER and OBU_FRAME
MAX_FRAMES = 8  # of a temporal unit: an empty frame of a few bytes takes as long as any other
INDICES_A_CRF = 4  # AV1 has 256 quantisers, crf counts every fourth
# The encoder's preset by ours: of stills on which pictures and other stills build, and of pictures that stand alone.
# Of chains preset 1 would save 3 % more bytes by PSNR and less than 1 % by LPIPS than 2, for twice the time.
CHAIN_SPEED = {"fast": 5, "medium": 2, "slow": 0}
SPEED = {"fast": 5, "medium": 3, "slow": 1}
TRIAL_SPEED = 7  # of stills that are only to be counted
# By squared error alone detail is the first to go. Of chains only: a tail is no picture. Restoration smooths: without,
# LPIPS sees 9 % fewer bytes, PSNR 1 % more.
DETAIL = {"sharpness": 5, "ac-bias": 2.0, "enable-restoration": 0}
# Each picture gives its packet at once and builds on those before it.
LOW_DELAY = {"pred-struct": 1, "lookahead": 0, "qindex-offsets": (0, 0, 0, 0, 0, 0)}
# Every eighth picture comes first and is finest, then the one between, and so on: by LPIPS that saves 3 % more bytes
# than every fourth, by PSNR 2 %, in three quarters of the time (four clips). Encoders in low delay refuse the tuning by
# SSIM. With that and DETAIL, LPIPS, DISTS and VGG see 9 % fewer bytes, PSNR 4 % more (five clips).
REORDERED = {"pred-struct": 2, "hierarchical-levels": 3, "qindex-offsets": (-24, -10, 4, 18, 0, 0), "tune": 2}
MOST_PARALLEL = 4  # of six levels of parallelism, for two threads and more; they change time and memory, not the bytes


def search_quantiser(cost_of: Callable[[int], float], start: int, preset: str) -> int:
    """Return the quantiser where a cost that falls to one minimum is least, looking in strides from `start`."""
    best, stride = start, STRIDE[preset]
    for step in (-stride, stride):
        while (following := min(max(best + step, FINEST), COARSEST)) != best and cost_of(following) < cost_of(best):
            best = following
        if best != start:
            break
    return best


class StillEncoder:
    """Codes the stills of a chain in order. They have 4:2:0 planes of `shape` (luma), uint8.

    crf: quantiser of all but the first one, FINEST..COARSEST, in quarters.
    speed: the encoder's preset, 0 (best) to 10.
    boost: by how much the first one's quantiser is finer, in quarters; all others build on it.
    detail: whether it weighs beside squared error.
    structure: how they build on each other, LOW_DELAY or REORDERED.
    threads: at most; 0: as many as are allowed.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        crf: float,
        speed: int,
        *,
        boost: float = 0,
        detail: bool = False,
        structure: Mapping[str, object] = LOW_DELAY,
        threads: int = 0,
    ):
        self._height, self._width = (max(MIN_SIZE, n + n % 2) for n in shape)
        context = av.CodecContext.create("libsvtav1", "w")
        context.width, context.height, context.pix_fmt = self._width, self._height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
        rest = round(INDICES_A_CRF * (crf - int(crf)))  # of the crf, which is an integer for the encoder
        offsets = ",".join(str(rest + offset) for offset in structure["qindex-offsets"])
        parameters = {
            "lp": min((threads or allowed()) ** 2, MOST_PARALLEL),
            "aq-mode": 0,
            "use-fixed-qindex-offsets": 1,  # quantisers as they are asked for
            "key-frame-qindex-offset": rest - round(INDICES_A_CRF * boost),
            **(DETAIL if detail else {}),
            **structure,
            "qindex-offsets": f"[{offsets}]",
        }
        text = ":".join(f"{name}={value}" for name, value in parameters.items())
        context.options = {"crf": str(int(crf)), "preset": str(speed), "svtav1-params": text}
        with scheduling_kept():
            context.open()
        self._context, self._count = context, 0

    def encode(self, planes: Planes) -> bytes:
        """Code the next still as AV1 OBUs; in LOW_DELAY alone."""
        return b"".join(self._send(planes))

    def encode_all(self, pictures: Iterable[Planes]) -> Iterator[bytes]:
        """Code all stills of a chain, a temporal unit each; the encoder's threads work ahead of whoever takes them."""
        for planes in (*pictures, None):
            yield from self._send(planes)

    def abandon(self) -> None:
        """Never close the encoder: one that is out of step would wait for ever for pictures that do not come."""
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._context))

    def _send(self, planes: Planes | None) -> Iterator[bytes]:
        """Give the encoder a picture, or None at the end; yield what is ready, without delimiters."""
        for packet in self._context.encode_lazy(self._frame(planes) if planes else None):
            yield bytes(packet).removeprefix(DELIMITER)

    def _frame(self, planes: Planes) -> av.VideoFrame:
        frame = av.VideoFrame(self._width, self._height, "yuv420p")
        for target, plane in zip(frame.planes, planes, strict=True):
            padding = [(0, target.height - plane.shape[0]), (0, target.width - plane.shape[1])]
            _samples(target)[:, : target.width] = np.pad(plane, padding, "edge")
        frame.pts = self._count
        self._count += 1
        return frame


class StillDecoder:
    """Decodes the stills of a chain in order; they have the size of the video."""

    def __init__(self, video: VideoFormat):
        context = av.CodecContext.create("libdav1d", "r")
        limit = max(video.width + 1, MIN_SIZE) * max(video.height + 1, MIN_SIZE)
        context.options = {"max_pixels": str(limit + 1), "framesizelimit": str(limit)}
        context.thread_count = 1  # with more, pictures would come out late
        self._context, self._video = context, video

    def decode(self, data: bytes) -> Planes:
        """Decode the next still. Raises BitstreamError."""
        video = self._video
        if sum(kind in FRAME_OBUS for kind in _obu_types(data)) > MAX_FRAMES:
            raise BitstreamError("boundary still", 0, f"it has more than {MAX_FRAMES} AV1 frames")
        try:
            # The delimiter brings out what else the bytes may hold, which would be taken for the next still.
            frames = [frame for part in (data, DELIMITER) for frame in self._context.decode(av.Packet(part))]
        except (av.FFmpegError, EOFError) as error:
            raise BitstreamError("boundary still", 0, f"it does not decode ({error})") from None
        if len(frames) != 1 or frames[0].format.name not in ("yuv420p", "yuvj420p"):
            raise BitstreamError("boundary still", 0, "it is not one 8-bit 4:2:0 picture")
        if frames[0].width < video.width or frames[0].height < video.height:
            raise BitstreamError("boundary still", 0, "it is smaller than the video")
        shapes = video.plane_shapes
        return tuple(_samples(p)[:h, :w].copy() for p, (h, w) in zip(frames[0].planes, shapes, strict=True))


def _obu_types(data: bytes) -> Iterator[int]:
    """Yield the types of the OBUs of a temporal unit. Raises BitstreamError unless each says its size."""
    reader = FieldReader(data)
    while reader.offset < len(data):
        header = reader.uint("boundary still", 1)
        if not header & HAS_SIZE:
            raise reader.fail("boundary still", "an OBU does not say its size")
        reader.raw("boundary still", int(bool(header & HAS_EXTENSION)))
        reader.sized("boundary still")
        yield header >> 3 & 15


def encode_still(planes: Planes, crf: int, preset: str) -> bytes:
    """Code a picture that stands by itself."""
    return StillEncoder(planes[0].shape, crf, SPEED[preset]).encode(planes)


def decode_still(data: bytes, video: VideoFormat) -> Planes:
    """Decode a picture that stands by itself. Raises BitstreamError."""
    return StillDecoder(video).decode(data)


def _samples(plane: av.video.plane.VideoPlane) -> np.ndarray:
    """Return a writable view of a plane, uint8 [height, line size]."""
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
