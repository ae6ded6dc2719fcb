# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc preview`."""

import sys
from fractions import Fraction
from pathlib import Path

from gvc_container.files import check_readable_again, output_file
from gvc_container.libav_log import ErrorLog
from gvc_container.output import STDOUT
from gvc_container.preview import contact_sheet, keyframe_at, png

from ..errors import OptionError
from .report import Report
from .times import parse_time


def preview(source: Path, target: Path | None, report: Report, *, at: str, size: int | None, overwrite: bool) -> None:
    """Write a PNG file with a picture of each chain of a film, or with one picture.

    source: film with GVC video, a file.
    target: file to write; "-" = standard output; None = the film's name with the extension .png.
    report: gets warnings and a summary.
    at: time of the one picture (gvc.cli.times) or share of the duration (M/N); "" = all chains.
    size: largest width and height of a picture; None = that of contact_sheet or keyframe_at.
    overwrite: whether an existing file may be replaced.

    Raises GvcError and OSError.
    """
    check_readable_again(source)
    target, limit = target or source.with_suffix(".png"), {"size": size} if size else {}
    with output_file(target, overwrite, source, named=False) as path, ErrorLog():
        if at:
            pixels, seconds = keyframe_at(source, *parse_place(at), **limit)
            found = f"the keyframe at {float(seconds):.3f} s"
        else:
            pixels, count = contact_sheet(source, warn=report.warn, **limit)
            found = f"{count} keyframes"
        data = png(pixels)
        if str(path) == STDOUT:
            sys.stdout.buffer.write(data)
        else:
            path.write_bytes(data)
    report.say(f"{target}: {found}, {pixels.shape[1]}x{pixels.shape[0]}")


def parse_place(text: str) -> tuple[Fraction, Fraction]:
    """Return (share of the duration, seconds), one of which is 0, for a share M/N or a time. Raises OptionError."""
    if "/" not in text:
        return Fraction(0), parse_time(text, "--at")
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise OptionError(f"--at {text!r} is no share of the film; give one such as 1/3")
    return share, Fraction(0)
