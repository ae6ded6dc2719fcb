# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Report the content of a GVC file and the use of its bytes, without decoding pictures."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from gvc.bitstream import GopUnit, SequenceHeader, read_packet
from gvc.errors import BitstreamError
from gvc.gop.rule import rule_of

from .demux import Demuxer
from .rate import Tally

SCHEMA = 1  # Version of the JSON, raised when a key changes its meaning


@dataclass
class Bytes:
    """Numbers of bytes in a file by their use."""

    stills: int = 0  # Boundary pictures
    tails: int = 0  # Corrections at the end of I2V GOPs
    atoms: int = 0  # Choices of the noise
    side: int = 0  # Side information of the prior
    headers: int = 0  # Sequence headers, and fields and checksums of GOP packets
    show: int = 0  # Packets that only tell the decoder to show the next frame
    damaged: int = 0  # Packets that cannot be parsed
    other_tracks: int = 0  # Payload of audio and other tracks
    container: int = 0  # Data of the file format itself

    def add(self, packet: bytes, unit: GopUnit | None) -> None:
        """Add the bytes of one intact packet; `unit` is its parsed GOP, None for a show packet."""
        if unit is None:
            self.show += len(packet)
            return
        self.stills += len(unit.first) + len(unit.last)
        self.tails += len(unit.tail)
        self.side += len(unit.side)
        self.atoms += len(unit.atoms)
        payloads = (unit.first, unit.last, unit.tail, unit.side, unit.atoms)
        self.headers += len(packet) - sum(map(len, payloads))


@dataclass
class GopInfo:
    """One GOP.

    index: number of the GOP in the stream.
    key: whether decoding can start here.
    seconds: time of its first frame; None = unknown.
    start, stop: noise levels at which its coding starts and stops.
    bytes: size of its packet.
    calls, lowres_calls: number of calls of the prior that its decoding takes, at full and at low resolution.
    frames: number of frames that it shows.
    """

    index: int
    key: bool
    seconds: float | None
    start: int
    stop: int
    bytes: int
    calls: int
    lowres_calls: int
    frames: int


@dataclass
class Probe:
    """Content of a file. kbps and bpp concern the GVC track: its payload and all container overhead."""

    path: str
    format: str
    file_bytes: int
    track: int
    frames: int
    keyframes: int
    duration: float  # In seconds
    kbps: float
    bpp: float
    sequence: dict
    bytes: Bytes
    relative_cost: float  # Work in calls of the prior; 1 = a call of full size at each step
    damaged_packets: int = 0
    gops: list[GopInfo] = field(default_factory=list)

    def as_dict(self) -> dict:
        """Return plain values with stable keys, for JSON."""
        return {"schema": SCHEMA, **asdict(self)}


def probe(path: str | Path) -> Probe:
    """Read a file from start to end without decoding pictures. Raises MediaError."""
    with Demuxer(path) as demuxer:
        spent, gops, tally, work = Bytes(), [], Tally(), _Work(demuxer.sequence)
        keyframes = damaged = 0
        for packet in demuxer.packets():
            keyframes += packet.key
            tally.add(len(packet.data), packet.pts, packet.duration)
            try:
                unit = read_packet(packet.data)
            except BitstreamError:
                damaged += 1
                spent.damaged += len(packet.data)
                continue
            spent.add(packet.data, unit)
            if unit:
                seconds = None if packet.pts is None else float(packet.pts * demuxer.time_base)
                levels, size = (unit.start, unit.stop), len(packet.data)
                gops.append(GopInfo(unit.index, unit.key, seconds, *levels, size, *work.add(unit), unit.shown))
        spent.other_tracks = tally.other_bytes = demuxer.other_bytes
        video = demuxer.format
        rate = tally.rate(path, video.time_base, video.frame_rate)
        spent.container = rate.file_bytes - sum(asdict(spent).values())
        return Probe(
            path=str(path),
            format=demuxer.format_name,
            file_bytes=rate.file_bytes,
            track=demuxer.track_index,
            frames=rate.frames,
            keyframes=keyframes,
            duration=float(rate.duration),
            kbps=rate.kbps or 0.0,
            bpp=rate.bpp(video.width, video.height),
            sequence=_sequence_info(demuxer),
            bytes=spent,
            relative_cost=work.relative,
            damaged_packets=damaged,
            gops=gops,
        )


@dataclass
class _Work:
    """Work of a stream's prior, in calls of full size."""

    header: SequenceHeader  # Sequence header in force
    spent: float = 0.0
    most: int = 0  # Work with a call of full size at each step

    def add(self, unit: GopUnit) -> tuple[int, int]:
        """Add a GOP; return its numbers of calls at full and at low resolution."""
        self.header = unit.header or self.header
        try:
            rule = rule_of(self.header, unit)
        except BitstreamError:
            return 0, 0
        full, low = (0, 0) if unit.bare else rule.calls
        self.spent += full + low * (self.header.lowres_size / 100) ** 2
        self.most += 0 if unit.bare else len(rule.times) + (rule.times[-1] > 0)
        return full, low

    @property
    def relative(self) -> float:
        """Work relative to that with a call of full size at each step."""
        return self.spent / self.most if self.most else 1.0


def _sequence_info(demuxer: Demuxer) -> dict:
    sequence, video = demuxer.sequence, demuxer.format
    return {
        "version": demuxer.header[4],
        "width": video.width,
        "height": video.height,
        "frame_rate": str(video.frame_rate),
        "time_base": str(video.time_base),
        "sample_aspect_ratio": str(video.sample_aspect_ratio),
        "color_range": video.color_range,
        "color_primaries": video.color_primaries,
        "color_trc": video.color_trc,
        "colorspace": video.colorspace,
        "chroma_location": video.chroma_location,
        "mode": sequence.mode,
        "transition": sequence.transition,
        "prior": sequence.prior,
        "weights_hash": sequence.weights_hash.hex(),
        "seed": sequence.seed,
        "codebook_extra": sequence.codebook_extra,
        "codebook_limit": sequence.codebook_limit,
        "shift": sequence.shift if sequence.transition.fixed else None,
        "x0_cache": bool(sequence.x0_cache),
        "x0_skips": sequence.x0_cache,
        "x0_warmup": sequence.x0_warmup,
        "lowres_steps": sequence.lowres_steps,
        "lowres_size": sequence.lowres_size if sequence.lowres_steps else None,
        "prompt": sequence.prompt,
        "header_bytes": len(demuxer.header),
    }
