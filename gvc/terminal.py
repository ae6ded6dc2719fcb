# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Text that others have written (names in a stream, tags, names of files) on its way to a terminal or a page."""

import unicodedata

CONTROLS = {"Cc", "Cs", "Zl", "Zp"}  # C0, C1, DEL; halves of surrogate pairs; ends of lines and paragraphs
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}  # they show text in another order than it has


def visible(text: str, keep: str = "") -> str:
    """Return text without characters that a terminal would obey or cannot write: their escapes stand for them.

    Bytes of a file name that are no UTF-8 (Python has them as surrogates) are among them.

    keep: characters to leave as they are, default none; line ends of text that is our own are an example.
    """
    return "".join(_escape(c) if _obeyed(c) and c not in keep else c for c in text)


def _obeyed(character: str) -> bool:
    return unicodedata.category(character) in CONTROLS or unicodedata.bidirectional(character) in TURNS


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
