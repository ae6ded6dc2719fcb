# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""libgvc as a C program uses it: a thin layer over the real gvc.h and libgvc.so for tests."""

import os
from pathlib import Path

import numpy as np
from cffi import FFI

import gvc
from gvc.engine.protocol import NOPTS
from gvc.media import SAMPLE_FORMATS, Packet, Picture, VideoFormat

LIB = Path(gvc.__file__).parent / "lib"
HEADER = LIB / "include" / "gvc.h"

SKIPPED = ('extern "C" {', "}")  # Lines that cffi does not take, beside those of the preprocessor

ffi = FFI()
ffi.cdef("\n".join(line for line in HEADER.read_text().splitlines() if line[:1] != "#" and line not in SKIPPED))
# The library remains loaded to the end, so that sanitizers can name the functions in their reports.
lib = ffi.dlopen(str(LIB / "libgvc.so"), os.RTLD_NOW | os.RTLD_NODELETE)


class CallError(Exception):
    """A call returned an error code."""

    def __init__(self, code: int, sentence: str):
        super().__init__(f"{code}: {sentence}")
        self.code, self.sentence = code, sentence


class Context:
    """A gvc_context, which a `with` statement frees."""

    def __init__(self, opener, struct_size: int | None = None, options: str = "", extradata: bytes = b"", **fields):
        self._keep = [ffi.new("char[]", options.encode()), ffi.from_buffer("uint8_t[]", extradata)]
        params = ffi.new("gvc_params *", fields)
        params.struct_size = ffi.sizeof("gvc_params") if struct_size is None else struct_size
        params.options = self._keep[0]
        if extradata:
            params.extradata, params.extradata_size = self._keep[1], len(extradata)
        self._handle = ffi.new("gvc_context **")
        try:
            self._check(opener(self._handle, params))
        except CallError:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        lib.gvc_close(self._handle)
        assert self._handle[0] == ffi.NULL

    def flush(self) -> None:
        self._check(lib.gvc_flush(self._handle[0]))

    def _check(self, code: int) -> int:
        if code not in (lib.GVC_OK, lib.GVC_AGAIN, lib.GVC_EOF):
            raise CallError(code, ffi.string(lib.gvc_error_message(self._handle[0])).decode(errors="replace"))
        return code


class Encoder(Context):
    def __init__(self, width: int, height: int, **fields):
        super().__init__(lib.gvc_encoder_open, width=width, height=height, **fields)

    @property
    def extradata(self) -> bytes:
        data, size = ffi.new("uint8_t **"), ffi.new("size_t *")
        assert self._check(lib.gvc_encoder_extradata(self._handle[0], data, size)) == lib.GVC_OK
        return bytes(ffi.buffer(data[0], size[0]))

    def send(self, picture: Picture | None) -> int:
        if picture is None:
            return self._check(lib.gvc_encoder_send(self._handle[0], ffi.NULL))
        pts = NOPTS if picture.pts is None else picture.pts
        c = ffi.new("gvc_picture *", {"pts": pts, "duration": picture.duration, "key": picture.key})
        for i, plane in enumerate(picture.planes):
            c.data[i], c.stride[i] = ffi.cast("uint8_t *", plane.ctypes.data), plane.strides[0]
        return self._check(lib.gvc_encoder_send(self._handle[0], c))

    def receive(self) -> Packet | int:
        """Return a packet, GVC_AGAIN or GVC_EOF."""
        c = ffi.new("gvc_packet *")
        code = self._check(lib.gvc_encoder_receive(self._handle[0], c))
        if code:
            return code
        data = bytes(ffi.buffer(c.data, c.size))
        return Packet(data, None if c.pts == NOPTS else c.pts, c.duration, bool(c.flags & lib.GVC_PACKET_KEY))

    def encode(self, pictures: list[Picture]) -> list[Packet]:
        """Encode a clip to its end and return all packets."""
        packets = []
        for picture in [*pictures, None]:
            self.send(picture)
            while isinstance(packet := self.receive(), Packet):
                packets.append(packet)
        assert packet == lib.GVC_EOF
        return packets


class Decoder(Context):
    def __init__(self, **fields):
        super().__init__(lib.gvc_decoder_open, **fields)

    def format(self, struct_size: int | None = None):
        """Return the gvc_params from the decoder, or None."""
        params = ffi.new("gvc_params *")
        params.struct_size = ffi.sizeof("gvc_params") if struct_size is None else struct_size
        return None if self._check(lib.gvc_decoder_format(self._handle[0], params)) else params

    def send(self, packet: Packet | None) -> int:
        if packet is None:
            return self._check(lib.gvc_decoder_send(self._handle[0], ffi.NULL))
        data = ffi.from_buffer("uint8_t[]", packet.data)
        flags = lib.GVC_PACKET_KEY if packet.key else 0
        pts = NOPTS if packet.pts is None else packet.pts
        c = ffi.new("gvc_packet *", {"data": data, "size": len(packet.data), "pts": pts, "flags": flags})
        c.duration = packet.duration
        return self._check(lib.gvc_decoder_send(self._handle[0], c))

    def receive(self) -> Picture | int:
        """Return a picture, GVC_AGAIN or GVC_EOF. Its rows are padded, like those of FFmpeg."""
        code = self._check(lib.gvc_decoder_peek(self._handle[0]))
        if code:
            return code
        known = self.format()
        samples = next(s for s in SAMPLE_FORMATS if s.code == known.sample_format)
        shapes = VideoFormat(known.width, known.height, samples=samples).plane_shapes
        wide = [np.zeros((h, w + 13), samples.dtype) for h, w in shapes]
        c = ffi.new("gvc_picture *")
        for i, plane in enumerate(wide):
            c.data[i], c.stride[i] = ffi.cast("uint8_t *", plane.ctypes.data), plane.strides[0]
        assert self._check(lib.gvc_decoder_receive(self._handle[0], c)) == lib.GVC_OK
        assert not any(plane[:, -13:].any() for plane in wide), "written past the picture"
        planes = tuple(plane[:, :-13] for plane in wide)
        return Picture(planes, None if c.pts == NOPTS else c.pts, c.duration, bool(c.key))

    def drain(self) -> tuple[list[Picture], int]:
        """Return all pictures up to GVC_AGAIN or GVC_EOF, and which of the two ended them."""
        pictures = []
        while isinstance(picture := self.receive(), Picture):
            pictures.append(picture)
        return pictures, picture

    def decode(self, packets: list[Packet | None]) -> list[Picture]:
        """Decode packets (None at the end) and return all pictures."""
        pictures = []
        for packet in packets:
            self.send(packet)
            got, end = self.drain()
            assert end == (lib.GVC_AGAIN if packet else lib.GVC_EOF)
            pictures += got
        return pictures

    def decode_in_spite_of_errors(self, packets: list[Packet | None]) -> tuple[list[Picture], list[CallError]]:
        """Decode packets (None at the end); return all pictures and all errors."""
        pictures, errors = [], []
        for packet in packets:
            try:
                self.send(packet)
            except CallError as error:
                errors.append(error)
            got = None
            while not isinstance(got, int):
                try:
                    got = self.receive()
                except CallError as error:
                    errors.append(error)
                else:
                    pictures += [got] if isinstance(got, Picture) else []
        return pictures, errors
