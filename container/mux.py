"""Write GVC packets to a file. Uses the FFmpeg plugin (`gvc.av`) for the track's codec id, but starts no engine."""

import io
from pathlib import Path
from types import TracebackType

import av

import gvc.av  # noqa: F401  registers the codec
from gvc.errors import MediaError
from gvc.media import Packet, VideoFormat

from .copy import StreamCopier
from .demux import CODEC_NAME


class Muxer:
    """A media file with one GVC track.

    Args:
        path: the file; its name decides the container format (.mkv).
        header: the sequence header.
        video_format: as given to the encoder; its time base is that of the packets.
        copy_from: a file whose audio and subtitle tracks are to be taken along.
        container_format: libavformat's name of the format, where `path` does not say it.
    Raises MediaError if the format cannot hold GVC, OSError if the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        header: bytes,
        video_format: VideoFormat,
        copy_from: str | Path | None = None,
        container_format: str | None = None,
    ):
        self._format = video_format
        try:
            self._output = av.open(str(path), "w", format=container_format)
            self._track = self._add_track(header)
        except ValueError:
            raise MediaError(f"{Path(path).suffix or path} files cannot hold GVC video; use .mkv") from None
        self._copier = StreamCopier(copy_from, self._output) if copy_from else None

    def _add_track(self, header: bytes) -> av.VideoStream:
        """Add a track that has parameters but no running encoder: PyAV opens none for a track made from a template."""
        video = self._format
        with av.open(io.BytesIO(), "w", format="matroska") as scratch:
            template = scratch.add_stream(
                CODEC_NAME,
                rate=video.frame_rate or None,
                width=video.width,
                height=video.height,
                time_base=video.time_base,
            )
            track = self._output.add_stream_from_template(template)
        context = track.codec_context
        context.extradata = header
        if video.sample_aspect_ratio:
            context.sample_aspect_ratio = video.sample_aspect_ratio
        context.color_range = video.color_range
        context.color_primaries = video.color_primaries
        context.color_trc = video.color_trc
        context.colorspace = video.colorspace
        return track

    @property
    def skipped(self) -> list[str]:
        """A phrase for each track of `copy_from` that the output format cannot hold."""
        return self._copier.skipped if self._copier else []

    def write(self, packet: Packet) -> None:
        """Write the next packet; needs a pts. Raises OSError."""
        if self._copier:
            self._copier.copy_until(packet.pts * self._format.time_base)
        coded = av.Packet(packet.data)
        coded.pts = coded.dts = packet.pts
        coded.duration, coded.time_base = packet.duration, self._format.time_base
        coded.is_keyframe, coded.stream = packet.key, self._track
        self._output.mux(coded)

    def close(self) -> None:
        """Write what is left of the other tracks, then the end of the file."""
        if self._copier:
            self._copier.copy_until(None)
            self._copier.close()
        self._output.close()

    def __enter__(self) -> "Muxer":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        else:
            self._output.close()
