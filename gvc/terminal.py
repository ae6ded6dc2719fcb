# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Text from outside (names in a stream, tags, file names), made safe to show in a terminal or on a page."""

import unicodedata

# Unicode categories: control characters (C0, C1 and DEL), lone surrogates, line and paragraph separators.
CONTROLS = {"Cc", "Cs", "Zl", "Zp"}
# Bidirectional controls, which show text in another order than it is stored in.
BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def visible(text: str, keep: str = "") -> str:
    """Return text in which escapes replace the characters that a terminal would interpret or cannot write.

    Python stores bytes of a file name that are not UTF-8 as surrogates, so these are escaped too.

    keep: characters to leave as they are, such as line ends of text that GVC wrote itself; default none.
    """
    return "".join(_escape(c) if _is_unsafe(c) and c not in keep else c for c in text)


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in CONTROLS or unicodedata.bidirectional(character) in BIDI_CONTROLS


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
