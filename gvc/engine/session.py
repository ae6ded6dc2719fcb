# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A session of the engine: one encoder or decoder, driven by the messages of one client."""

import math
import os
import sys
import traceback
from io import BytesIO, FileIO
from typing import TYPE_CHECKING

from ..errors import EngineError, GvcError, MediaError
from ..media import Packet, Picture, VideoFormat
from ..options import split_options
from ..priors import Opener, open_prior
from ..priors.lora_files import rooted_loras
from ..priors.model_path import rooted
from ..terminal import visible
from .protocol import NOPTS, Channel, DisconnectedError, Slots, constants, ffi, video_format_of, wire_format_of
from .waker import Waker

if TYPE_CHECKING:
    from ..ahead import Answer

MEMORY_CODE = -17  # GVC_ERROR_MEMORY of gvc.h; the GvcError classes have no equivalent
MAX_HELD = 4 << 30  # Largest number of bytes of pictures that wait for the end of their GOP


def serve(channel: Channel, opener: Opener = open_prior) -> None:
    """Serve one client until it closes the socket.

    opener: function that opens the client's prior. Default: a new prior for this client.
    """
    try:
        channel.send(constants.GVC_MSG_HELLO, pts=constants.GVC_PROTOCOL_VERSION)
        try:
            open_session(channel, opener).run()
        except DisconnectedError:
            raise
        except Exception as error:
            report(channel, error)  # An error that gets here is final, so the session ends after the report
    except DisconnectedError:
        return


def open_session(channel: Channel, opener: Opener) -> "EncoderSession | DecoderSession":
    """Receive the OPEN message and return the session that it asks for.

    Raises EngineError, OptionError and the errors of the constructors of Encoder and Decoder.
    """
    _, payload, memory = channel.receive_opening()
    fixed = ffi.sizeof("gvc_open")
    opening = ffi.from_buffer("gvc_open *", payload) if len(payload) >= fixed else None
    sizes = opening and (opening.options_size, opening.extradata_size, opening.folder_size)
    if not opening or len(payload) != fixed + sum(sizes):
        raise EngineError("libgvc sent an OPEN message of the wrong size; install libgvc and gvc from one release")
    text, extradata, folder = _cut(bytes(payload[fixed:]), sizes)
    options = split_options(text.decode(errors="replace"))
    if "prior" in options:
        options["prior"] = rooted(options["prior"], os.fsdecode(folder))
    if "lora" in options:
        options["lora"] = rooted_loras(options["lora"], os.fsdecode(folder))
    if opening.role == constants.GVC_ENCODER:
        return EncoderSession(channel, memory, video_format_of(opening.format), options, opener)
    return DecoderSession(channel, memory, extradata or None, options, opener)


def _cut(data: bytes, sizes: tuple[int, ...]) -> list[bytes]:
    stream = BytesIO(data)
    return [stream.read(size) for size in sizes]


def report(channel: Channel, error: Exception, flags: int = 0) -> None:
    """Send `error` to the client as a sentence. flags: flags of the message, default none.

    An error that is neither a GvcError nor a lack of memory is a bug, so its traceback goes to standard error too.
    """
    if isinstance(error, GvcError):
        code, sentence = error.code, str(error)
    elif isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # Torch's, not imported here
        code, sentence = MEMORY_CODE, f"the engine ran out of memory: {error}"
    else:
        print(visible("".join(traceback.format_exception(error)), keep="\n"), end="", file=sys.stderr)
        code, sentence = GvcError.code, f"the engine failed with {type(error).__name__}: {error}"
    text = visible(sentence).encode()[: constants.GVC_MAX_SENTENCE].decode(errors="ignore").encode()
    channel.send(constants.GVC_MSG_FAILURE, text, code=code, flags=flags)


def to_wire(pts: int | None) -> int:
    """Return a timestamp as messages carry it."""
    return NOPTS if pts is None else pts


def from_wire(pts: int) -> int | None:
    """Return a message's timestamp; None if it is unknown."""
    return None if pts == NOPTS else pts


class EncoderSession:
    """Receives pictures and sends packets. Any error ends the session."""

    def __init__(
        self, channel: Channel, memory: FileIO, video_format: VideoFormat, options: dict[str, str], opener: Opener
    ):
        from ..encoder import Encoder  # Imported only now, because it loads much and the client waits for HELLO

        self._channel = channel
        self._new_encoder = lambda: Encoder(video_format, options, opener=opener)
        self._encoder = self._new_encoder()
        self._slots = Slots(memory, video_format, grow=False)
        self._held = 0  # Number of pictures received whose packets were not sent yet
        channel.send(constants.GVC_MSG_READY, self._encoder.extradata)

    def run(self) -> None:
        try:
            while True:
                self._handle(self._channel.receive()[0])
        finally:
            self._encoder.close()

    def _handle(self, message: ffi.CData) -> None:
        if message.type == constants.GVC_MSG_PICTURE:
            self._send(self._encoder.encode(self._take(message)))
        elif message.type == constants.GVC_MSG_END:
            self._send(self._encoder.encode(None))
            self._channel.send(constants.GVC_MSG_END)
        elif message.type == constants.GVC_MSG_FLUSH:
            self._encoder.close()
            self._encoder, self._held = self._new_encoder(), 0
            self._channel.send(constants.GVC_MSG_FLUSH)
        else:
            raise EngineError(f"libgvc sent message {message.type} to an encoder, where it has no place")

    def _take(self, message: ffi.CData) -> Picture:
        """Copy a picture and release its slot at once, so that the client can continue while the encoder works."""
        self._held += 1
        if self._held * self._slots.picture_size > MAX_HELD:
            raise MediaError(
                f"{self._held} pictures of this size do not fit into the memory for one GOP; "
                "choose a smaller picture or shorter GOPs (option gop)"
            )
        planes = self._slots.read(message.slot)
        self._channel.send(constants.GVC_MSG_RELEASE, slot=message.slot)
        key = bool(message.flags & constants.GVC_MESSAGE_KEY)
        return Picture(planes, from_wire(message.pts), message.duration, key)

    def _send(self, packets: list[Packet]) -> None:
        self._held -= len(packets)
        for packet in packets:
            self._channel.send(
                constants.GVC_MSG_PACKET,
                packet.data,
                flags=constants.GVC_MESSAGE_KEY if packet.key else 0,
                pts=to_wire(packet.pts),
                duration=packet.duration,
            )


class DecoderSession:
    """Receives packets and sends pictures. An error concerns one packet; decoding continues with the next one."""

    def __init__(
        self, channel: Channel, memory: FileIO, extradata: bytes | None, options: dict[str, str], opener: Opener
    ):
        from ..ahead import AheadDecoder  # Imported only now, because it loads much and the client waits for HELLO

        self._channel, self._memory = channel, memory
        self._waker = Waker()
        self._decoder = AheadDecoder(extradata, options, opener, self._waker.wake)
        self._format: VideoFormat | None = None  # The format that was last sent to the client
        self._slots: Slots | None = None
        self._free = set(range(constants.GVC_SLOTS))
        self._answer: Answer | None = None  # An answer whose picture waits for a free slot
        gop_ahead = self._decoder.delay == math.inf
        channel.send(constants.GVC_MSG_READY, flags=constants.GVC_MESSAGE_AHEAD if gop_ahead else 0)

    def run(self) -> None:
        try:
            while True:
                self._waker.clear()
                self._send_answers()
                if self._channel.wait(self._waker):
                    self._handle(*self._channel.receive())
        finally:
            self._decoder.close()
            self._waker.close()

    def _handle(self, message: ffi.CData, payload: bytearray) -> None:
        if message.type == constants.GVC_MSG_PACKET:
            key = bool(message.flags & constants.GVC_MESSAGE_KEY)
            alone = bool(message.flags & constants.GVC_MESSAGE_ALONE)
            packet = Packet(bytes(payload), from_wire(message.pts), message.duration, key, alone)
            self._decoder.put(packet, shown=not message.flags & constants.GVC_MESSAGE_DISCARD)
            self._check_waiting()
        elif message.type == constants.GVC_MSG_RELEASE:
            self._free.add(message.slot)
        elif message.type == constants.GVC_MSG_END:
            self._decoder.put(None)
        elif message.type == constants.GVC_MSG_FLUSH:
            self._decoder.flush()
            self._answer = None
            self._channel.send(constants.GVC_MSG_FLUSH)
        else:
            raise EngineError(f"libgvc sent message {message.type} to a decoder, where it has no place")

    def _check_waiting(self) -> None:
        if self._decoder.waiting > constants.GVC_MAX_WAITING:
            raise EngineError(
                f"libgvc sent packets of {self._decoder.waiting >> 20} MiB without receiving their pictures; receive "
                "pictures between packets"
            )

    def _send_answers(self) -> None:
        """Send the answers that are ready, without waiting for others."""
        while answer := self._answer or self._decoder.answer():
            self._answer = answer
            if answer.pictures and not self._has_slots(answer.format):
                return
            self._send(answer)
            self._answer = None

    def _has_slots(self, video_format: VideoFormat) -> bool:
        """Return whether a picture can be sent now.

        In a new format all slots must be free, because the shared memory gets a new layout.
        """
        return len(self._free) >= (1 if video_format == self._format else constants.GVC_SLOTS)

    def _send(self, answer: "Answer") -> None:
        if isinstance(answer.error, DisconnectedError):
            raise answer.error
        if answer.error:
            report(self._channel, answer.error, constants.GVC_MESSAGE_CONCEALED if answer.pictures else 0)
        for picture in answer.pictures:
            self._send_picture(picture, answer.format)
        if answer.to_packet:
            nothing = answer.number is not None and not answer.error and not answer.pictures
            self._channel.send(constants.GVC_MSG_DONE, flags=constants.GVC_MESSAGE_NOTHING if nothing else 0)
        elif answer.last:
            self._channel.send(constants.GVC_MSG_END)

    def _send_picture(self, picture: Picture, video_format: VideoFormat) -> None:
        if video_format != self._format:
            self._slots = Slots(self._memory, video_format, grow=True)
            self._channel.send(constants.GVC_MSG_FORMAT, wire_format_of(video_format))
            self._format = video_format
        slot = self._free.pop()
        self._slots.write(slot, picture.planes)
        self._channel.send(
            constants.GVC_MSG_PICTURE,
            slot=slot,
            flags=constants.GVC_MESSAGE_KEY * picture.key | constants.GVC_MESSAGE_CONCEALED * picture.concealed,
            pts=to_wire(picture.pts),
            duration=picture.duration,
        )
