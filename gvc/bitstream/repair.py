# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Checksums of packets, and repair of single wrong bits by them.

A CRC depends linearly on the bits, so what a wrong bit does to it depends on the bit's place alone. CRC-32 tells any
two places in 2^32 bits apart, CRC-16 in 2^15. So a checksum not only notices a wrong bit, it also says which one.
"""

import zlib
from binascii import crc_hqx

CRC32_SIZE, CRC16_SIZE = 4, 2  # bytes of the checksum at the end
SEGMENT, SEGMENT_CHECK = 1024, 2  # bytes of a segment, and of its CRC-16
MOST_REPAIRED = 2**16  # largest size of what is repaired, which bounds the time that it takes
POLYNOMIAL_32, POLYNOMIAL_16 = 0xEDB88320, 0x1021  # the first one reflected


def with_checksum(data: bytes, size: int = CRC32_SIZE) -> bytes:
    """Return the data with their CRC-32, or with their CRC-16 if `size` is CRC16_SIZE."""
    return data + _checksum(data, size).to_bytes(size, "little")


def has_checksum(data: bytes, size: int = CRC32_SIZE) -> bool:
    """Return whether data end with the checksum, of `size` bytes, of what is before it."""
    return len(data) > size and with_checksum(data[:-size], size) == data


def segment_checks_size(size: int) -> int:
    """Return the size of the checks for data of a size: one for each whole segment."""
    return size // SEGMENT * SEGMENT_CHECK


def segment_checks(data: bytes) -> bytes:
    """Return the CRC-16 of each whole segment of the data."""
    starts = range(0, len(data) - SEGMENT + 1, SEGMENT)
    return b"".join(_check16(data[i : i + SEGMENT]).to_bytes(SEGMENT_CHECK, "little") for i in starts)


def repaired(data: bytes, checks: int = 0, size: int = CRC32_SIZE) -> bytes | None:
    """Return data that end with a checksum, with one wrong bit put right in each segment, and one in all; else None.

    checks: size of the checks of segments before the checksum. Default: there are none.
    size: size of the checksum, default CRC32_SIZE.
    """
    if not size < len(data) <= MOST_REPAIRED:
        return None
    end = len(data) - size
    segments = [data[i * SEGMENT : (i + 1) * SEGMENT] for i in range(checks // SEGMENT_CHECK)]
    for i, segment in enumerate(segments):
        place = end - checks + i * SEGMENT_CHECK
        syndrome = _check16(segment) ^ int.from_bytes(data[place : place + SEGMENT_CHECK], "little")
        if syndrome:
            segments[i] = _flipped(segment, _place_16(syndrome, len(segment)))
    data = b"".join(segments) + data[len(segments) * SEGMENT :]
    syndrome = _checksum(data[:end], size) ^ int.from_bytes(data[end:], "little")
    if syndrome.bit_count() == 1:  # The wrong bit is in the checksum.
        return with_checksum(data[:end], size)
    if syndrome:
        place = (_place_16 if size == CRC16_SIZE else _place_32)(syndrome, end)
        data = _flipped(data[:end], place) + data[end:]
    return data if has_checksum(data, size) else None


def _checksum(data: bytes, size: int) -> int:
    return _check16(data) if size == CRC16_SIZE else zlib.crc32(data)


def _check16(data: bytes) -> int:
    return crc_hqx(data, 0xFFFF)


def _flipped(data: bytes, place: tuple[int, int] | None) -> bytes:
    """Return data with the bits of a mask changed in one byte. place: (index of the byte, mask), None = no change."""
    if place is None:
        return data
    index, mask = place
    return data[:index] + bytes([data[index] ^ mask]) + data[index + 1 :]


def _place_32(syndrome: int, size: int) -> tuple[int, int] | None:
    """Return the (byte, mask) of the wrong bit that changes the CRC-32 of `size` bytes by `syndrome`; None without one.

    The register of the CRC is run backwards, bit by bit, until only the wrong bit is left in it.
    """
    for index in range(size - 1, -1, -1):
        for bit in range(7, -1, -1):
            syndrome = (syndrome ^ POLYNOMIAL_32) << 1 | 1 if syndrome >> 31 else syndrome << 1
            if syndrome == 1:
                return index, 1 << bit
    return None


def _place_16(syndrome: int, size: int) -> tuple[int, int] | None:
    """Do the same for CRC-16, whose bits come in the other order."""
    for index in range(size - 1, -1, -1):
        for bit in range(8):
            syndrome = (syndrome ^ POLYNOMIAL_16) >> 1 | 1 << 15 if syndrome & 1 else syndrome >> 1
            if syndrome == 1 << 15:
                return index, 1 << bit
    return None
