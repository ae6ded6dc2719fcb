# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Header edits for FFmpeg releases whose sources Debian does not have, based on a neighbouring release that it has.

Within a release branch of FFmpeg the structs stay the same, and between branches only a few members change. Each entry
names the neighbour and all differences in the structs that layout_probe.c measures. For public structs they come from
doc/APIchanges of later releases. For private structs they come from the libraries themselves: AVCodecContext's options
give their own offsets, and the FFCodecs of a library show where functions, sizes and bit fields lie.
tests/test_plugin_matrix.py runs each row against its own library. A source tree of such a release, given to
make_layout.py, overrides the entry here.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

LIBRARIES = ("libavcodec", "libavformat", "libavutil")


@dataclass(frozen=True)
class Neighbour:
    """Headers made from those of another release.

    base: release branch whose headers are edited.
    edits: file, pattern and replacement of each edit; a pattern is replaced once.
    """

    base: str
    edits: tuple[tuple[str, str, str], ...]

    def write_headers(self, tree: Path, target: Path) -> None:
        """Write the edited headers of `tree` to `target`."""
        for library in LIBRARIES:
            shutil.copytree(tree / library, target / library, ignore=_all_but_headers)
        for name, pattern, replacement in self.edits:
            path = target / name
            text, count = re.subn(pattern, replacement, path.read_text(), count=1)
            if not count:
                raise ValueError(f"{name} of {tree.name} has no {pattern!r}; mend its entry in layout_neighbours.py")
            path.write_text(text)


def _all_but_headers(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".h")]


_CODEC, _VERSION = "libavcodec/codec_internal.h", "libavcodec/version.h"
_FRAME, _UTIL_VERSION = "libavutil/frame.h", "libavutil/version.h"

# The new major version removed all that 5.1 had deprecated (FF_API_*) except for the old channel layouts.
# FFOutputFormat is new; it begins like AVOutputFormat, so libavformat keeps its old version number here.
_MAJOR_60 = (
    ("libavcodec/version_major.h", r"(VERSION_MAJOR) +59", r"\1 60"),
    (_UTIL_VERSION, r"(VERSION_MAJOR) +57", r"\1 58"),
    (_UTIL_VERSION, r"(FF_API_OLD_CHANNEL_LAYOUT .*) 58", r"\1 59"),
    (_FRAME, r"AVChannelLayout ch_layout;", r"\g<0> int64_t duration;"),
    ("libavcodec/avcodec.h", r"#define AV_CODEC_FLAG_PASS1", "#define AV_CODEC_FLAG_COPY_OPAQUE (1 << 7)\n\\g<0>"),
)

NEIGHBOURS = {
    "6.0": Neighbour(
        "5.1",
        (
            *_MAJOR_60,
            (_VERSION, r"(VERSION_MINOR) +37", r"\1 3"),
            (_UTIL_VERSION, r"(VERSION_MINOR) +28", r"\1 2"),
        ),
    ),
    # A flag has replaced AVFrame.key_frame.
    "6.1": Neighbour(
        "5.1",
        (
            *_MAJOR_60,
            (_VERSION, r"(VERSION_MINOR) +37", r"\1 31"),
            (_UTIL_VERSION, r"(VERSION_MINOR) +28", r"\1 29"),
            (_FRAME, r"#define AV_FRAME_FLAG_CORRUPT", "#define AV_FRAME_FLAG_KEY (1 << 1)\n\\g<0>"),
        ),
    ),
    # 7.1 added avcodec_get_supported_config and removed init_static_data.
    "7.0": Neighbour(
        "7.1",
        (
            (_VERSION, r"(VERSION_MINOR) +19", r"\1 3"),
            (_CODEC, r"caps_internal:27", "caps_internal:29"),
            (_CODEC, r"unsigned color_ranges:2;", ""),
            (_CODEC, r"int \(\*init\)\(", r"void (*init_static_data)(struct FFCodec *); \g<0>"),
            (_CODEC, r"int \(\*get_supported_config\)\([^;]*;", ""),
        ),
    ),
    # 8.1 added alpha modes.
    "8.0": Neighbour(
        "8.1",
        (
            (_VERSION, r"(VERSION_MINOR) +28", r"\1 11"),
            (_CODEC, r"caps_internal:24", "caps_internal:26"),
            (_CODEC, r"unsigned alpha_modes:2;", ""),
        ),
    ),
}
