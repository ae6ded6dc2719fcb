# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Messages between a driver and its worker processes: a JSON object and bytes, each after its length."""

import json
import struct
from typing import BinaryIO

LENGTHS = struct.Struct(">IQ")  # bytes of the JSON text, bytes of the data
MOST_TEXT = 16 << 20  # largest length of the JSON text in bytes
MOST_DATA = 16 << 30  # largest length of the data in bytes; decoded chains of large pictures take gigabytes


def write_message(stream: BinaryIO, content: dict[str, object], data: bytes = b"") -> None:
    """Write a message. Raises OSError."""
    text = json.dumps(content).encode()
    stream.write(LENGTHS.pack(len(text), len(data)) + text)
    stream.write(data)
    stream.flush()


def read_message(stream: BinaryIO) -> tuple[dict[str, object], bytes] | None:
    """Return the next message; None at the end of the stream, also in the middle of a message.

    Raises ValueError for bytes that are no message, OSError.
    """
    head = stream.read(LENGTHS.size)
    if len(head) < LENGTHS.size:
        return None
    text_bytes, data_bytes = LENGTHS.unpack(head)
    if text_bytes > MOST_TEXT or data_bytes > MOST_DATA:
        raise ValueError("a message is too long")
    text, data = stream.read(text_bytes), stream.read(data_bytes)
    if len(text) < text_bytes or len(data) < data_bytes:
        return None
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("a message is no JSON object")
    return content, data
