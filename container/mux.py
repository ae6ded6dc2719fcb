"""Write GVC packets to a file. Uses the FFmpeg plugin (`gvc.av`) for the track's codec id, but starts no engine."""

import io
from pathlib import Path

import av

import gvc.av  # noqa: F401  registers the codec
from gvc.errors import MediaError
from gvc.media import Packet, VideoFormat

from .demux import CODEC_NAME
from .output import MediaOutput

FORMATS = ("matroska", "avi", "nut")  # libavformat's names
REASONS = {
    "mp4": "MP4 has no registered name for it",
    "webm": "WebM is for VP8, VP9 and AV1 alone",
    "mov": "it can be put there by `gvc ffmpeg -i film.mkv -c copy film.mov`",
    "mpegts": "MPEG-TS has no stream type for it, so nobody could read it back",
}


class Muxer(MediaOutput):
    """A media file with one GVC track.

    Args:
        path: the file; its name decides the container format (.mkv).
        header: the sequence header.
        video_format: as given to the encoder; its time base is that of the packets.
        copy_from: a file of which all but the video is to be taken along.
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
            output = av.open(str(path), "w", format=container_format)
        except ValueError:
            raise MediaError(f"{Path(path).suffix or path} is no known file format; use .mkv") from None
        name = output.format.name
        if name not in FORMATS:
            output.close()
            reason = REASONS.get(name, f"the format {name} has no place for it")
            raise MediaError(f"{Path(path).suffix or path} files cannot hold GVC video here: {reason}; use .mkv")
        try:
            self._track = self._add_track(output, header)
        except ValueError:
            output.close()
            raise MediaError(f"{Path(path).suffix or path} files cannot hold video; use .mkv") from None
        super().__init__(output, self._track, copy_from)

    def _add_track(self, output: av.container.OutputContainer, header: bytes) -> av.VideoStream:
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
            track = output.add_stream_from_template(template)
        context = track.codec_context
        context.extradata = header
        if video.sample_aspect_ratio:
            context.sample_aspect_ratio = video.sample_aspect_ratio
        context.color_range = video.color_range
        context.color_primaries = video.color_primaries
        context.color_trc = video.color_trc
        context.colorspace = video.colorspace
        return track

    def write(self, packet: Packet) -> None:
        """Write the next packet; needs a pts. Raises OSError."""
        self._copy_until(packet.pts * self._format.time_base)
        coded = av.Packet(packet.data)
        coded.pts = coded.dts = packet.pts
        coded.duration, coded.time_base = packet.duration, self._format.time_base
        coded.is_keyframe, coded.stream = packet.key, self._track
        self._output.mux(coded)
