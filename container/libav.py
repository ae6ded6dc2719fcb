# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Stream properties that PyAV cannot set or read, in FFmpeg's structs and with FFmpeg's functions.

The classes below declare the first, public members of AVStream and AVCodecParameters, which are the same in FFmpeg 8
and 9.
"""

import ctypes
from fractions import Fraction
from functools import cache
from struct import calcsize, unpack
from typing import get_args

import av.container.output
import av.packet
from av.bitstream import BitStreamFilterContext
from av.stream import Stream

from gvc.errors import EngineError

# Kinds of side data that concern a whole track and stay true when it is coded anew. The keys are PyAV's names for side
# data of frames, the values its names for side data of packets.
SIDE_DATA = {
    "MASTERING_DISPLAY_METADATA": "mastering_display_metadata",
    "CONTENT_LIGHT_LEVEL": "content_light_level",
    "AMBIENT_VIEWING_ENVIRONMENT": "ambient_viewing_environment",
    "ICC_PROFILE": "icc_profile",
    "STEREO3D": "stereo_3d",
    "SPHERICAL": "spherical",
}
NO_TIME = -(2**63)  # AV_NOPTS_VALUE
POINTER = ctypes.sizeof(ctypes.c_void_p)


class _Rational(ctypes.Structure):
    _fields_ = (("num", ctypes.c_int), ("den", ctypes.c_int))


class _SideData(ctypes.Structure):
    """AVPacketSideData."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t), ("type", ctypes.c_int))


class _Parameters(ctypes.Structure):
    """AVCodecParameters."""

    _fields_ = (
        ("codec_type", ctypes.c_int),
        ("codec_id", ctypes.c_int),
        ("codec_tag", ctypes.c_uint32),
        ("extradata", ctypes.c_void_p),
        ("extradata_size", ctypes.c_int),
        ("coded_side_data", ctypes.POINTER(_SideData)),
        ("nb_coded_side_data", ctypes.c_int),
        ("format", ctypes.c_int),
        ("bit_rate", ctypes.c_int64),
        ("bits_per_coded_sample", ctypes.c_int),
        ("bits_per_raw_sample", ctypes.c_int),
        ("profile", ctypes.c_int),
        ("level", ctypes.c_int),
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("sample_aspect_ratio", _Rational),
        ("framerate", _Rational),
        ("field_order", ctypes.c_int),
        ("color_range", ctypes.c_int),
        ("color_primaries", ctypes.c_int),
        ("color_trc", ctypes.c_int),
        ("colorspace", ctypes.c_int),
        ("chroma_location", ctypes.c_int),
    )


class _Stream(ctypes.Structure):
    """AVStream."""

    _fields_ = (
        ("av_class", ctypes.c_void_p),
        ("index", ctypes.c_int),
        ("id", ctypes.c_int),
        ("codecpar", ctypes.POINTER(_Parameters)),
        ("priv_data", ctypes.c_void_p),
        ("time_base", _Rational),
        ("start_time", ctypes.c_int64),
        ("duration", ctypes.c_int64),
        ("nb_frames", ctypes.c_int64),
        ("disposition", ctypes.c_int),
        ("discard", ctypes.c_int),
        ("sample_aspect_ratio", _Rational),
        ("metadata", ctypes.c_void_p),
        ("avg_frame_rate", _Rational),
    )


@cache
def _library() -> ctypes.CDLL:
    """Return PyAV's FFmpeg. Symbols are found through an extension module of PyAV, which is linked with FFmpeg."""
    library = ctypes.CDLL(av.container.output.__file__)
    library.av_stream_get_class.restype = ctypes.c_void_p
    library.av_packet_side_data_new.restype = ctypes.POINTER(_SideData)
    library.av_packet_side_data_new.argtypes = (
        *(ctypes.c_void_p, ctypes.c_void_p),
        *(ctypes.c_int, ctypes.c_size_t, ctypes.c_int),
    )
    library.avcodec_parameters_copy.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    library.av_get_audio_frame_duration2.argtypes = (ctypes.c_void_p, ctypes.c_int)
    library.av_rescale_delta.restype = ctypes.c_int64
    library.av_rescale_delta.argtypes = (
        *(_Rational, ctypes.c_int64, _Rational, ctypes.c_int),
        *(ctypes.POINTER(ctypes.c_int64), _Rational),
    )
    return library


def _struct(stream: Stream) -> _Stream:
    """Return the AVStream of a stream.

    PyAV has no access to it, so this looks for the pointer in PyAV's object that leads to a struct with the AVClass of
    streams at its start.
    """
    marker = _library().av_stream_get_class()
    for offset in range(
        object.__basicsize__, Stream.__basicsize__, POINTER
    ):  # PyAV's class has only pointers as members
        address = ctypes.c_void_p.from_address(id(stream) + offset).value
        if address and ctypes.c_void_p.from_address(address).value == marker:
            struct = _Stream.from_address(address)
            if (struct.index, _fraction(struct.time_base)) == (stream.index, stream.time_base):
                return struct
    raise EngineError(
        f"GVC does not know the streams of PyAV {av.__version__}; install a known version: pip install 'av>=18,<19'"
    )


def _fraction(ratio: _Rational) -> Fraction | None:
    return Fraction(ratio.num, ratio.den) if ratio.num and ratio.den else None


def _assign(ratio: _Rational, value: Fraction | None) -> None:
    ratio.num, ratio.den = (value.numerator, value.denominator) if value else (0, 1)


def extradata(stream: Stream) -> bytes:
    """Return the configuration record of a stream, which needs no codec for it; b"" without one."""
    parameters = _struct(stream).codecpar.contents
    return ctypes.string_at(parameters.extradata, parameters.extradata_size) if parameters.extradata else b""


def set_sample_aspect(stream: Stream, ratio: Fraction | None) -> None:
    """Set the sample aspect ratio in the place where muxers read it. None = unknown."""
    _assign(_struct(stream).sample_aspect_ratio, ratio)


def copy_parameters(target: Stream, source: Stream, keep_tag: bool) -> None:
    """Copy the codec parameters of one stream to another.

    Args:
        target: stream of an output, without a codec context.
        source: stream of an input.
        keep_tag: whether to keep the input's codec tag instead of the output's own choice.
    """
    to, given = _struct(target), _struct(source)
    if _library().avcodec_parameters_copy(to.codecpar, given.codecpar) < 0:
        raise MemoryError
    if not keep_tag:
        to.codecpar.contents.codec_tag = 0
    target.time_base = source.time_base
    _assign(to.avg_frame_rate, _fraction(given.avg_frame_rate))
    if source.type == "video":  # PyAV's value covers both places where a file may store it: track and codec
        _assign(to.sample_aspect_ratio, source.sample_aspect_ratio)


class AudioClock:
    """Converts the times of copied audio packets to another time base.

    If the file's times are coarse, the durations of the packets in samples make them exact.
    """

    def __init__(self, source: Stream):
        self._struct, self._context = _struct(source), source.codec_context
        self._last = ctypes.c_int64(NO_TIME)

    def rescale(self, ticks: int, size: int, clock: Fraction) -> int:
        """Return the time of the next packet in ticks of `clock` seconds.

        ticks: time of the packet in the source's time base.
        size: bytes of the packet.
        clock: time base of the result.
        """
        samples = _library().av_get_audio_frame_duration2(self._struct.codecpar, size) or self._context.frame_size
        rate, out = _Rational(1, self._context.sample_rate), _Rational(clock.numerator, clock.denominator)
        last = ctypes.byref(self._last)
        return _library().av_rescale_delta(self._struct.time_base, ticks, rate, samples, last, out)


def _coded_side_data(stream: Stream) -> dict[str, bytes]:
    """Return the side data of a whole track, by PyAV's names for side data of packets."""
    parameters, names = _struct(stream).codecpar.contents, get_args(av.packet.PktSideDataT)
    given = (parameters.coded_side_data[index] for index in range(parameters.nb_coded_side_data))
    return {names[each.type]: ctypes.string_at(each.data, each.size) for each in given if each.type < len(names)}


def cropping(stream: Stream) -> tuple[int, int, int, int]:
    """Return the numbers of rows and columns that a file hides at the top, bottom, left and right of its video."""
    hidden = _coded_side_data(stream).get("frame_cropping", b"")
    return unpack("<4I", hidden) if len(hidden) == calcsize("<4I") else (0, 0, 0, 0)


def chroma_location(stream: Stream) -> int:
    """Return the location of a video's chroma samples (FFmpeg's AVChromaLocation); 0 = unknown."""
    return _struct(stream).codecpar.contents.chroma_location


def field_order(stream: Stream) -> int:
    """Return the order of the fields in a video's frames (FFmpeg's AVFieldOrder); 0 = unknown."""
    return _struct(stream).codecpar.contents.field_order


def side_data(stream: Stream) -> dict[str, bytes]:
    """Return the side data of a whole video track: bytes of FFmpeg's structs by the names of SIDE_DATA."""
    by_name = _coded_side_data(stream)
    return {name: by_name[packet_name] for name, packet_name in SIDE_DATA.items() if packet_name in by_name}


def add_side_data(stream: Stream, given: dict[str, bytes]) -> None:
    """Add side data, as `side_data` returns it, to an output's video track.

    Call this before other settings of the codec context. Names that are not in SIDE_DATA are ignored.
    """
    known = SIDE_DATA.keys() & given.keys()
    if not known:
        return
    parameters, names = _struct(stream).codecpar.contents, get_args(av.packet.PktSideDataT)
    for name in sorted(known):
        data, kind = given[name], names.index(SIDE_DATA[name])
        place = ctypes.byref(parameters, _Parameters.coded_side_data.offset)
        count = ctypes.byref(parameters, _Parameters.nb_coded_side_data.offset)
        added = _library().av_packet_side_data_new(place, count, kind, len(data), 0)
        if not added:
            raise MemoryError
        ctypes.memmove(added.contents.data, data, len(data))
    # PyAV later copies the context's parameters to the stream; this filter first copies them from stream to context.
    BitStreamFilterContext("null", stream, stream)
