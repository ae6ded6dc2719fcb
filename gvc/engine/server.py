"""A session of the engine: one encoder or decoder, driven by the messages of one client."""

import sys
import traceback
from collections import deque

import numpy as np

from ..errors import EngineError, GvcError
from ..media import Packet, Picture, VideoFormat
from ..options import split_options
from .protocol import NOPTS, Channel, DisconnectedError, Slots, constants, ffi, video_format_of, wire_format_of

MEMORY_CODE = -17  # GVC_ERROR_MEMORY, which has no exception of its own


def serve(channel: Channel) -> None:
    """Greet the client, then do what it says until it closes the socket."""
    try:
        channel.send(constants.GVC_MSG_HELLO, pts=constants.GVC_PROTOCOL_VERSION)
        try:
            open_session(channel).run()
        except DisconnectedError:
            raise
        except Exception as error:
            report(channel, error)  # and end: this error is final
    except DisconnectedError:
        return


def open_session(channel: Channel) -> "EncoderSession | DecoderSession":
    """Answer the OPEN message. Raises what the constructors of Encoder and Decoder raise."""
    message, payload = channel.receive()
    fixed = ffi.sizeof("gvc_open")
    if message.type != constants.GVC_MSG_OPEN or len(payload) < fixed:
        raise EngineError("libgvc did not begin with an OPEN message; install libgvc and gvc from one release")
    opening = ffi.from_buffer("gvc_open *", payload)
    if len(payload) != fixed + opening.options_size + opening.extradata_size:
        raise EngineError("libgvc sent an OPEN message of the wrong size; install libgvc and gvc from one release")
    options = split_options(payload[fixed : fixed + opening.options_size].decode(errors="replace"))
    if opening.role == constants.GVC_ENCODER:
        return EncoderSession(channel, video_format_of(opening.format), options)
    return DecoderSession(channel, bytes(payload[fixed + opening.options_size :]) or None, options)


def report(channel: Channel, error: Exception) -> None:
    """Tell the client about `error`; what is no GvcError is a bug, so it also leaves a traceback."""
    if isinstance(error, GvcError):
        code, sentence = error.code, str(error)
    elif isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, not imported here
        code, sentence = MEMORY_CODE, f"the engine ran out of memory: {error}"
    else:
        traceback.print_exception(error, file=sys.stderr)
        code, sentence = GvcError.code, f"the engine failed with {type(error).__name__}: {error}"
    text = sentence.encode()[: constants.GVC_MAX_SENTENCE].decode(errors="ignore").encode()
    channel.send(constants.GVC_MSG_FAILURE, text, code=code)


def to_wire(pts: int | None) -> int:
    return NOPTS if pts is None else pts


def from_wire(pts: int) -> int | None:
    return None if pts == NOPTS else pts


class EncoderSession:
    """Pictures in, packets out. Any error is final."""

    def __init__(self, channel: Channel, video_format: VideoFormat, options: dict[str, str]):
        from ..encoder import Encoder  # after HELLO: it loads much

        self._channel = channel
        self._new_encoder = lambda: Encoder(video_format, options)
        self._encoder = self._new_encoder()
        self._slots = Slots(video_format, grow=False)
        channel.send(constants.GVC_MSG_READY, self._encoder.extradata)

    def run(self) -> None:
        while True:
            message, _ = self._channel.receive()
            if message.type == constants.GVC_MSG_PICTURE:
                self._send(self._encoder.encode(self._take(message)))
            elif message.type == constants.GVC_MSG_END:
                self._send(self._encoder.encode(None))
                self._channel.send(constants.GVC_MSG_END)
            elif message.type == constants.GVC_MSG_FLUSH:
                self._encoder = self._new_encoder()
                self._channel.send(constants.GVC_MSG_FLUSH)
            else:
                raise EngineError(f"libgvc sent message {message.type} to an encoder, where it has no place")

    def _take(self, message: ffi.CData) -> Picture:
        """Copy a picture and give its slot back at once, so that the client can go on while we encode."""
        planes = tuple(plane.copy() for plane in self._slots.planes(message.slot))
        self._channel.send(constants.GVC_MSG_RELEASE, slot=message.slot)
        key = bool(message.flags & constants.GVC_MESSAGE_KEY)
        return Picture(planes, from_wire(message.pts), message.duration, key)

    def _send(self, packets: list[Packet]) -> None:
        for packet in packets:
            self._channel.send(
                constants.GVC_MSG_PACKET,
                packet.data,
                flags=constants.GVC_MESSAGE_KEY if packet.key else 0,
                pts=to_wire(packet.pts),
                duration=packet.duration,
            )


class DecoderSession:
    """Packets in, pictures out. An error concerns one packet; decoding goes on with the next."""

    def __init__(self, channel: Channel, extradata: bytes | None, options: dict[str, str]):
        from ..decoder import Decoder  # after HELLO: it loads much

        self._channel = channel
        self._decoder = Decoder(extradata, options)
        self._format: VideoFormat | None = None  # what the client knows
        self._slots: Slots | None = None
        self._free = set(range(constants.GVC_SLOTS))
        self._inbox: deque = deque()  # came while we waited for a slot
        channel.send(constants.GVC_MSG_READY)

    def run(self) -> None:
        while True:
            message, payload = self._inbox.popleft() if self._inbox else self._channel.receive()
            if message.type == constants.GVC_MSG_PACKET:
                key = bool(message.flags & constants.GVC_MESSAGE_KEY)
                self._decode(Packet(bytes(payload), from_wire(message.pts), message.duration, key))
                self._channel.send(constants.GVC_MSG_DONE)
            elif message.type == constants.GVC_MSG_RELEASE:
                self._free.add(message.slot)
            elif message.type == constants.GVC_MSG_END:
                self._decode(None)
                self._channel.send(constants.GVC_MSG_END)
            elif message.type == constants.GVC_MSG_FLUSH:
                self._decoder.flush()
                self._channel.send(constants.GVC_MSG_FLUSH)
            else:
                raise EngineError(f"libgvc sent message {message.type} to a decoder, where it has no place")

    def _decode(self, packet: Packet | None) -> None:
        try:
            pictures = self._decoder.decode(packet)
        except Exception as error:
            report(self._channel, error)
            if not isinstance(error, GvcError):
                self._decoder.flush()  # its state is anyone's guess
            return
        for picture in pictures:
            self._deliver(picture)

    def _deliver(self, picture: Picture) -> None:
        if self._format != self._decoder.format:
            self._reformat(self._decoder.format)
        self._wait_for_slots(1)
        slot = self._free.pop()
        for target, plane in zip(self._slots.planes(slot), picture.planes, strict=True):
            np.copyto(target, plane)
        self._channel.send(
            constants.GVC_MSG_PICTURE,
            slot=slot,
            flags=constants.GVC_MESSAGE_KEY if picture.key else 0,
            pts=to_wire(picture.pts),
            duration=picture.duration,
        )

    def _reformat(self, video_format: VideoFormat) -> None:
        """Lay the shared memory out anew; no slot may be in use then."""
        self._wait_for_slots(constants.GVC_SLOTS)
        self._slots = Slots(video_format, grow=True)
        self._channel.send(constants.GVC_MSG_FORMAT, wire_format_of(video_format))
        self._format = video_format

    def _wait_for_slots(self, count: int) -> None:
        while len(self._free) < count:
            message, payload = self._channel.receive()
            if message.type == constants.GVC_MSG_RELEASE:
                self._free.add(message.slot)
            else:
                self._inbox.append((message, payload))
