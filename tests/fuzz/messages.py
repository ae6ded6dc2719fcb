# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The engine's protocol. An input is the number of a size of shared memory, then the bytes that a client sends."""

import os
import socket
import threading
from random import Random

from clips import encode, moving_clip

from gvc.engine.protocol import Channel, constants, ffi
from gvc.engine.session import serve
from gvc.errors import PriorError
from gvc.options import DECODER_OPTIONS, ENCODER_OPTIONS
from gvc.priors import open_prior

from .pieces import join, rearranged, split

WIDTH, HEIGHT, FRAMES = 32, 24, 5
PICTURE = WIDTH * HEIGHT * 3 // 2
MEMORIES = (constants.GVC_SLOTS * PICTURE, 0, 100, PICTURE)  # sizes of shared memory in bytes
HEAD = ffi.sizeof("gvc_message")
NUMBERS = (0, 1, 2, 3, 7, 8, 39, 255, 16384, 2**15, 2**31 - 1, -1, -(2**31), 2**32 - 1)
VALUES = ("", "0", "1", "-1", "nan", "1e9", "%n", "gp", "auto", "wan:x/y", "\x1b[31m", "fast", "t2v", "i2v", "sde", "5")
BUG = "the engine failed with"  # start of the report of an unexpected exception


def message(kind: int, payload: bytes = b"", **fields: int) -> bytes:
    """Return the bytes of a client's message."""
    return bytes(ffi.buffer(ffi.new("gvc_message *", {"type": kind, "size": len(payload), **fields}))) + payload


def opening(role: int, options: str = "", extradata: bytes = b"", folder: bytes = b"/", **fields: int) -> bytes:
    """Return the first message of a client."""
    video = {"width": WIDTH, "height": HEIGHT, "time_base_num": 1, "time_base_den": 25, "frame_rate_den": 1}
    video |= {"sar_den": 1, "sample_format": 1} | fields
    sizes = {"options_size": len(options), "extradata_size": len(extradata), "folder_size": len(folder)}
    fixed = bytes(ffi.buffer(ffi.new("gvc_open *", {"role": role, "format": video, **sizes})))
    return message(constants.GVC_MSG_OPEN, fixed + options.encode() + extradata + folder)


def seeds() -> dict[str, bytes]:
    flush, end = message(constants.GVC_MSG_FLUSH), message(constants.GVC_MSG_END)
    pictures = [
        message(constants.GVC_MSG_PICTURE, slot=i % constants.GVC_SLOTS, pts=i, duration=1, flags=i == 3)
        for i in range(FRAMES)
    ]
    found = {}
    for name, options in {"plain": "preset=fast", "rate": "preset=fast:bitrate=50000:mode=i2v:gop=5"}.items():
        start = opening(constants.GVC_ENCODER, options)
        found[f"encoder-{name}"] = join([b"\0", start, *pictures, flush, *pictures[:2], end])
    extradata, coded, _ = encode(moving_clip(FRAMES, WIDTH, HEIGHT), preset="fast", gop=5)
    packets = [message(constants.GVC_MSG_PACKET, p.data, pts=p.pts, duration=1, flags=p.key) for p in coded]
    release = message(constants.GVC_MSG_RELEASE)
    for name, options in {"ahead": "", "low-delay": "low_delay=1:realism=1"}.items():
        start = opening(constants.GVC_DECODER, options, extradata)
        found[f"decoder-{name}"] = join([b"\0", start, *packets, release, flush, *packets[:2], end])
    return found


def run(data: bytes) -> None:
    """Send all messages, then close; the engine must answer invalid ones with a GVC error."""
    kind, *messages = split(data) or [b""]
    ours, theirs = socket.socketpair()
    answers = bytearray()
    reader = threading.Thread(target=_read, args=(theirs, answers))
    reader.start()
    with theirs:
        with ours:
            sender = threading.Thread(target=_send, args=(theirs, kind[:1], b"".join(messages)))
            sender.start()
            serve(Channel(ours), _open)
        sender.join()
        reader.join()
    for text in _failures(answers):
        assert not text.startswith(BUG), text


def _open(spec: str, options):
    """Open bundled priors only, so that nothing is fetched from the hub."""
    if spec != "gp":
        raise PriorError(f"no {spec} here")
    return open_prior(spec, options)


def _send(line: socket.socket, kind: bytes, data: bytes) -> None:
    memory = os.memfd_create("gvc-fuzz")
    os.ftruncate(memory, MEMORIES[kind[0] % len(MEMORIES) if kind else 0])
    try:
        if data:
            socket.send_fds(line, [data[:HEAD]], [memory])
            line.sendall(data[HEAD:])
        line.shutdown(socket.SHUT_WR)
    except OSError:  # The engine has closed the connection.
        pass
    finally:
        os.close(memory)


def _read(line: socket.socket, answers: bytearray) -> None:
    try:
        while part := line.recv(1 << 16):
            answers += part
    except OSError:  # The engine has closed the connection with unread messages.
        pass


def _failures(data: bytearray):
    """Yield the sentences of all failures; raise an exception for an answer that a client could not parse."""
    while data:
        head = ffi.from_buffer("gvc_message *", data[:HEAD])
        assert constants.GVC_MSG_HELLO <= head.type <= constants.GVC_MSG_FAILURE
        text = bytes(data[HEAD : HEAD + head.size])
        if head.type == constants.GVC_MSG_FAILURE:
            assert head.code < 0 and head.size <= constants.GVC_MAX_SENTENCE
            yield text.decode()
        data = data[HEAD + head.size :]


def mutate(data: bytes, chance: Random, scramble) -> bytes:
    kind, *messages = split(data) or [b""]
    change = chance.randrange(8)
    if change == 0:
        kind = bytes([chance.randrange(len(MEMORIES))])
    elif change == 1 or not messages:
        messages = rearranged(messages, chance)
    elif change <= 4 and len(messages[0]) > HEAD + ffi.sizeof("gvc_open"):
        messages[0] = _other_opening(messages[0], chance, scramble)
    else:
        place = chance.randrange(len(messages))
        messages[place] = _other_message(messages[place], chance, scramble)
    return join([kind, *messages])


def _other_message(data: bytes, chance: Random, scramble) -> bytes:
    if len(data) < HEAD:
        return scramble(data)
    payload = data[HEAD:]
    if chance.randrange(3) == 0:
        payload = scramble(payload)
    head = ffi.from_buffer("gvc_message *", changed := bytearray(data[:HEAD]))
    head.size = len(payload)
    _set(head, chance.choice(("type", "slot", "flags", "pts", "duration", "code", "size")), chance)
    return bytes(changed) + payload


def _other_opening(data: bytes, chance: Random, scramble) -> bytes:
    payload = bytearray(data[HEAD:])
    fixed = ffi.sizeof("gvc_open")
    opened = ffi.from_buffer("gvc_open *", payload)
    change = chance.randrange(4)
    if change == 0:
        _set(opened, chance.choice(("role", "options_size", "extradata_size", "folder_size")), chance)
    elif change == 1:
        _set(opened.format, chance.choice(ffi.typeof("gvc_format").fields)[0], chance)
    elif opened.options_size <= len(payload) - fixed:
        size = opened.options_size
        text = _other_options(bytes(payload[fixed:][:size]), chance, scramble)
        opened.options_size = len(text)
        payload = bytes(payload[:fixed]) + text + bytes(payload[fixed + size :])
    return message(constants.GVC_MSG_OPEN, bytes(payload))


def _other_options(text: bytes, chance: Random, scramble) -> bytes:
    if chance.randrange(2):
        return scramble(text)
    option = chance.choice((*ENCODER_OPTIONS, *DECODER_OPTIONS))
    value = chance.choice((*VALUES, *map(str, NUMBERS), *option.choices, str(option.default)))
    return b":".join(filter(None, [text, f"{option.name}={value}".encode()]))


def _set(struct, name: str, chance: Random) -> None:
    """Set a field to a random number within its range."""
    value = chance.choice(NUMBERS)
    try:
        setattr(struct, name, value)
    except OverflowError:
        setattr(struct, name, value & 0x7FFFFFFF)
