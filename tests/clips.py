# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Small synthetic clips, and shorthands for coding them through the engine."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from gvc.bitstream.fields import FieldWriter
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.media import SAMPLE_FORMATS, Clip, Packet, Picture, VideoFormat
from gvc.pictures.samples import from_coded
from gvc.plan.bitrate import FILE_BYTES, FRAME_BYTES, KEYFRAME_BYTES
from gvc.stills.headers import HAS_SIZE, obus


def moving_clip(frames: int, width: int = 64, height: int = 48, *, seed: int = 1, speed: int = 3) -> list[Picture]:
    """Return a clip of drifting waves, a faster bright box and a little camera noise; pictures are one tick apart."""
    noise = np.random.default_rng(seed)
    pictures = []
    for i in range(frames):
        planes = []
        for plane, (h, w) in enumerate(VideoFormat(width, height).plane_shapes):
            y, x = np.mgrid[:h, :w] * (2 if plane else 1)
            waves = (50 - 20 * plane) * np.sin((x + speed * i + 5 * seed) / 7) + 30 * np.cos((y - speed * i // 2) / 5)
            box = 40 * (((x - (speed + 1) * i) % 48 < 12) & ((y - i) % 40 < 10))
            planes.append(np.clip(120 + waves + box + noise.normal(0, 2, (h, w)), 0, 255).astype(np.uint8))
        pictures.append(Picture(tuple(planes), i, 1))
    return pictures


def pan_clip(frames: int, width: int = 64, height: int = 48, *, speed: int = 2) -> list[Picture]:
    """Return a clip of a camera that pans over a rough texture, which motion predicts completely."""
    world = np.kron(np.random.default_rng(7).integers(40, 220, (height, width + speed * frames)), np.ones((4, 4)))
    world = ((world + np.roll(world, 1, 0) + np.roll(world, 1, 1)) / 3).astype(np.uint8)
    _, (h, w), _ = VideoFormat(width, height).plane_shapes
    chroma = np.full((h, w), 120, np.uint8), np.full((h, w), 140, np.uint8)
    return [Picture((world[:height, speed * i :][:, :width].copy(), *chroma), i, 1) for i in range(frames)]


def still_clip(frames: int, width: int = 64, height: int = 48, *, value: int = 90) -> list[Picture]:
    """Return a clip of equal grey pictures."""
    shapes = VideoFormat(width, height).plane_shapes
    return [Picture(tuple(np.full(s, value, np.uint8) for s in shapes), i, 1) for i in range(frames)]


def reveal_clip(frames: int, width: int = 64, height: int = 48) -> list[Picture]:
    """Return two blank pictures, then a lasting rough texture, whose coding serves all later GOPs."""
    texture = pan_clip(1, width, height)[0].planes
    blank = still_clip(2, width, height)[0].planes
    return [Picture(blank if i < 2 else texture, i, 1) for i in range(frames)]


def stack(pictures: list[Picture]) -> Clip:
    """Return the planes of a list of pictures, uint8 [T, H, W]."""
    return tuple(np.stack(planes) for planes in zip(*(p.planes for p in pictures), strict=True))


def video_format(pictures: list[Picture], **fields) -> VideoFormat:
    """Return the format of a clip at 25 pictures a second."""
    height, width = pictures[0].planes[0].shape
    return VideoFormat(width, height, **{"frame_rate": Fraction(25), "time_base": Fraction(1, 25)} | fields)


def in_samples(pictures: list[Picture], pix_fmt: str) -> tuple[list[Picture], VideoFormat]:
    """Convert an 8-bit 4:2:0 clip to another sample format; return it and its format."""
    samples = next(s for s in SAMPLE_FORMATS if s.pix_fmt == pix_fmt)
    video = video_format(pictures, samples=samples, colorspace=0 if samples.rgb else 2)
    return [replace(picture, planes=from_coded(picture.planes, video)) for picture in pictures], video


def encode(
    pictures: list[Picture], video: VideoFormat | None = None, **options
) -> tuple[bytes, list[Packet], list[Picture]]:
    """Return (extradata, packets, the encoder's own reconstruction)."""
    reconstruction = []
    encoder = Encoder(video or video_format(pictures), options, reconstruction.extend)
    packets = [packet for picture in [*pictures, None] for packet in encoder.encode(picture)]
    return encoder.extradata, packets, reconstruction


def decode(extradata: bytes | None, packets: list[Packet], **options) -> list[Picture]:
    """Decode packets to the end."""
    decoder = Decoder(extradata, options)
    return [picture for packet in [*packets, None] for picture in decoder.decode(packet)]


def facts(picture: Picture) -> tuple:
    """Return all properties of a picture in a form that can be compared."""
    return (picture.pts, picture.duration, picture.key, *(plane.tobytes() for plane in picture.planes))


def same(a: list[Picture], b: list[Picture]) -> bool:
    """Return whether two lists of pictures are equal to the bit, including timestamps and key flags."""
    return [facts(p) for p in a] == [facts(p) for p in b]


def size_of(packets: list[Packet]) -> int:
    """Return the total size of packets in bytes."""
    return sum(len(packet.data) for packet in packets)


def file_size(packets: list[Packet]) -> int:
    """Return the approximate size in bytes of a Matroska file with these packets."""
    container = FILE_BYTES + sum(FRAME_BYTES + KEYFRAME_BYTES * packet.key for packet in packets)
    return size_of(packets) + container


def psnr(a: list[Picture], b: list[Picture]) -> float:
    """Return the luma PSNR of a clip in dB."""
    pairs = zip(a, b, strict=True)
    error = np.mean([(p.planes[0].astype(float) - q.planes[0]) ** 2 for p, q in pairs])
    return 10 * np.log10(255**2 / max(error, 1e-9))


def with_last_size(still: bytes) -> bytes:
    """Return a still whose last OBU says its size, so that more may follow."""
    *_, (_, payload) = obus(still, "still")
    header, sized = len(still) - len(payload) - 1, FieldWriter()
    sized.sized(payload)
    return still[:header] + bytes([still[header] | HAS_SIZE]) + bytes(sized)
