# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Byte-aligned fields of the headers: little-endian integers, variable-length integers, sized byte strings."""

from ..errors import BitstreamError

VARINT_MAX_BYTES = 5


class FieldWriter:
    """Collects fields; `bytes(writer)` gives them."""

    def __init__(self):
        self._data = bytearray()

    def __bytes__(self) -> bytes:
        return bytes(self._data)

    def uint(self, value: int, size: int) -> None:
        """Append `value` as `size` little-endian bytes. Raises OverflowError when it does not fit."""
        self._data += value.to_bytes(size, "little")

    def varint(self, value: int) -> None:
        """Append an unsigned LEB128 integer below 2**35."""
        while value > 0x7F:
            self._data.append(value & 0x7F | 0x80)
            value >>= 7
        self._data.append(value)

    def raw(self, data: bytes) -> None:
        """Append bytes as they are."""
        self._data += data

    def sized(self, data: bytes) -> None:
        """Append a varint length and the bytes."""
        self.varint(len(data))
        self._data += data


class FieldReader:
    """Reads fields in order; each read names its element, so that an error can say where the bytes went wrong.

    Attributes:
        offset: number of bytes that have been read.
        end: number of bytes that may be read, by default all.
    """

    def __init__(self, data: bytes):
        self._data = memoryview(data)
        self.offset, self.end = 0, len(data)

    def fail(self, element: str, reason: str) -> BitstreamError:
        """Return the error for a bad value of the element just read."""
        return BitstreamError(element, self.offset, reason)

    def raw(self, element: str, size: int) -> bytes:
        """Return the next `size` bytes."""
        if size > self.end - self.offset:
            raise self.fail(element, f"{size} bytes are needed and {self.end - self.offset} are left")
        self.offset += size
        return bytes(self._data[self.offset - size : self.offset])

    def uint(self, element: str, size: int, low: int = 0, high: int | None = None) -> int:
        """Return a little-endian integer of `size` bytes; values outside low..high are an error."""
        value = int.from_bytes(self.raw(element, size), "little")
        if value < low or (high is not None and value > high):
            raise self.fail(element, f"value {value} is outside {low}..{high}")
        return value

    def varint(self, element: str) -> int:
        """Return an unsigned LEB128 integer."""
        value = 0
        for i in range(VARINT_MAX_BYTES):
            byte = self.raw(element, 1)[0]
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                return value
        raise self.fail(element, "the variable-length integer does not end")

    def sized(self, element: str) -> bytes:
        """Return a byte string that is preceded by its varint length."""
        return self.raw(element, self.varint(element))

    def part(self, element: str) -> bytes:
        """Return a byte string like `sized`, which is there to say something: an empty one is an error."""
        data = self.sized(element)
        if not data:
            raise self.fail(element, "it is flagged and empty")
        return data

    def require(self, element: str, valid: bool, reason: str) -> None:
        """Raise the error for a bad value of the element just read unless it is `valid`."""
        if not valid:
            raise self.fail(element, reason)

    def finish(self, element: str) -> None:
        """Raise unless all bytes have been read."""
        if self.offset != self.end:
            raise self.fail(element, f"{self.end - self.offset} bytes are left over")
