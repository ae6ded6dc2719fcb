# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What is seen where packets are lost or damaged, of GVC and of other codecs in files of the same size.

    python -m benchmarks.loss CLIP ... [--seeds 10] [--qualities 40 60] [--keyint 33] [--lpips] [--gvc resilience=1]

A clip of fewer pictures than asked for goes forward and back. Streams and the pictures of whole ones are kept in the
folder of results; each kind of damage then hits them once for each seed. GVC's streams are decoded by this process, the
others by FFmpeg with its own concealment. Packets keep the times of their pictures, so that the right picture at the
wrong time counts as wrong. A table goes to standard output, and all figures into loss.json.
"""

import argparse
import io
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
from gvc_container.source import VideoSource

from benchmarks.damage import KINDS, Coded, Distance, seen
from benchmarks.machine import ROOT
from benchmarks.programs import FFMPEG
from gvc.ahead import AheadDecoder
from gvc.encoder import Encoder
from gvc.media import Packet

REORDERED = 8  # pictures by which times are later in damaged files, so that no decoding time is negative
OTHERS = {  # options for FFmpeg, where {0} stands for the interval of keyframes
    "x265": "-c:v libx265 -preset slow -x265-params keyint={0}:min-keyint={0}:scenecut=0:open-gop=0:info=0",
    "SVT-AV1": "-c:v libsvtav1 -preset 6 -g {0} -svtav1-params scd=0",
}


def ffmpeg(*words: str, data: bytes | None = None) -> bytes:
    """Run FFmpeg; return its output. Errors in what it decodes are no failure."""
    done = subprocess.run(
        [FFMPEG, "-nostdin", "-v", "fatal", *words] if data is None else [FFMPEG, "-v", "fatal", *words],
        input=data,
        capture_output=True,
        check=False,
    )
    return done.stdout


def prepare(clip: Path, frames: int, folder: Path) -> Path:
    """Write the first pictures of a clip, forward and back if need be, into a lossless file."""
    path = folder / f"{clip.stem}_{frames}.mkv"
    if not path.exists():
        graph = "[0:v]split[a][b];[b]reverse,trim=start_frame=1,setpts=PTS-STARTPTS[c];[a][c]concat=n=2:v=1"
        words = ["-y", "-i", str(clip), "-filter_complex", graph, "-an", "-frames:v", str(frames)]
        ffmpeg(*words, "-pix_fmt", "yuv420p", "-c:v", "ffv1", str(path))
    return path


class Stream:
    """A coded clip. whole: luma of all of its pictures."""

    def __init__(self, packets: list[Coded], decode: Callable[[Sequence[Coded]], dict[int, np.ndarray]]):
        self.packets, self.decode = packets, decode
        self.size = sum(len(packet.data) for packet in packets)
        pictures = decode(packets)
        self.whole = [pictures[place] for place in range(len(packets))]


def gvc_stream(clip: Path, keyint: int, quality: float, extra: dict[str, str], folder: Path) -> Stream:
    """Return GVC's stream at a quality."""
    name = "_".join([clip.stem, f"{quality:g}", str(keyint), *(f"{k}{v}" for k, v in sorted(extra.items()))])
    path = folder / f"{name}.npz"
    if not path.exists():
        with VideoSource(str(clip)) as source:
            encoder = Encoder(source.format, {"quality": quality, "keyint": keyint, **extra})
            packets = [packet for picture in [*source.pictures(), None] for packet in encoder.encode(picture)]
        np.savez(
            path,
            extradata=np.frombuffer(encoder.extradata, np.uint8),
            data=np.frombuffer(b"".join(p.data for p in packets), np.uint8),
            sizes=[len(p.data) for p in packets],
        )
    stored = np.load(path)
    data, ends = stored["data"].tobytes(), np.cumsum(stored["sizes"])
    extradata = stored["extradata"].tobytes()
    parts = [data[end - size : end] for end, size in zip(ends, stored["sizes"], strict=True)]

    def decode(packets: Sequence[Coded]) -> dict[int, np.ndarray]:
        decoder = AheadDecoder(extradata, {"threads": 1})
        try:
            came = {}
            for packet in [*packets, None]:
                decoder.put(packet and Packet(packet.data, packet.place, 1, packet.key))
                for answer in decoder.answers():
                    came |= {picture.pts: picture.planes[0] for picture in answer.pictures}
            return came
        finally:
            decoder.close()

    return Stream([Coded(part, i, part[:1] == b"\2", i) for i, part in enumerate(parts)], decode)


def other_stream(codec: str, clip: Path, keyint: int, size: int, folder: Path) -> Stream:
    """Return another codec's stream of about the same size."""
    best = min(
        (other_file(codec, clip, keyint, crf, folder) for crf in _search(codec, clip, keyint, size, folder)),
        key=lambda path: abs(_size(path) - size),
    )
    with av.open(str(best)) as container:
        stream, packets = container.streams.video[0], []
        ticks = [packet for packet in container.demux(stream) if packet.size]
        step = 1 / (stream.average_rate * stream.time_base)
        packets = [Coded(bytes(p), round(p.pts / step), p.is_keyframe, i) for i, p in enumerate(ticks)]

    def decode(packets: Sequence[Coded]) -> dict[int, np.ndarray]:
        return _decoded(best, packets)

    return Stream(packets, decode)


def _search(codec: str, clip: Path, keyint: int, size: int, folder: Path) -> Iterator[int]:
    low, high = 8, 63 if codec == "SVT-AV1" else 51
    while low <= high:
        crf = (low + high) // 2
        yield crf
        if _size(other_file(codec, clip, keyint, crf, folder)) > size:
            low = crf + 1
        else:
            high = crf - 1


def other_file(codec: str, clip: Path, keyint: int, crf: int, folder: Path) -> Path:
    path = folder / f"{clip.stem}_{codec}_{keyint}_{crf}.mkv"
    if not path.exists():
        words = OTHERS[codec].format(keyint).split()
        partial = path.with_suffix(".partial.mkv")
        ffmpeg("-y", "-i", str(clip), "-an", *words, "-crf", str(crf), str(partial))
        partial.rename(path)
    return path


@cache
def _size(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(packet.size for packet in container.demux(video=0))


def _decoded(original: Path, packets: Sequence[Coded]) -> dict[int, np.ndarray]:
    """Return what FFmpeg shows of packets: luma by place."""
    damaged = io.BytesIO()
    with av.open(str(original)) as container, av.open(damaged, "w", format="matroska") as target:
        source = container.streams.video[0]
        track = target.add_stream_from_template(source, opaque=True)
        period, step = 1 / source.average_rate, 1 / (source.average_rate * source.time_base)
        for coded in packets:
            packet = av.Packet(coded.data)
            packet.stream, packet.time_base = track, source.time_base
            packet.pts = round((coded.place + REORDERED) * step)
            packet.dts = round(coded.order * step)
            packet.is_keyframe = coded.key
            with suppress(av.FFmpegError):  # The muxer refuses AV1 that it cannot read, which is then lost
                target.mux_one(packet)
    words = [
        "-i",
        "-",
        "-fps_mode",
        "passthrough",
        "-copyts",
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "rawvideo",
        "-f",
        "nut",
        "-",
    ]
    output = ffmpeg(*words, data=damaged.getvalue())
    came = {}
    with suppress(av.FFmpegError), av.open(io.BytesIO(output)) as container:  # No picture, no file
        track = container.streams.video[0]
        for frame in container.decode(track):
            came[round(frame.pts * track.time_base / period) - REORDERED] = frame.to_ndarray()[: frame.height]
    return came


def lpips() -> Distance:
    """Return a function for LPIPS between two planes of luma."""
    from gvc.metrics.perceptual import Lpips, NetworkDistance

    network = NetworkDistance(Lpips("alexnet"))

    def grey(luma: np.ndarray) -> SimpleNamespace:
        return SimpleNamespace(rgb=np.repeat(luma[None, ..., None], 3, -1))

    return lambda now, right: float(network.distance(network.features(grey(right)), grey(now))[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, default=[ROOT / "assets" / "city_416x240.mp4"])
    parser.add_argument("--frames", type=int, default=129)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--qualities", type=float, nargs="+", default=[40, 60])
    parser.add_argument("--keyint", type=int, default=33)
    parser.add_argument("--codecs", nargs="+", default=["GVC", *OTHERS])
    parser.add_argument("--gvc", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "loss")
    parser.add_argument("--lpips", action="store_true")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    distance, rows = lpips() if given.lpips else None, []
    for source in given.clips:
        clip = prepare(source, given.frames, given.output)
        for quality in given.qualities:
            base = gvc_stream(clip, given.keyint, quality, dict(pair.split("=") for pair in given.gvc), given.output)
            for codec in given.codecs:
                stream = base if codec == "GVC" else other_stream(codec, clip, given.keyint, base.size, given.output)
                for kind, damage in KINDS.items():
                    found = []
                    for seed in range(given.seeds):
                        came = stream.decode(damage(stream.packets, np.random.default_rng(seed)))
                        found.append(asdict(seen(stream.whole, came, distance)))
                    mean = {
                        k: np.mean([v]) if (v := [f[k] for f in found if f[k] is not None]) else None for k in found[0]
                    }
                    row = {
                        "clip": source.stem,
                        "codec": codec,
                        "quality": quality,
                        "bytes": stream.size,
                        "damage": kind,
                        **mean,
                    }
                    rows.append(row | {"seeds": found})
                    figures = "  ".join(f"{k} {v:.1f}" for k, v in mean.items() if v is not None)
                    print(
                        f"{source.stem:24} {codec:8} q{quality:<4g} {stream.size:7} B  {kind:16} {figures}", flush=True
                    )
    (given.output / "loss.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
