# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Files with GVC video as sequences of pictures. The reader joins demuxer and decoder, the writer encoder and muxer."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from fractions import Fraction
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, overload

import numpy as np

from gvc.ahead import AheadDecoder, Answer
from gvc.errors import BitstreamError, MediaError, OptionError
from gvc.gop.rule import CurrentGop
from gvc.loop.denoise import OnStep
from gvc.media import Packet, Picture, VideoFormat
from gvc.options import ENCODER_OPTIONS, parse_options

from .arrays import LIMITED, from_rgb, usual_matrix
from .demux import Demuxer
from .files import output_file

FINEST_RATE = 1001  # Largest denominator of a frame rate
FINEST_TIME = 10**9  # Largest denominator of a time in seconds

Number = int | float | Fraction


class FileReader:
    """The pictures of a file with GVC video: an iterator, and a context manager that closes the file.

    Times are ticks of `format.time_base` seconds, and a file begins at 0, whatever its own clock says. The next group
    of pictures is decoded while the caller takes the pictures of the current one. Damaged pictures are left out or
    concealed, with a warning, and counted; the rest of the file is still read.

    Args:
        path: file to read; "-" = standard input.
        warn: function called with a sentence about each damage. Default: warnings.warn.
        on_step: function that the decoding thread calls at each step of each GOP (gvc.loop.denoise.OnStep). Default:
            none.
        decoder: function that makes the decoder from the bytes of the sequence header or None, such as one whose GOPs
            are decoded elsewhere (gvc.fleet.decoder). Default: one of this process.
        options: values by name (gvc.options.DECODER_OPTIONS), such as realism=1. Default: the options' defaults.

    Attributes:
        demuxer: demuxer of the file, with its format and its track.
        count: number of pictures that were returned.
        damage: number of errors that were found.

    Raises MediaError for a file that cannot be read or holds no GVC video, and OptionError. Taking pictures may also
    raise PriorError.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        /,
        *,
        warn: Callable[[str], object] = warnings.warn,
        on_step: OnStep | None = None,
        decoder: Callable[[bytes | None], AheadDecoder] | None = None,
        **options: object,
    ):
        self._warn = warn
        self.count = self.damage = self._concealed = self._filled = 0
        self.demuxer = Demuxer(path)
        try:
            make = decoder or partial(AheadDecoder, options=options, on_step=on_step, fills=True)
            self._decoder = make(self.demuxer.header)
        except BaseException:
            self.demuxer.close()
            raise
        self._pictures = self._decoded()

    @property
    def format(self) -> VideoFormat:
        """Size, colour and nominal frame rate; `format.time_base` is the length in seconds of a tick of pts."""
        return self.demuxer.format

    @property
    def gop(self) -> CurrentGop:
        """Number and steps of the GOP that is being decoded, or was last."""
        return self._decoder.gop

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Picture:
        return next(self._pictures)

    def seek(self, seconds: Number) -> None:
        """Go to a time. The next picture is the one that is shown then, or the first one that is shown later.

        Args:
            seconds: time on the clock of the pictures, pts * format.time_base.

        Raises MediaError for a file that cannot be sought, such as a pipe.
        """
        self._decoder.flush()
        exact = Fraction(seconds).limit_denominator(FINEST_TIME)  # A float may lie a hair before its decimal number
        self.demuxer.seek(exact)
        tick = exact / self.format.time_base
        self._pictures = (p for p in self._decoded() if p.pts is None or p.pts + max(p.duration, 1) > tick)

    def _decoded(self) -> Iterator[Picture]:
        try:
            for packet in self._packets():
                self._decoder.put(packet)
                for answer in self._decoder.answers():
                    yield from self._checked(answer)
            if self._concealed:
                self._complain(f"packets are missing or damaged: {self._concealed} frames are concealed")
            elif self._filled:
                self._complain(f"packets are missing: {self._filled} frames are shown with the packets after them")
        except MediaError as error:  # The pictures before the error are good
            self._complain(str(error))

    def _packets(self) -> Iterator[Packet | None]:
        try:
            yield from self.demuxer.packets()
        except MediaError as error:  # The packets before the error are good
            self._complain(str(error))
        yield None

    def _checked(self, answer: Answer) -> list[Picture]:
        """Return the pictures of an answer; count damage and warn of it, and raise other errors."""
        if isinstance(answer.error, BitstreamError):
            self._complain(f"packet {answer.number}: {answer.error}")
        elif answer.error:
            raise answer.error
        if answer.format:
            self._check_layout(answer.format)
        self.count += len(answer.pictures)
        self._filled += len(answer.pictures[:-1])
        self._concealed += sum(picture.concealed for picture in answer.pictures)
        return answer.pictures

    def _check_layout(self, now: VideoFormat) -> None:
        """Raise MediaError if pictures have another size or sample format than the first ones."""
        first = self.format
        if (now.plane_shapes, now.samples) != (first.plane_shapes, first.samples):
            raise MediaError(
                f"{self.demuxer.path} was joined from videos of different kinds: after {self.count} frames, "
                f"{first.width}x{first.height} {first.samples.pix_fmt} becomes "
                f"{now.width}x{now.height} {now.samples.pix_fmt}; `gvc ffmpeg -i` scales all to one size"
            )

    def _complain(self, text: str) -> None:
        self.damage += 1
        self._warn(text)

    def close(self) -> None:
        """Close the file and end the decoder's thread."""
        self._decoder.close()
        self.demuxer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class FileWriter:
    """A new file with GVC video, made of pictures or of arrays of pixels; a context manager.

    The file appears, complete, when it is closed, and replaces an existing file of that name then. After an exception,
    or if `close` is never called, there is no new file.

    Args:
        path: file to write, whose extension decides the container format (.mkv, .avi, .nut); "-" = standard output,
            Matroska.
        video_format: format of the pictures. Default: 8-bit 4:2:0 in the size of the first array.
        rate: frames a second if `video_format` is not given. Default: 25.
        copy_from: file whose audio, subtitles and other tracks are copied. Default: none.
        warn: function called with a sentence for each thing that is left out or changed. Default: warnings.warn.
        options: values by name (gvc.options.ENCODER_OPTIONS), such as quality=40 or bitrate="60k". Default: the
            options' defaults.

    Attributes:
        format: format of the pictures; None before the first array.

    Raises OptionError, PriorError and MediaError, and OSError if the file cannot be written.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        /,
        *,
        video_format: VideoFormat | None = None,
        rate: Number = 25,
        copy_from: str | PathLike[str] | None = None,
        warn: Callable[[str], object] = warnings.warn,
        **options: object,
    ):
        parse_options(ENCODER_OPTIONS, options)  # Wrong options are reported now, not with the first picture
        self._rate = Fraction(rate).limit_denominator(FINEST_RATE)
        if self._rate <= 0:
            raise OptionError(f"rate={rate} is out of range; a video has more than 0 pictures a second")
        self._options, self._copy_from, self._warn = options, copy_from, warn
        self.format: VideoFormat | None = None
        self._last: int | None = None  # pts of the last picture
        self._next = 0  # End time of the last picture
        self._closed = False
        with ExitStack() as stack:
            self._path = stack.enter_context(output_file(Path(path), overwrite=True, source=copy_from))
            if video_format:
                self._start(video_format, stack)
            self._stack = stack.pop_all()

    def _start(self, video: VideoFormat, stack: ExitStack) -> None:
        from gvc.encoder import Encoder  # Imported only now, because readers need neither and should start at once

        from .mux import Muxer

        self._encoder = Encoder(video, self._options)
        muxer = Muxer(self._path, self._encoder.extradata, video, self._copy_from, warn=self._warn)
        self._muxer = stack.enter_context(muxer)
        self.format = video
        self._nominal = max(1, round(1 / (video.frame_rate or 25) / video.time_base))

    def write(self, picture: Picture | np.ndarray) -> None:
        """Take the next picture. It is coded and written when its group of pictures is complete.

        Args:
            picture: Picture with planes in the file's format, or R'G'B' pixels as a uint8 array [H, W, 3], which are
                converted to that format. The pts of a Picture must be higher than the one before; None = at the end of
                the picture before.

        Raises MediaError for a picture of another size or format and for a time that does not rise, RateError if the
        bitrate cannot be met, OSError if the file cannot be written.
        """
        if self._closed:
            raise MediaError("the file has been closed; nothing more can be written")
        if isinstance(picture, np.ndarray):
            if not self.format:
                self._start(self._format_of(picture), self._stack)
            picture = from_rgb(picture, self.format)
        elif not self.format:
            raise OptionError("the format of a picture's planes is unknown; give it as video_format")
        self._put(self._encoder.encode(self._timed(picture)))

    def _format_of(self, pixels: np.ndarray) -> VideoFormat:
        if pixels.ndim != 3:
            raise MediaError(f"the pixels must be an array [H, W, 3], not one of {pixels.ndim} dimensions")
        height, width, _ = pixels.shape
        matrix = usual_matrix(height)
        return VideoFormat(width, height, self._rate, 1 / self._rate, color_range=LIMITED, colorspace=matrix)

    def _timed(self, picture: Picture) -> Picture:
        """Return the picture with a pts, which it gets here if it has none. Raises MediaError if times do not rise."""
        if picture.pts is None:
            picture = replace(picture, pts=self._next, duration=picture.duration or self._nominal)
        if self._last is not None and picture.pts <= self._last:
            raise MediaError(f"the picture's pts is {picture.pts}, after one of {self._last}; times must rise")
        self._last, self._next = picture.pts, picture.pts + (picture.duration or self._nominal)
        return picture

    def _put(self, packets: list[Packet]) -> None:
        for packet in packets:
            self._muxer.write(packet)

    def close(self) -> None:
        """Code and write the remaining pictures and put the file in its place. A second call does nothing.

        Raises MediaError if no picture was written, RateError and OSError. After an error there is no new file.
        """
        if self._closed:
            return
        self._closed = True
        with self._stack:
            if self._last is None:
                raise MediaError("no picture was written, so there is no file")
            self._put(self._encoder.encode(None))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close()
        elif not self._closed:
            self._closed = True
            self._stack.__exit__(kind, error, trace)


@overload
def open(path: str | PathLike[str], access: Literal["r"] = "r", /, **arguments: object) -> FileReader: ...
@overload
def open(path: str | PathLike[str], access: Literal["w"], /, **arguments: object) -> FileWriter: ...
def open(path: str | PathLike[str], access: str = "r", /, **arguments: object) -> FileReader | FileWriter:
    """Open a file with GVC video.

    Args:
        path: file to open.
        access: "r" to read, "w" to write. Default: "r".
        arguments: arguments of FileReader or FileWriter, options of the decoder or the encoder included.

    Raises the errors of these classes, and OptionError for another kind of access.
    """
    kinds = {"r": FileReader, "w": FileWriter}
    if access not in kinds:
        raise OptionError(f"access {access!r} is unknown; valid: {', '.join(kinds)}")
    return kinds[access](path, **arguments)
