# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The headers of AV1 frames, as far as they say which pictures a frame refers to and which it replaces.

Names are those of the AV1 specification (sections 5.5 and 5.9). Frames whose headers have parts that no encoder of
stills writes (frame numbers, timing, short signalling, switching frames) are not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..bitstream.fields import FieldReader, FieldWriter
from ..errors import BitstreamError

SLOTS = 8  # number of pictures that an AV1 decoder keeps as references
ALL_SLOTS = 2**SLOTS - 1
REFERENCES = 7  # number of references of an inter frame
SEQUENCE_HEADER, FRAME_HEADER, FRAME = 1, 3, 6  # types of OBU
HAS_EXTENSION, HAS_SIZE = 4, 2  # flag bits in the header of an OBU
KEY_FRAME, INTER_FRAME, INTRA_ONLY_FRAME, SWITCH_FRAME = range(4)
SELECT = 2  # value of a setting of the sequence that each frame makes for itself


@dataclass(frozen=True)
class FrameHeader:
    """What a frame header says.

    existing: slot of an earlier frame that is shown; None where the header begins a new frame.
    shown: whether the new frame is shown.
    key: whether the new frame is a key frame.
    order: `order_hint` of the new frame.
    references: slots that the new frame refers to.
    refreshed: slots that the new frame replaces.
    """

    existing: int | None = None
    shown: bool = True
    key: bool = False
    order: int = 0
    references: frozenset[int] = frozenset()
    refreshed: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Sequence:
    """Settings of a sequence header that decide about the syntax of frame headers.

    single: whether each frame is a still by itself, with a short header.
    """

    single: bool = False
    order_bits: int = 0
    screen_content: int = 0
    integer_mv: int = 0


class Bits:
    """Reads bits, the most significant one of each byte first. Raises BitstreamError beyond the end."""

    def __init__(self, data: bytes):
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def read(self, count: int = 1) -> int:
        """Return the next `count` bits as an unsigned number."""
        self._left -= count
        if self._left < 0:
            raise BitstreamError("still", 0, "an AV1 header ends early")
        return self._value >> self._left & ((1 << count) - 1)


def obus(data: bytes, element: str) -> Iterator[tuple[int, bytes]]:
    """Yield the (type, payload) of the OBUs of a temporal unit; the last one has the rest if it does not say its size.

    Raises BitstreamError where sizes do not fit.
    """
    reader = FieldReader(data)
    while reader.offset < len(data):
        header = reader.uint(element, 1)
        reader.raw(element, int(bool(header & HAS_EXTENSION)))
        payload = reader.sized(element) if header & HAS_SIZE else reader.raw(element, len(data) - reader.offset)
        yield header >> 3 & 15, payload


def without_last_size(data: bytes) -> bytes:
    """Return a temporal unit without the size of its last OBU, which the unit's own size tells."""
    *_, (_, payload) = obus(data, "still")
    before = FieldWriter()
    before.varint(len(payload))
    header = len(data) - len(payload) - len(bytes(before)) - 1
    return data[:header] + bytes([data[header] & ~HAS_SIZE]) + payload


def show_existing(slot: int) -> bytes:
    """Return the temporal unit that shows the frame in a slot again."""
    return bytes([FRAME_HEADER << 3, 1 << 7 | slot << 4 | 1 << 3])


class HeaderReader:
    """Reads the frame headers of a stream, unit by unit."""

    def __init__(self) -> None:
        self._sequence: _Sequence | None = None

    @property
    def orders(self) -> int:
        """Number of different values of `order_hint`, after which it begins anew."""
        return 1 << self._sequence.order_bits if self._sequence else 1

    def read(self, data: bytes) -> list[FrameHeader]:
        """Return the headers of a unit's frames. Raises BitstreamError if they cannot be read."""
        frames = []
        for kind, payload in obus(data, "still"):
            if kind == SEQUENCE_HEADER:
                self._sequence = _sequence(Bits(payload))
            elif kind in (FRAME_HEADER, FRAME):
                frames.append(self._frame(Bits(payload)))
        return frames

    def _frame(self, bits: Bits) -> FrameHeader:
        sequence = self._sequence
        if sequence is None:
            raise _unread("a frame without a sequence header")
        if sequence.single:
            return FrameHeader(key=True, refreshed=slots(ALL_SLOTS))
        if bits.read():
            return FrameHeader(existing=bits.read(3))
        kind, shown = bits.read(2), bool(bits.read())
        if kind == SWITCH_FRAME:
            raise _unread("a switching frame")
        if not shown:
            bits.read()  # showable_frame
        key = kind == KEY_FRAME
        resilient = (key and shown) or bool(bits.read())
        bits.read()  # disable_cdf_update
        screen_content = bits.read() if sequence.screen_content == SELECT else sequence.screen_content
        if screen_content and sequence.integer_mv == SELECT:
            bits.read()  # force_integer_mv
        bits.read()  # frame_size_override_flag
        order = bits.read(sequence.order_bits)
        if kind == INTER_FRAME and not resilient:
            bits.read(3)  # primary_ref_frame
        refreshed = ALL_SLOTS if key and shown else bits.read(SLOTS)
        if resilient and not (key and shown):
            for _ in range(SLOTS if kind == INTER_FRAME or refreshed != ALL_SLOTS else 0):
                bits.read(sequence.order_bits)  # ref_order_hint
        references: frozenset[int] = frozenset()
        if kind == INTER_FRAME:
            if bits.read():
                raise _unread("references in short signalling")
            references = frozenset(bits.read(3) for _ in range(REFERENCES))
        return FrameHeader(None, shown, key, order, references, slots(refreshed))


def _sequence(bits: Bits) -> _Sequence:
    bits.read(3)  # seq_profile
    bits.read()  # still_picture
    if bits.read():  # reduced_still_picture_header
        return _Sequence(single=True)
    if bits.read():
        raise _unread("timing")
    delayed = bits.read()  # initial_display_delay_present_flag
    for _ in range(bits.read(5) + 1):
        bits.read(12)  # operating_point_idc
        if bits.read(5) > 7:
            bits.read()  # seq_tier
        if delayed and bits.read():
            bits.read(4)
    widths = bits.read(4) + 1, bits.read(4) + 1
    for width in widths:
        bits.read(width)
    if bits.read():
        raise _unread("frame numbers")
    bits.read(3)  # use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
    bits.read(4)  # enable_interintra_compound, enable_masked_compound, enable_warped_motion, enable_dual_filter
    if not bits.read():
        raise _unread("frames without order hints")
    bits.read(2)  # enable_jnt_comp, enable_ref_frame_mvs
    screen_content = SELECT if bits.read() else bits.read()
    integer_mv = SELECT
    if screen_content:
        integer_mv = SELECT if bits.read() else bits.read()
    return _Sequence(False, bits.read(3) + 1, screen_content, integer_mv)


def slots(mask: int) -> frozenset[int]:
    """Return the slots whose bits are set."""
    return frozenset(slot for slot in range(SLOTS) if mask >> slot & 1)


def _unread(what: str) -> BitstreamError:
    return BitstreamError("still", 0, f"{what} in an AV1 header")
