# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The bit syntax of GVC (docs/BITSTREAM.md). Parsing is total: any bytes give a value or a BitstreamError."""

from .packet import (
    BARE_BYTES,
    gop_overhead,
    is_key,
    is_show,
    pictures_in,
    read_packet,
    salvage_first,
    shown_position,
    write_gop,
    write_show,
)
from .sequence import LOWRES_SIZE, MAX_PROMPT, SDE_SHIFT, SequenceHeader, parse_sequence_header, write_sequence_header
from .unit import INDEXES, MAX_SHOWN, GopUnit

__all__ = [
    "BARE_BYTES",
    "INDEXES",
    "LOWRES_SIZE",
    "MAX_PROMPT",
    "MAX_SHOWN",
    "SDE_SHIFT",
    "GopUnit",
    "SequenceHeader",
    "gop_overhead",
    "is_key",
    "is_show",
    "parse_sequence_header",
    "pictures_in",
    "read_packet",
    "salvage_first",
    "shown_position",
    "write_gop",
    "write_sequence_header",
    "write_show",
]
