#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write ffmpeg_bridge/patches: GVC for the sources of FFmpeg, one folder a release.

    python ffmpeg_bridge/tools/make_patches.py                          after a change of the wrapper
    python ffmpeg_bridge/tools/make_patches.py ffmpeg-7.1.5 ffmpeg-8.1  for these unpacked release tarballs

All releases get the same: the wrapper in ffmpeg_bridge/libavcodec, and the lines below at a known place of FFmpeg's
own files. Only what surrounds them differs, and that stands in the patches; so FFmpeg's sources are needed for a new
release only. The patches are for `patch -p1` and `git am`.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BRIDGE = Path(__file__).resolve().parent.parent
PATCHES = BRIDGE / "patches"
WRAPPER = ("libgvc.c", "libgvc.h", "libgvcdec.c", "libgvcenc.c")
CONTEXT = 3  # lines around a change
# REUSE-IgnoreStart
NOTICE = """\
SPDX-FileCopyrightText: 2026 The GVC contributors
SPDX-License-Identifier: LGPL-2.1-or-later
"""
# REUSE-IgnoreEnd
Source = Mapping[str, list[str]]  # lines of FFmpeg's files, by path


@dataclass(frozen=True)
class Insert:
    """`text` is put after the line or lines `anchor`, or before them; they occur once in the file."""

    path: str
    anchor: str
    text: str
    before: bool = False

    def position(self, lines: list[str]) -> int:
        """Index of the line that will follow the text. Raises SystemExit if the place is not clear."""
        anchor = self.anchor.split("\n")
        found = [i for i in range(len(lines)) if lines[i : i + len(anchor)] == anchor]
        if len(found) != 1:
            sys.exit(f"{self.path} has {len(found)} places like this and one is needed:\n{self.anchor}")
        return found[0] + (0 if self.before else len(anchor))


@dataclass(frozen=True)
class Patch:
    """One numbered patch: what it says of itself, what it inserts and which files it adds."""

    name: str
    subject: str
    message: str
    inserts: tuple[Insert, ...]
    new_files: tuple[str, ...] = ()


PCM_COMMENT = '\n    /* various PCM "codecs" */'
CODEC_ID = """
    AV_CODEC_ID_GVC = 0xE001,              ///< Not of upstream, so away from the ids that it will give next"""
DESCRIPTOR = """\
    {
        .id        = AV_CODEC_ID_GVC,
        .type      = AVMEDIA_TYPE_VIDEO,
        .name      = "gvc",
        .long_name = NULL_IF_CONFIG_SMALL("GVC generative video codec"),
        .props     = AV_CODEC_PROP_LOSSY,
    },"""
QUERY = """\
    if (codec_id == AV_CODEC_ID_GVC) // V_MS/VFW/FOURCC is its mapping
        return 1;
"""
REQUIREMENTS = """\
Requires the presence of the libgvc headers and library during configuration.
You need to explicitly configure the build with @code{--enable-libgvc}.
libgvc starts the model in a process of its own; the environment variable
@env{GVC_PYTHON} names the Python that has it, should it not be found.
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
Set the bitrate of the whole file. Unset, the quality is constant.

@item g
Set the largest number of frames from one keyframe to the next.

@item quality
Set the constant quality, from 0 to 100, which is the best.

@item gvc-params
Set any options as @code{{key=value:key=value}}. They win over the others.
@end table

@command{{ffmpeg -h encoder=gvc}} lists all others.
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
        "Its tag is GVC1 everywhere. Matroska holds it as V_MS/VFW/FOURCC, which programs without\nGVC can copy.",
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
    """The unified diff of one file."""
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
    """The unified diff of a file of the wrapper."""
    lines = (BRIDGE / path).read_text().splitlines()
    header = [f"diff --git a/{path} b/{path}", "new file mode 100644", "--- /dev/null", f"+++ b/{path}"]
    return [*header, f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines)]


def make_series(source: Source) -> dict[str, str]:
    """Texts of all patches for one release, by file name."""
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
    """The files of an unpacked release."""
    paths = {insert.path for patch in SERIES for insert in patch.inserts}
    return {path: (tree / path).read_text().splitlines() for path in paths}


def source_of_series(folder: Path) -> Source:
    """As much of FFmpeg's files as the patches in `folder` show; all other lines are empty."""
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
