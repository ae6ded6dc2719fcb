#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write ffmpeg_bridge/patches: GVC for the sources of FFmpeg, one folder a release.

    python ffmpeg_bridge/tools/make_patches.py                          after a change of the wrapper
    python ffmpeg_bridge/tools/make_patches.py ffmpeg-7.1.5 ffmpeg-8.1  for these unpacked release tarballs

The patches add the wrapper in ffmpeg_bridge/libavcodec, and insert the lines below at known places of FFmpeg's own
files. Both are the same for all releases. Only the context lines differ, and they can be read from the existing
patches, so FFmpeg's sources are needed only for a new release. The patches are for `patch -p1` and `git am`.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BRIDGE = Path(__file__).resolve().parent.parent
PATCHES = BRIDGE / "patches"
WRAPPER = ("libgvc.c", "libgvc.h", "libgvcdec.c", "libgvcenc.c")
CONTEXT = 3  # Number of context lines before and after a change
# REUSE-IgnoreStart
NOTICE = """\
SPDX-FileCopyrightText: 2026 The GVC contributors
SPDX-License-Identifier: LGPL-2.1-or-later
"""
# REUSE-IgnoreEnd
Source = Mapping[str, list[str]]  # Lines of FFmpeg's files by path


@dataclass(frozen=True)
class Insert:
    """Lines to insert into a file.

    path: file in FFmpeg's sources.
    anchor: line or lines that occur once in the file.
    text: lines to insert after the anchor.
    before: whether to insert before the anchor instead.
    """

    path: str
    anchor: str
    text: str
    before: bool = False

    def position(self, lines: list[str]) -> int:
        """Return the index of the line before which the text goes. Raises SystemExit unless the anchor occurs once."""
        anchor = self.anchor.split("\n")
        found = [i for i in range(len(lines)) if lines[i : i + len(anchor)] == anchor]
        if len(found) != 1:
            sys.exit(f"{self.path} has these lines {len(found)} times; they must occur once:\n{self.anchor}")
        return found[0] + (0 if self.before else len(anchor))


@dataclass(frozen=True)
class Patch:
    """One numbered patch: file name, commit message, insertions and added files."""

    name: str
    subject: str
    message: str
    inserts: tuple[Insert, ...]
    new_files: tuple[str, ...] = ()


PCM_COMMENT = '\n    /* various PCM "codecs" */'
CODEC_ID = """
    AV_CODEC_ID_GVC = 0xE001,              ///< Far from upstream's ids, which may grow"""
DESCRIPTOR = """\
    {
        .id        = AV_CODEC_ID_GVC,
        .type      = AVMEDIA_TYPE_VIDEO,
        .name      = "gvc",
        .long_name = NULL_IF_CONFIG_SMALL("GVC generative video codec"),
        .props     = AV_CODEC_PROP_LOSSY,
    },"""
QUERY = """\
    if (codec_id == AV_CODEC_ID_GVC) // stored as V_MS/VFW/FOURCC
        return 1;
"""
REQUIREMENTS = """\
Requires the presence of the libgvc headers and library during configuration.
You need to explicitly configure the build with @code{--enable-libgvc}.
libgvc runs the model in a separate Python process. If it does not find the
right Python, set the environment variable @env{GVC_PYTHON} to its path.
"""
DECODER_MANUAL = f"""\
@section libgvc

GVC generative video decoder.

{REQUIREMENTS}
@command{{ffmpeg -h decoder=gvc}} lists the options.
"""
ENCODER_MANUAL = f"""\
@section libgvc

GVC generative video encoder.

{REQUIREMENTS}
@subsection Options

@table @option
@item b
Set the average bitrate of the whole file. The default is constant quality.

@item g
Set the largest number of frames from one keyframe to the next.

@item quality
Set the constant quality, from 0 to 100 (best). The default is 30.

@item gvc-params
Set several options as @code{{key=value:key=value}}. They override the others.
@end table

@command{{ffmpeg -h encoder=gvc}} lists all other options.
"""


SERIES = (
    Patch(
        "avcodec-add-an-id-for-GVC",
        "avcodec: add an id for GVC",
        "GVC is a video codec that codes the noise choices of a generative model.",
        (
            Insert("libavcodec/codec_desc.c", PCM_COMMENT, DESCRIPTOR, before=True),
            Insert("libavcodec/codec_id.h", PCM_COMMENT, CODEC_ID, before=True),
        ),
    ),
    Patch(
        "avformat-add-GVC",
        "avformat: add GVC to Matroska, AVI, NUT and QuickTime",
        "The tag is GVC1 in all of them. Matroska stores it as V_MS/VFW/FOURCC, so that programs\n"
        "without GVC can copy it.",
        (
            Insert(
                "libavformat/isom_tags.c",
                "    { AV_CODEC_ID_HAP, MKTAG('H', 'a', 'p', 'M') },",
                "\n    { AV_CODEC_ID_GVC, MKTAG('G', 'V', 'C', '1') },",
            ),
            Insert(
                "libavformat/matroskaenc.c",
                "    if (std_compliance < FF_COMPLIANCE_NORMAL) {\n"
                "        enum AVMediaType type = avcodec_get_type(codec_id);",
                QUERY,
                before=True,
            ),
            Insert(
                "libavformat/riff.c",
                "    { AV_CODEC_ID_G2M,          MKTAG('G', '2', 'M', '5') },",
                "    { AV_CODEC_ID_GVC,          MKTAG('G', 'V', 'C', '1') },",
            ),
        ),
    ),
    Patch(
        "avcodec-add-GVC-encoding-and-decoding-by-libgvc",
        "avcodec: add GVC encoding and decoding by libgvc",
        "Configure with --enable-libgvc.",
        (
            Insert(
                "configure",
                "  --enable-libgsm          enable GSM de/encoding via libgsm [no]",
                "  --enable-libgvc          enable GVC de/encoding via libgvc [no]",
            ),
            Insert("configure", "    libgsm", "    libgvc"),
            Insert(
                "configure",
                'libgsm_ms_encoder_deps="libgsm"',
                'libgvc_decoder_deps="libgvc"\nlibgvc_encoder_deps="libgvc"',
            ),
            Insert(
                "configure",
                '                               done || die "ERROR: libgsm not found"; }',
                "enabled libgvc            && "
                'require_pkg_config libgvc "gvc >= 0.1.0" "gvc.h gvc_options.h" gvc_encoder_open',
            ),
            Insert("doc/decoders.texi", "@section libdavs2", DECODER_MANUAL, before=True),
            Insert("doc/encoders.texi", "@section libjxl", ENCODER_MANUAL, before=True),
            Insert(
                "libavcodec/Makefile",
                "OBJS-$(CONFIG_LIBGSM_MS_ENCODER)          += libgsmenc.o",
                "OBJS-$(CONFIG_LIBGVC_DECODER)             += libgvcdec.o libgvc.o\n"
                "OBJS-$(CONFIG_LIBGVC_ENCODER)             += libgvcenc.o libgvc.o",
            ),
            Insert(
                "libavcodec/allcodecs.c",
                "extern const FFCodec ff_libgsm_ms_decoder;",
                "extern const FFCodec ff_libgvc_encoder;\nextern const FFCodec ff_libgvc_decoder;",
            ),
        ),
        tuple(f"libavcodec/{name}" for name in WRAPPER),
    ),
)


def diff_of_inserts(path: str, lines: list[str], inserts: list[Insert]) -> list[str]:
    """Return the unified diff that makes the insertions in one file."""
    places = sorted((insert.position(lines), insert.text.split("\n")) for insert in inserts)
    hunks: list[list[tuple[int, list[str]]]] = []
    for place in places:
        if hunks and place[0] - hunks[-1][-1][0] <= 2 * CONTEXT:
            hunks[-1].append(place)
        else:
            hunks.append([place])
    diff = [f"diff --git a/{path} b/{path}", f"--- a/{path}", f"+++ b/{path}"]
    shift = 0
    for hunk in hunks:
        at = start = max(0, hunk[0][0] - CONTEXT)
        end = min(len(lines), hunk[-1][0] + CONTEXT)
        body, added = [], 0
        for position, text in hunk:
            body += [f" {line}" for line in lines[at:position]] + [f"+{line}" for line in text]
            at, added = position, added + len(text)
        body += [f" {line}" for line in lines[at:end]]
        size = end - start
        diff += [f"@@ -{start + 1},{size} +{start + 1 + shift},{size + added} @@", *body]
        shift += added
    return diff


def diff_of_new_file(path: str) -> list[str]:
    """Return the unified diff that adds a file of the wrapper."""
    lines = (BRIDGE / path).read_text().splitlines()
    header = [f"diff --git a/{path} b/{path}", "new file mode 100644", "--- /dev/null", f"+++ b/{path}"]
    return [*header, f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)]


def make_series(source: Source) -> dict[str, str]:
    """Return the texts of all patches for one release by file name."""
    series = {}
    for number, patch in enumerate(SERIES, 1):
        diffs = {
            path: diff_of_inserts(path, source[path], [i for i in patch.inserts if i.path == path])
            for path in {insert.path for insert in patch.inserts}
        } | {path: diff_of_new_file(path) for path in patch.new_files}
        mail = [
            f"From {0:040} Mon Sep 17 00:00:00 2001",
            "From: GVC <gvc@localhost>",
            "Date: Sun, 1 Nov 2026 12:00:00 +0000",
            f"Subject: [PATCH {number}/{len(SERIES)}] {patch.subject}",
            f"\n{patch.message}\n---\n{NOTICE}",
            *(line for path in sorted(diffs) for line in diffs[path]),
            "-- \nGVC\n",
        ]
        series[f"{number:04}-{patch.name}.patch"] = "\n".join(mail)
    return series


def source_of_tree(tree: Path) -> Source:
    """Read the files to change from an unpacked release."""
    paths = {insert.path for patch in SERIES for insert in patch.inserts}
    return {path: (tree / path).read_text().splitlines() for path in paths}


def source_of_series(folder: Path) -> Source:
    """Read the files to change from the patches in `folder`; lines that these do not show are empty."""
    source: dict[str, list[str]] = {}
    for patch in sorted(folder.glob("*.patch")):
        lines: list[str] = []
        for line in patch.read_text().splitlines():
            if line.startswith("--- "):
                lines = source.setdefault(line[4:].removeprefix("a/"), [])
            elif line.startswith("@@ -"):
                start = int(line[4:].split(",")[0])
                lines += [""] * (start - 1 - len(lines))
            elif line.startswith(" "):
                lines.append(line[1:])
    return source


def main() -> None:
    trees = [Path(argument) for argument in sys.argv[1:]]
    if any(not (tree / "RELEASE").is_file() for tree in trees):
        sys.exit(__doc__)
    sources = {folder.name: source_of_series(folder) for folder in PATCHES.glob("*") if folder.is_dir()}
    for tree in trees:
        major, minor = (tree / "RELEASE").read_text().strip().split(".")[:2]
        sources[f"{major}.{minor}"] = source_of_tree(tree)
    for release, source in sorted(sources.items()):
        folder = PATCHES / release
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.patch"):
            old.unlink()
        for name, text in make_series(source).items():
            (folder / name).write_text(text)
        print(folder)


if __name__ == "__main__":
    main()
