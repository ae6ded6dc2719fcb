# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A track that is copied from one file into another. Packets get the same times as from FFmpeg's own program."""

import av
from av.format import Flags
from av.stream import Stream
from av.subtitles.subtitle import SubtitleSet

from .libav import AudioClock

TEXT_CODECS = {"matroska": "ass", "mp4": "mov_text", "mov": "mov_text"}  # Codec of text subtitles for each file format


class CopiedTrack:
    """A track whose packets are copied without coding them anew.

    Attributes:
        source: the stream that is read.
        target: the stream that is written.
    """

    def __init__(self, source: Stream, target: Stream):
        self.source, self.target = source, target
        self._begun = source.type != "video"
        self._expected = 0  # Expected dts of the next packet, in ticks of the source
        self._last: int | None = None  # dts of the last packet, in ticks of the target
        sampled = source.type == "audio" and source.codec_context and source.codec_context.sample_rate
        self._audio = AudioClock(source) if sampled else None

    def prepare(self, packet: av.Packet) -> av.Packet | None:
        """Add missing times to the next packet and return it; return None if it is not to be written."""
        self._begun = self._begun or packet.is_keyframe
        if not self._begun:
            return None  # Nothing can be decoded before the first keyframe
        if packet.dts is None:
            packet.dts = self._expected
        if self.source.type == "audio" or packet.pts is None:
            packet.pts = packet.dts
        self._expected = packet.dts + (packet.duration or 0)
        return packet

    def convert_times(self, packet: av.Packet) -> None:
        """Assign a packet to the target and convert its times to the target's time base, in rising order.

        The file's header must have been written, because that decides the time base.
        """
        clock, container = self.target.time_base, self.target.container
        scale = packet.time_base / clock
        if self._audio:
            packet.pts = packet.dts = self._audio.rescale(packet.dts, packet.size, clock)
        else:
            packet.pts, packet.dts = round(packet.pts * scale), round(packet.dts * scale)
        packet.duration = round((packet.duration or 0) * scale)
        packet.time_base, packet.stream = clock, self.target
        if self._last is not None:
            least = self._last + (not Flags(container.format.flags) & Flags.ts_nonstrict)
            packet.dts = max(packet.dts, least)
        packet.pts = max(packet.pts, packet.dts)
        self._last = packet.dts


class ConvertedSubtitles(CopiedTrack):
    """A track of text subtitles that is converted to the text codec of the output."""

    def __init__(self, source: Stream, target: Stream):
        super().__init__(source, target)
        self._decoder, self._encoder = source.codec_context, target.codec_context
        self._decoder.open(strict=False)
        self._encoder.subtitle_header = self._decoder.subtitle_header
        target.time_base = source.time_base

    def prepare(self, packet: av.Packet) -> av.Packet | None:
        ready = super().prepare(packet)
        try:
            text: SubtitleSet | None = ready and self._decoder.decode2(ready)
            if not text or not len(text):
                return None  # MP4 stores pauses as empty texts
            coded = self._encoder.encode_subtitle(text)
        except av.error.FFmpegError:
            return None  # Damaged text is left out
        coded.pts, coded.dts, coded.duration = ready.pts, ready.dts, ready.duration
        coded.time_base, coded.stream = ready.time_base, self.target
        return coded
