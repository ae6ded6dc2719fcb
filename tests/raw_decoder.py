# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decodes with a get_buffer2 of its own: python raw_decoder.py PLUGIN LAYOUTS FOLDER [LIBRARY]

Prints one JSON object of what became of a few packets with side data: decoded as GVC, and as FFV1 for comparison. It
needs nothing but PyAV, of whatever version, whose libavcodec decodes unless another LIBRARY is named. LAYOUTS is
layouts.inc, which knows where the members of structs lie.
"""

import ctypes
import hashlib
import json
import re
import sys
from fractions import Fraction
from pathlib import Path

import av

WIDTH, HEIGHT, FRAMES = 50, 38, 7
ENOMEM = 12
FRAME_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
POINTERS = (
    "av_packet_alloc av_packet_new_side_data av_frame_alloc av_frame_get_side_data av_buffer_alloc av_mallocz "
    "avcodec_alloc_context3 avcodec_find_decoder_by_name av_dict_get"
)


def open_library(path=None):
    """Load a libavcodec, by default PyAV's, so that the libraries that it needs are found."""
    path = path or re.search(r"/\S*libavcodec[-.]\S*", Path("/proc/self/maps").read_text())[0]
    library = ctypes.CDLL(path)
    for name in POINTERS.split():
        getattr(library, name).restype = ctypes.c_void_p
    return library


class Struct:
    """Access to members of a C struct at an address, by their names in layouts.inc."""

    def __init__(self, row, prefix, address):
        self.row, self.prefix, self.address = row, prefix, address

    def __call__(self, name, kind=ctypes.c_int, index=0):
        """Return a member as an object of ctypes; None if this version lacks it."""
        offset = self.row[f"{self.prefix}_{name}"]
        return None if offset < 0 else kind.from_address(self.address + offset + index * ctypes.sizeof(kind))


class Decoder:
    """A decoder with an own get_buffer2. allocate: function (frame) -> 0 or an error, provides its memory."""

    def __init__(self, library, row, codec, extradata, allocate):
        self.library, self.row, self.frames, self.errors = library, row, [], []
        self.codec = ctypes.c_void_p(library.avcodec_find_decoder_by_name(codec.encode()))
        self.context = Struct(row, "avctx", library.avcodec_alloc_context3(self.codec))
        self.context("width").value, self.context("height").value = WIDTH, HEIGHT
        self.context("pix_fmt").value = library.av_get_pix_fmt(b"yuv420p")
        self.context("flags").value |= row["flag_copy_opaque"]
        if codec == "gvc":  # Makes GVC's frames come four packets late. FFV1 would call `allocate` in its own threads.
            library.av_opt_set_int(ctypes.c_void_p(self.context.address), b"threads", ctypes.c_int64(5), 0)
        data = library.av_mallocz(len(extradata) + 64)
        ctypes.memmove(data, extradata, len(extradata))
        self.context("extradata", ctypes.c_void_p).value = data
        self.context("extradata_size").value = len(extradata)
        self.callback = FRAME_FUNCTION(lambda context, frame, flags: allocate(self, Struct(row, "frame", frame)))
        self.context("get_buffer2", ctypes.c_void_p).value = ctypes.cast(self.callback, ctypes.c_void_p).value
        assert library.avcodec_open2(ctypes.c_void_p(self.context.address), self.codec, None) == 0

    def decode(self, packets):
        for number, (data, key) in enumerate(packets):
            self.send(number, data, key)
            self.receive()
        self.library.avcodec_send_packet(ctypes.c_void_p(self.context.address), None)
        self.receive()

    def send(self, number, data, key):
        library = self.library
        packet = Struct(self.row, "packet", library.av_packet_alloc())
        address = ctypes.c_void_p(packet.address)
        library.av_new_packet(address, len(data))
        ctypes.memmove(packet("data", ctypes.c_void_p).value, data, len(data))
        for name, value in (("pts", number * 2), ("dts", number * 2), ("pos", 1000 + number), ("opaque", 1 + number)):
            packet(name, ctypes.c_int64).value = value
        packet("flags").value = int(key)
        mark = self.context("reordered_opaque", ctypes.c_int64)
        if mark is not None:
            mark.value = 1 + number
        for kind in ("captions", "hdr10_plus", "timecode", "mastering_display", "light_level", "rotation", "icc"):
            if (number + len(kind)) % 3:
                contents = f"{kind} {number}".encode().ljust(64, b".")
                place = library.av_packet_new_side_data(
                    address, self.row[f"side_data_{kind}"] // 256, ctypes.c_size_t(64)
                )
                ctypes.memmove(place, contents, 64)
        tags = b"number\0%d\0" % number
        kind, size = self.row["packet_strings_metadata"], ctypes.c_size_t(len(tags))
        ctypes.memmove(library.av_packet_new_side_data(address, kind, size), tags, len(tags))
        self.note(library.avcodec_send_packet(ctypes.c_void_p(self.context.address), address))
        library.av_packet_free(ctypes.byref(address))

    def note(self, result):
        """Record an error other than AVERROR(EAGAIN) and AVERROR_EOF."""
        if result not in (0, -11, -0x20464F45):
            self.errors.append(result)
        return result

    def receive(self):
        address = ctypes.c_void_p(self.library.av_frame_alloc())
        while (result := self.library.avcodec_receive_frame(ctypes.c_void_p(self.context.address), address)) != -11:
            if self.note(result):
                if result == -0x20464F45:
                    break
                continue
            self.frames.append(self.description(Struct(self.row, "frame", address.value)))
            self.library.av_frame_unref(address)
        self.library.av_frame_free(ctypes.byref(address))

    def description(self, frame):
        members = {}
        for name, kind in (("pts", ctypes.c_int64), ("pkt_pos", ctypes.c_int64), ("pkt_size", ctypes.c_int)):
            member = frame(name, kind)
            members[name] = None if member is None else member.value
        mark = frame("reordered_opaque", ctypes.c_int64)
        members["mark"] = frame("opaque", ctypes.c_int64).value if mark is None else mark.value
        if self.row["flag_copy_opaque"]:
            members["mark"] = frame("opaque", ctypes.c_int64).value
        side = {}
        for name, types in self.row.items():
            if name.startswith("side_data_") and types >= 0:
                found = self.library.av_frame_get_side_data(ctypes.c_void_p(frame.address), types % 256)
                if found:
                    data = ctypes.c_void_p.from_address(found + self.row["frame_side_data_data"]).value
                    side[name] = ctypes.string_at(data, 64).decode()
        metadata = frame("metadata", ctypes.c_void_p)
        entry = self.library.av_dict_get(metadata, b"number", None, 0)
        text = ctypes.c_char_p.from_address(entry + 8).value.decode() if entry else None
        return members | {"side_data": side, "tag": text, "samples": self.checksum(frame)}

    def checksum(self, frame):
        digest = hashlib.md5()
        for plane in range(3):
            shift = plane > 0
            width, height = (WIDTH + shift) >> shift, (HEIGHT + shift) >> shift
            data, stride = frame("data", ctypes.c_void_p, plane).value, frame("linesize", ctypes.c_int, plane).value
            for y in range(height):
                digest.update(ctypes.string_at(data + y * stride, width))
        return digest.hexdigest()


class Allocator:
    """A get_buffer2. stride: bytes of a row, None = memory of FFmpeg; failing: marks of frames without memory."""

    def __init__(self, stride=None, failing=()):
        self.stride, self.failing, self.calls = stride, failing, []

    def __call__(self, decoder, frame):
        mark = frame("reordered_opaque", ctypes.c_int64)
        if mark is None or decoder.row["flag_copy_opaque"]:
            mark = frame("opaque", ctypes.c_int64)
        said = [frame(name).value for name in ("width", "height", "format")] + [mark.value]
        self.calls.append([*said, frame("pts", ctypes.c_int64).value])
        if mark.value in self.failing:
            return -ENOMEM
        if self.stride is None:
            context, address = ctypes.c_void_p(decoder.context.address), ctypes.c_void_p(frame.address)
            return decoder.library.avcodec_default_get_buffer2(context, address, 0)
        step = abs(self.stride)
        size = step * HEIGHT
        buffer = decoder.library.av_buffer_alloc(ctypes.c_size_t(3 * size))
        frame("buf", ctypes.c_void_p).value = buffer
        memory = ctypes.c_void_p.from_address(buffer + 8).value  # AVBufferRef.data
        for plane in range(3):
            rows = HEIGHT if plane == 0 else (HEIGHT + 1) // 2
            first = memory + plane * size + (step * (rows - 1) if self.stride < 0 else 0)
            frame("data", ctypes.c_void_p, plane).value = first
            frame("linesize", ctypes.c_int, plane).value = self.stride
        return 0


def encode(path, codec, options):
    """Return [(bytes, whether it is a keyframe)] of the packets, and the extradata."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=25, width=WIDTH, height=HEIGHT, pix_fmt="yuv420p", options=options)
        stream.codec_context.bit_rate = 0
        stream.codec_context.time_base = Fraction(1, 25)
        for index in range(FRAMES):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes((i % plane.line_size * 3 + 9 * index) & 255 for i in range(plane.buffer_size)))
            frame.pts = index
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with av.open(str(path)) as container:
        packets = [(bytes(packet), packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
        return packets, bytes(container.streams.video[0].codec_context.extradata or b"")


def row_of(library, layouts):
    """Return the row of layouts.inc for the library's version."""
    version = library.avcodec_version()
    for text in Path(layouts).read_text().split("},"):
        row = {name: int(value) for name, value in re.findall(r"\.(\w+)=(-?\d+)", text)}
        if (row.get("major"), row.get("minor")) == (version >> 16, version >> 8 & 255):
            return row
    raise SystemExit("this version has no layout")


def main():
    plugin, layouts, folder, *path = sys.argv[1:]
    installer = ctypes.CDLL(plugin)
    library = open_library(*path)
    installer.gvc_ffmpeg_install()
    library.av_log_set_level(-8)
    row, report = row_of(library, layouts), {}
    movies = {
        "gvc": encode(Path(folder, "movie.mkv"), "gvc", {"gop": "3", "g": "6", "preset": "fast"}),
        "ffv1": encode(Path(folder, "other.mkv"), "ffv1", {}),
    }
    trials = {
        "default": ("gvc", Allocator()),
        "reference": ("ffv1", Allocator()),
        "wide": ("gvc", Allocator(stride=400)),
        "upwards": ("gvc", Allocator(stride=-128)),
        "failing": ("gvc", Allocator(failing=(2, 5))),
    }
    for name, (codec, allocator) in trials.items():
        packets, extradata = movies[codec]
        decoder = Decoder(library, row, codec, extradata, allocator)
        decoder.decode(packets)
        library.avcodec_free_context(ctypes.byref(ctypes.c_void_p(decoder.context.address)))
        sizes = [len(data) for data, _ in packets]
        report[name] = {"frames": decoder.frames, "calls": allocator.calls, "errors": decoder.errors, "sizes": sizes}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
