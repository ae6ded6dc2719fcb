# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Streams of GVC and of other codecs that can lose packets on their way to a decoder."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
from gvc_container.convert import samples
from gvc_container.source import VideoSource

from benchmarks.damage import Coded
from benchmarks.machine import code_of
from benchmarks.programs import FFMPEG
from gvc.ahead import AheadDecoder
from gvc.bitstream import parse_sequence_header
from gvc.encoder import Encoder
from gvc.media import YUV420P, Packet, Planes, VideoFormat

Decode = Callable[[Sequence[Coded]], dict[int, Planes]]  # function from packets to pictures by their places
OTHERS = {  # options for FFmpeg, where {0} stands for the interval of keyframes
    "x265": "-c:v libx265 -preset slow -x265-params keyint={0}:min-keyint={0}:scenecut=0:open-gop=0:info=0",
    "SVT-AV1": "-c:v libsvtav1 -preset 6 -g {0} -svtav1-params scd=0",
}
COARSEST = {"x265": 51, "SVT-AV1": 63}  # largest crf
DECODERS = {"x265": "hevc", "SVT-AV1": "libdav1d"}
BACK = "split[a][b];[b]reverse,trim=start_frame=1,setpts=PTS-STARTPTS[c];[a][c]concat=n=2:v=1"


class Stream:
    """A coded clip.

    packets: packets in coded order.
    decode: function that decodes some of them, as damaged as they are.
    format: format of the pictures.
    depends: what the pictures of damaged packets depend on beside the packets.
    """

    def __init__(self, packets: list[Coded], decode: Decode, video_format: VideoFormat, depends: str):
        self.packets, self.decode, self.format = packets, decode, video_format
        self.size = sum(len(packet.data) for packet in packets)
        self.digest = hashlib.sha256(b"".join(p.data for p in packets) + depends.encode()).hexdigest()
        pictures = decode(packets)
        self.whole = [pictures[place] for place in range(len(packets))]


def prepare(clip: Path, frames: int, size: str | None, folder: Path) -> Path:
    """Write the first pictures of a clip, forward and back, into a lossless file.

    size: WxH that pictures are shrunk and cropped to, None = their own.
    """
    path = folder / f"{clip.stem}_{frames}{'_' + size if size else ''}.mkv"
    if not path.exists():
        graph = BACK
        if size:
            graph += f",scale={size}:force_original_aspect_ratio=increase:flags=area,crop={size.replace('x', ':')}"
        stored = ["-an", "-frames:v", str(frames), "-pix_fmt", "yuv420p", "-c:v", "ffv1"]
        _ffmpeg("-i", str(clip), "-filter_complex", graph, *stored, target=path)
    return path


def _ffmpeg(*words: str, target: Path) -> None:
    partial = target.with_suffix(".partial.mkv")
    subprocess.run([FFMPEG, "-nostdin", "-v", "error", "-y", *words, str(partial)], check=True)
    partial.replace(target)


def gvc_stream(clip: Path, options: Mapping[str, object], folder: Path) -> Stream:
    """Return GVC's stream of a clip with options of the encoder."""
    code = code_of("gvc")
    digest = hashlib.sha256(repr((sorted(options.items()), code)).encode()).hexdigest()[:12]
    path = folder / f"{clip.stem}_{digest}.npz"
    if not path.exists():
        _encode(clip, options, path)
    stored = np.load(path)
    data, ends, extradata = stored["data"].tobytes(), np.cumsum(stored["sizes"]), stored["extradata"].tobytes()
    parts = [data[end - size : end] for end, size in zip(ends, stored["sizes"], strict=True)]
    packets = [Coded(part, place, key) for place, (part, key) in enumerate(zip(parts, stored["keys"], strict=True))]
    prior = {"prior": options["prior"]} if "prior" in options else {}

    def decode(received: Sequence[Coded]) -> dict[int, Planes]:
        decoder, came = AheadDecoder(extradata, {"threads": 1} | prior, fills=True), {}
        try:
            for coded in [*received, None]:
                decoder.put(coded and Packet(coded.data, coded.place, 1, coded.key))
                for answer in decoder.answers():
                    came |= {picture.pts: picture.planes for picture in answer.pictures}
        finally:
            decoder.close()
        return came

    return Stream(packets, decode, parse_sequence_header(extradata).format, code)


def _encode(clip: Path, options: Mapping[str, object], path: Path) -> None:
    with VideoSource(str(clip)) as source:
        encoder = Encoder(source.format, options)
        packets = [packet for picture in [*source.pictures(), None] for packet in encoder.encode(picture)]
    np.savez(
        path,
        extradata=np.frombuffer(encoder.extradata, np.uint8),
        data=np.frombuffer(b"".join(packet.data for packet in packets), np.uint8),
        sizes=[len(packet.data) for packet in packets],
        keys=[packet.key for packet in packets],
    )


def other_stream(codec: str, clip: Path, keyint: int, size: int, folder: Path) -> Stream:
    """Return another codec's stream of about the same size."""
    files = (_other_file(codec, clip, keyint, crf, folder) for crf in _search(codec, clip, keyint, size, folder))
    best = min(files, key=lambda path: abs(_size(path) - size))
    with av.open(str(best)) as container:
        track = container.streams.video[0]
        step = 1 / (track.average_rate * track.time_base)
        packets = [packet for packet in container.demux(track) if packet.size]
        coded = [Coded(bytes(packet), round(packet.pts / step), packet.is_keyframe) for packet in packets]
        extradata, video_format = track.codec_context.extradata, VideoFormat(track.width, track.height)

    def decode(received: Sequence[Coded]) -> dict[int, Planes]:
        decoder = av.CodecContext.create(DECODERS[codec], "r")
        decoder.extradata, decoder.thread_count = extradata, 1  # With more threads it shows other things each time
        came = {}
        for coded in [*received, None]:
            packet = coded and av.Packet(coded.data)
            if packet:
                packet.pts, packet.time_base = coded.place, Fraction(1, 25)
            with suppress(av.FFmpegError):  # FFmpeg's programs go on after errors, too
                came |= {frame.pts: _planes(frame) for frame in decoder.decode(packet)}
        return came

    return Stream(coded, decode, video_format, av.ffmpeg_version_info)


def _planes(frame: av.VideoFrame) -> Planes:
    return tuple(samples(plane, YUV420P).copy() for plane in frame.planes)


def _search(codec: str, clip: Path, keyint: int, size: int, folder: Path) -> Iterator[int]:
    """Yield the values of crf that a search for a size tries."""
    low, high = 8, COARSEST[codec]
    while low <= high:
        crf = (low + high) // 2
        yield crf
        if _size(_other_file(codec, clip, keyint, crf, folder)) > size:
            low = crf + 1
        else:
            high = crf - 1


def _other_file(codec: str, clip: Path, keyint: int, crf: int, folder: Path) -> Path:
    path = folder / f"{clip.stem}_{codec}_{keyint}_{crf}.mkv"
    if not path.exists():
        _ffmpeg("-i", str(clip), "-an", *OTHERS[codec].format(keyint).split(), "-crf", str(crf), target=path)
    return path


@cache
def _size(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(packet.size for packet in container.demux(video=0))
