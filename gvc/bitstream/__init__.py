"""The bit syntax of GVC (docs/BITSTREAM.md). Parsing is total: any bytes give a value or a BitstreamError."""

from .packet import SHOW_NEXT, GopUnit, read_packet, write_gop
from .sequence import MAX_PROMPT, SDE_SHIFT, SequenceHeader, parse_sequence_header, write_sequence_header

__all__ = [
    "MAX_PROMPT",
    "SDE_SHIFT",
    "SHOW_NEXT",
    "GopUnit",
    "SequenceHeader",
    "parse_sequence_header",
    "read_packet",
    "write_gop",
    "write_sequence_header",
]
