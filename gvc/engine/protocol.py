# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The engine's end of the connection with libgvc: messages and shared pictures as gvc_protocol.h defines them."""

import fcntl
import os
import select
import socket
import stat
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from io import FileIO

import numpy as np

from ..errors import EngineError
from ..media import SAMPLE_FORMATS, VideoFormat
from .declarations import ffi
from .waker import Waker

NOPTS = -(2**63)
OPENING_TIMEOUT = 10  # Seconds that the engine waits for a client's OPEN message
FAREWELL_TIMEOUT = 0.5  # Seconds that the engine waits, when it ends, for a client to read the message being sent


constants = ffi.dlopen(None)

# Largest payload that a client may send with each type of message, in bytes. Other types are refused.
MAX_PAYLOAD = {
    constants.GVC_MSG_OPEN: ffi.sizeof("gvc_open")
    + constants.GVC_MAX_OPTIONS
    + constants.GVC_MAX_HEADER
    + constants.GVC_MAX_FOLDER,
    constants.GVC_MSG_PACKET: constants.GVC_MAX_PACKET,
    constants.GVC_MSG_PICTURE: 0,
    constants.GVC_MSG_RELEASE: 0,
    constants.GVC_MSG_END: 0,
    constants.GVC_MSG_FLUSH: 0,
}


class DisconnectedError(Exception):
    """The client has closed the socket, which ends the session."""


class Channel:
    """Messages over a stream socket. All methods but `dismiss` raise DisconnectedError when the client is gone."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._sending = threading.Lock()  # Needed because another thread may call dismiss
        self._files: list[FileIO] = []  # Shared memory that the client sent

    def send(self, kind: int, payload: bytes = b"", **fields: int) -> None:
        """Send a gvc_message with these fields and payload."""
        with self._sending:
            try:
                self._connection.sendall(_head(kind, payload, fields))
                self._connection.sendall(payload)
            except ConnectionError:
                raise DisconnectedError from None

    def wait(self, waker: Waker) -> bool:
        """Wait for a message or the end of the connection (returns True), or for the waker (returns False)."""
        poll = select.poll()
        for source in (self._connection, waker):
            poll.register(source, select.POLLIN)
        return self._connection.fileno() in dict(poll.poll())

    def receive(self) -> tuple[ffi.CData, bytearray]:
        """Wait for the next message; return it and its payload. Raises EngineError if the message is invalid."""
        return self._with_payload(self._receive_exactly(ffi.sizeof("gvc_message")))

    def receive_opening(self) -> tuple[ffi.CData, bytearray, FileIO]:
        """Wait for the OPEN message, OPENING_TIMEOUT seconds at most; return it, its payload and the shared memory.

        The memory is closed with the channel. Raises EngineError if the message is invalid.
        """
        size = ffi.sizeof("gvc_message")
        self._connection.settimeout(OPENING_TIMEOUT)
        try:
            head, descriptors, _, _ = socket.recv_fds(self._connection, size, 1, socket.MSG_CMSG_CLOEXEC)
            self._files += map(_adopt, descriptors)
            message, payload = self._with_payload(bytearray(head) + self._receive_exactly(size - len(head)))
        except (ConnectionError, TimeoutError):
            raise DisconnectedError from None
        self._connection.settimeout(None)
        if message.type != constants.GVC_MSG_OPEN or len(self._files) != 1:
            raise EngineError("libgvc did not begin with an OPEN message; install libgvc and gvc from one release")
        return message, payload, self._files[0]

    def check(self) -> None:
        """Raise DisconnectedError if the client is gone already; any thread may call this."""
        poll = select.poll()
        poll.register(self._connection, select.POLLRDHUP)
        if poll.poll(0):
            raise DisconnectedError

    def dismiss(self, sentence: str) -> None:
        """End the connection; any thread may call this. Tells the client why, if it reads in time."""
        text = sentence.encode()
        message = _head(constants.GVC_MSG_FAILURE, text, {"code": EngineError.code}) + text
        if self._sending.acquire(timeout=FAREWELL_TIMEOUT):
            with suppress(OSError):
                self._connection.send(message, socket.MSG_DONTWAIT)
            self._sending.release()
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection and the shared memory."""
        self._connection.close()
        for file in self._files:
            file.close()

    def _with_payload(self, head: bytearray) -> tuple[ffi.CData, bytearray]:
        message = ffi.from_buffer("gvc_message *", head)
        limit = MAX_PAYLOAD.get(message.type, -1)
        if message.size > limit or message.slot >= constants.GVC_SLOTS:
            raise EngineError(f"message {message.type} of {message.size} bytes from libgvc is unknown to this engine")
        return message, self._receive_exactly(message.size)

    def _receive_exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            try:
                count = self._connection.recv_into(rest)
            except ConnectionError:
                count = 0
            if not count:
                raise DisconnectedError
            rest = rest[count:]
        return data


def _adopt(descriptor: int) -> FileIO:
    """Return a file object that owns the descriptor of the shared memory. Raises EngineError."""
    writable = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
    if not writable or not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise EngineError("libgvc sent something other than shared memory; install both from one release")
    return FileIO(descriptor, "r+")


def _head(kind: int, payload: bytes, fields: dict[str, int]) -> bytes:
    return bytes(ffi.buffer(ffi.new("gvc_message *", {"type": kind, "size": len(payload), **fields})))


class Slots:
    """Shared memory for GVC_SLOTS pictures of one format.

    The memory is read and written as a file: if a client makes it too small, that fails with an error, where access to
    a mapping would crash the process.
    """

    def __init__(self, memory: FileIO, video_format: VideoFormat, grow: bool):
        """Use the memory that the client sent.

        memory: the shared memory.
        video_format: format of the pictures.
        grow: whether to make the memory large enough first, which decoders do; encoders' clients do it themselves.
        """
        self._memory, self._shapes, self._dtype = memory, video_format.plane_shapes, video_format.samples.dtype
        self.picture_size = sum(height * width for height, width in self._shapes) * self._dtype.itemsize  # In bytes
        size = constants.GVC_SLOTS * self.picture_size
        if grow and os.fstat(memory.fileno()).st_size < size:
            with _explained():
                os.ftruncate(memory.fileno(), size)

    def read(self, slot: int) -> tuple[np.ndarray, ...]:
        """Return a copy of the planes in a slot, each [H, W] of the format's dtype. Raises EngineError."""
        planes = tuple(np.empty(shape, self._dtype) for shape in self._shapes)
        with _explained():
            self._complete(os.preadv(self._memory.fileno(), planes, slot * self.picture_size))
        return planes

    def write(self, slot: int, planes: Sequence[np.ndarray]) -> None:
        """Copy planes, each [H, W] in this format, into a slot. Raises EngineError."""
        contiguous = [np.ascontiguousarray(plane) for plane in planes]
        with _explained():
            self._complete(os.pwritev(self._memory.fileno(), contiguous, slot * self.picture_size))

    def _complete(self, size: int) -> None:
        if size != self.picture_size:
            raise EngineError("the shared memory of libgvc has no room for its pictures; install both from one release")


@contextmanager
def _explained() -> Iterator[None]:
    """Turn system errors about the shared memory into EngineError."""
    try:
        yield
    except OSError as error:
        raise EngineError(f"the shared memory of libgvc cannot be used: {error.strerror}") from error


INT32_MAX = 2**31 - 1
PLAIN_FIELDS = {  # Lowest and highest value of each integer field of gvc_format
    "width": (1, constants.GVC_MAX_DIMENSION),
    "height": (1, constants.GVC_MAX_DIMENSION),
    **dict.fromkeys(("color_range", "color_primaries", "color_trc", "colorspace", "chroma_location"), (0, INT32_MAX)),
}
# The prefix of each ratio's two fields in gvc_format, and its lowest numerator.
RATIO_FIELDS = {"time_base": ("time_base", 1), "frame_rate": ("frame_rate", 0), "sample_aspect_ratio": ("sar", 0)}


def video_format_of(wire: ffi.CData) -> VideoFormat:
    """Return the VideoFormat that a gvc_format describes. Raises EngineError if a value is out of range."""
    samples = next((s for s in SAMPLE_FORMATS if s.code == wire.sample_format), None)
    if samples is None:
        raise EngineError(f"sample format {wire.sample_format} of libgvc is unknown; install both from one release")
    plain = {name: _number(wire, name, *limits) for name, limits in PLAIN_FIELDS.items()}
    ratios = {
        name: Fraction(_number(wire, f"{prefix}_num", least, INT32_MAX), _number(wire, f"{prefix}_den", 1, INT32_MAX))
        for name, (prefix, least) in RATIO_FIELDS.items()
    }
    return VideoFormat(**plain, **ratios, samples=samples)


def _number(wire: ffi.CData, name: str, low: int, high: int) -> int:
    value = getattr(wire, name)
    if not low <= value <= high:
        raise EngineError(f"{name} {value} of libgvc is not {low} to {high}; install both from one release")
    return value


def wire_format_of(video_format: VideoFormat) -> bytes:
    """Return the bytes of the gvc_format for a VideoFormat.

    A damaged stream can hold ratios beyond 32 bits; these become unknown.
    """
    fields = {name: getattr(video_format, name) for name in PLAIN_FIELDS}
    fields["sample_format"] = video_format.samples.code
    for name, (prefix, _) in RATIO_FIELDS.items():
        num, den = getattr(video_format, name).as_integer_ratio()
        fits = max(num, den) <= INT32_MAX
        fields[f"{prefix}_num"], fields[f"{prefix}_den"] = (num, den) if fits else (0, 1)
    return bytes(ffi.buffer(ffi.new("gvc_format *", fields)))
