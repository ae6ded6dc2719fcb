# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The codecs of the comparison as one table: the commands and quality levels of each.

Commands are lists of words in which SOURCE, CODED and DECODED stand for files. All codecs get the same lossless clip,
have keyframes equally far apart, and write Matroska without tags. Records of a codec's own settings (x264: SEI, x265:
info) are switched off, since their 2 kB would put that codec at a disadvantage.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.clips import Clip
from benchmarks.programs import FFMPEG, GVC

SOURCE, CODED, DECODED = "SOURCE", "CODED.mkv", "DECODED.mkv"
GOP = 33  # pictures in a GOP of GVC; the series of faded stills uses the same distance
ONE_KEYFRAME = 9999  # distance of keyframes, in pictures, that no clip reaches
Command = list[str]


@dataclass(frozen=True)
class Codec:
    """One codec with its settings.

    encode: function (clip, level, distance of keyframes) -> command.
    decode: function (clip, view) -> command.
    quick, full: levels of a quick and of a full run.
    low: levels of a run at low rates; the codecs that have none are left out there.
    views: ways to decode the same file (values of realism).
    """

    label: str
    family: str
    encode: Callable[[Clip, float, int], Command]
    decode: Callable[[Clip, str], Command]
    quick: Sequence[float]
    full: Sequence[float]
    low: Sequence[float] = ()
    views: Sequence[str] = ("",)
    counts_as_paper: bool = False


def _gvc_encode(options: dict, clip: Clip, level: float, keyint: int, *, knob: str = "quality") -> Command:
    words = [f"--{name}={value}" for name, value in (options | {"keyint": keyint}).items()]
    return [*GVC, "encode", "-y", "-q", "--no-audio", *words, f"--{knob}={level:g}", SOURCE, CODED]


def _gvc_decode(clip: Clip, view: str) -> Command:
    return [*GVC, "decode", "-y", "-q", "--no-audio", f"--realism={view}", CODED, DECODED]


def _ffmpeg_encode(words: str, clip: Clip, level: float, keyint: int, *, halved: bool = False) -> Command:
    scale = ["-vf", f"scale={_half(clip.width)}:{_half(clip.height)}:flags=lanczos"] if halved else []
    given = [FFMPEG, "-v", "error", "-y", "-i", SOURCE, "-an", "-fps_mode", "passthrough", *scale]
    plain = ["-map_metadata", "-1", "-fflags", "+bitexact"]
    return [*given, *words.format(level).split(), "-g", str(keyint), *plain, CODED]


def _ffmpeg_decode(clip: Clip, view: str, *, halved: bool = False) -> Command:
    scale = ["-vf", f"scale={clip.width}:{clip.height}:flags=lanczos"] if halved else []
    given = [FFMPEG, "-v", "error", "-y", "-i", CODED, "-fps_mode", "passthrough", *scale]
    return [*given, "-pix_fmt", "yuv420p", "-c:v", "ffv1", DECODED]


def _floor_encode(clip: Clip, level: float, keyint: int) -> Command:
    chosen = f"select='not(mod(n,{GOP - 1}))+eq(n,{clip.frames - 1})'"
    given = [FFMPEG, "-v", "error", "-y", "-i", SOURCE, "-an", "-vf", chosen, "-fps_mode", "passthrough"]
    coded = ["-pix_fmt", "yuv420p", "-c:v", "libsvtav1", "-preset", "4", "-crf", f"{level:g}", "-g", "1"]
    return [*given, *coded, "-map_metadata", "-1", "-fflags", "+bitexact", CODED]


def _floor_decode(clip: Clip, view: str) -> Command:
    return [sys.executable, "-m", "benchmarks.fade", CODED, DECODED, str(clip.frames), str(clip.rate)]


def _half(side: int) -> int:
    return side // 4 * 2


def _gvc(
    label: str, quick: Sequence[float], full: Sequence[float], low: Sequence[float] = (), **options: object
) -> Codec:
    return Codec(label, "gvc", partial(_gvc_encode, options), _gvc_decode, quick, full, low, ("0", "1"))


def _paper(mode: str, quick: Sequence[float], full: Sequence[float]) -> Codec:
    encode = partial(_gvc_encode, {"mode": mode, "prior": "gp", "preset": "gvcc", "quality": 20}, knob="atoms")
    label = f"paper's scheme {mode}"
    return Codec(label, "gvc", encode, _gvc_decode, quick, full, views=("0",), counts_as_paper=True)


def _rival(
    label: str,
    words: str,
    quick: Sequence[float] = (),
    full: Sequence[float] = (),
    low: Sequence[float] = (),
    *,
    halved: bool = False,
) -> Codec:
    family, encode = "half size" if halved else "rival", partial(_ffmpeg_encode, words, halved=halved)
    return Codec(label, family, encode, partial(_ffmpeg_decode, halved=halved), quick, full, low)


X264 = "-pix_fmt yuv420p -c:v libx264 -preset veryslow -bsf:v filter_units=remove_types=6 -crf {:g}"
X265 = "-pix_fmt yuv420p -c:v libx265 -preset veryslow -x265-params log-level=error:info=0 -crf {:g}"
# FFmpeg's own -crf ends at 63, while SVT-AV1 goes to 70.
SVT = "-pix_fmt yuv420p -c:v libsvtav1 -preset 4 -svtav1-params crf={:g}"
VVENC = "-pix_fmt yuv420p10le -c:v libvvenc -preset medium -qp {:g}"
QUALITIES = (0, 5, 10, 20, 34, 50)
FEWER = (0, 10, 20, 34)
QUICK_QUALITIES = (0, 12, 24, 36)
LOW_QUALITIES = (0, 8, 20)
LOW_AV1 = (57, 63, 67, 70)

CODECS = {
    "gvc-flf2v": _gvc("GVC flf2v", QUICK_QUALITIES, QUALITIES, LOW_QUALITIES, mode="flf2v", prior="gp"),
    "gvc-neural": _gvc(
        "GVC flf2v, neural prior", QUICK_QUALITIES, QUALITIES, LOW_QUALITIES, mode="flf2v", prior="neural"
    ),
    "gvc-i2v": _gvc("GVC i2v", (12, 24, 36), FEWER, mode="i2v", prior="gp"),
    "gvc-t2v": _gvc("GVC t2v", (12, 24, 36), FEWER, mode="t2v", prior="gp"),
    "gvcc-flf2v": _paper("flf2v", (64, 256, 1024), (16, 64, 256, 1024)),
    "gvcc-i2v": _paper("i2v", (), (64, 256)),
    "gvcc-t2v": _paper("t2v", (), (64, 256)),
    "x264": _rival("x264 veryslow", X264, (33, 37, 41, 45), (24, 28, 31, 34, 37, 40, 43, 46, 49)),
    "x265": _rival("x265 veryslow", X265, (30, 35, 40, 45), (24, 27, 30, 33, 36, 39, 42, 45, 48), (36, 41, 47)),
    "svt-av1": _rival("SVT-AV1 preset 4", SVT, (49, 57, 63, 70), (28, 34, 40, 45, 49, 53, 57, 60, 63, 67, 70), LOW_AV1),
    "svt-av1-2": _rival("SVT-AV1 preset 2", SVT.replace("preset 4", "preset 2"), low=LOW_AV1),
    "svt-av1-vq": _rival("SVT-AV1 preset 4, tune VQ", f"{SVT}:tune=0", low=LOW_AV1),
    "svt-av1-ssim": _rival("SVT-AV1 preset 4, tune SSIM", f"{SVT}:tune=2", low=LOW_AV1),
    "vvenc": _rival("VVenC medium", VVENC, (34, 39, 44, 49), (27, 30, 33, 36, 39, 42, 45, 48, 51), (40, 46, 52)),
    "x265-half": _rival("x265 at half size", X265, (24, 29, 34, 39), (18, 21, 24, 27, 30, 33, 36, 39, 42), halved=True),
    "svt-av1-half": _rival(
        "SVT-AV1 at half size", SVT, (28, 38, 48, 58), (20, 26, 32, 38, 43, 48, 53, 58, 63, 67), (44, 54, 63),
        halved=True,
    ),
    "floor": Codec(
        "stills and cross-fade", "floor", _floor_encode, _floor_decode,
        (38, 48, 56, 63), (22, 30, 36, 42, 48, 53, 58, 63),
    ),
}  # fmt: skip
