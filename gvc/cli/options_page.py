"""`python -m gvc.cli.options_page` prints docs/OPTIONS.md."""

from ..options import DECODER_OPTIONS, ENCODER_OPTIONS, Option
from .flags import SHORT

FFMPEG_NAMES = {"bitrate": "-b:v", "keyint": "-g"}
HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 The GVC contributors
SPDX-License-Identifier: BSD-2-Clause
-->

# Options

Generated from `gvc/options.py` by `python -m gvc.cli.options_page > docs/OPTIONS.md`; do not edit.

The same options exist everywhere under the same names:

| where | how |
|---|---|
| `gvc encode`, `gvc decode` | `--quality 40` |
| FFmpeg, encoder | `-c:v gvc -quality 40` after the input |
| FFmpeg, decoder | `-realism 1` before the input |
| PyAV | `add_stream("gvc", ..., options={"quality": "40"})`; for `bitrate` and `keyint`: `bit_rate`, `gop_size` |
| Python | `gvc.open("film.mkv", "w", quality=40)`, `gvc.Encoder(video_format, {"quality": 40})` |
| C | `gvc_params.options = "quality=40:preset=slow"` |
"""


def _values(option: Option) -> str:
    if option.choices:
        return ", ".join(f"`{choice}`" for choice in option.choices)
    return "text" if option.kind is str else f"{option.kind(option.low)} to {option.kind(option.high)}"


def _row(option: Option) -> str:
    flags = ", ".join(f"`{flag}`" for flag in (f"--{option.name}", SHORT.get(option.name)) if flag)
    ffmpeg = f"`{FFMPEG_NAMES.get(option.name, '-' + option.name)}`"
    default = f"`{option.default}`" if option.default != "" else "none"
    return f"| {flags} | {ffmpeg} | {_values(option)} | {default} | {option.help} |"


def page() -> str:
    """Return the text of docs/OPTIONS.md."""
    parts = [HEAD]
    for title, table in (("Encoder", ENCODER_OPTIONS), ("Decoder", DECODER_OPTIONS)):
        parts += [f"\n## {title}\n\n| gvc | FFmpeg | values | default | meaning |\n|---|---|---|---|---|\n"]
        parts += [_row(option) + "\n" for option in table]
    return "".join(parts)


if __name__ == "__main__":
    print(page(), end="")
