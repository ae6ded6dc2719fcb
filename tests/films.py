# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Source films for tests of fidelity, and ffprobe's output on a file without properties of the codec."""

import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from programs import HEIGHT, WIDTH, Programs

MILLISECOND = Fraction(1, 1000)
# Properties of a codec, not of the film, and names of the codec.
OF_THE_CODEC = re.compile(
    r"codec_(long_)?name|codec_tag(_string)?|profile|extradata_size|size|pos|bit_rate|pict_type|key_frame|pkt_(pos|size)|filename|"
    r"coded_picture_number|bits_per_raw_sample|flags|ENCODER|encoder|refs|avg_frame_rate|mime_codec_string|file_size"
)
SHOWN = ("-show_format", "-show_streams", "-show_packets", "-show_frames", "-show_chapters")


def film(path: Path, times, time_base=MILLISECOND, *, size=(WIDTH, HEIGHT), rotation=0, codec="ffv1") -> Path:
    """Write a film of a moving bar, with a picture at each of `times`."""
    width, height = size
    with av.open(str(path), "w") as output:
        track = output.add_stream(codec, rate=25, width=width, height=height, pix_fmt="yuv420p")
        track.codec_context.time_base = time_base
        if rotation:
            track.set_display_rotation(rotation)
        for index, time in enumerate(times):
            planes = np.full((height * 3 // 2, width), 100, np.uint8)
            planes[:height, 4 * index % width :][:, :10] = 220
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = time, time_base
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def rich_film(programs: Programs, path: Path) -> Path:
    """Write a film with two audio tracks, two of subtitles, chapters, an attachment and tags."""
    folder = path.parent
    film(folder / "picture.mkv", range(0, 480, 40))
    (folder / "words.srt").write_text(
        "1\n00:00:00,100 --> 00:00:00,300\nGrüße\n\n2\n00:00:00,350 --> 00:00:00,460\n✓\n"
    )
    (folder / "font.ttf").write_bytes(bytes(range(256)) * 20)
    (folder / "tags.txt").write_text(
        ";FFMETADATA1\ntitle=The film ✓\nARTIST=A\\;B\\=C\nCUSTOM_KEY=  spaced  \n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=200\nEND=480\ntitle=Two ✓\n"
    )
    sound = ("-f", "lavfi", "-t", "0.5", "-i")
    inputs = ("-i", folder / "picture.mkv", *sound, "sine=440:r=48000", *sound, "sine=880:r=44100")
    inputs += ("-i", folder / "words.srt", "-i", folder / "tags.txt")
    maps = ("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map", "3", "-map_metadata", "4", "-map_chapters", "4")
    codecs = ("-c:v", "copy", "-c:a:0", "aac", "-c:a:1", "flac", "-c:s:0", "subrip", "-c:s:1", "ass")
    tags = ("-metadata:s:v", "title=Picture", "-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=fra")
    tags += ("-disposition:a:1", "comment", "-disposition:s:0", "forced", "-metadata:s:a:1", "title=Kommentar")
    tags += ("-attach", folder / "font.ttf", "-metadata:s:t", "mimetype=font/ttf")
    programs.ffmpeg(*inputs, *maps, *codecs, *tags, path)
    return path


def facts(programs: Programs, path: Path) -> dict[str, object]:
    """Return ffprobe's output on a file as a flat dictionary, without properties of the codec."""
    found: dict[str, object] = {}

    def collect(name: str, value: object) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                if not OF_THE_CODEC.fullmatch(key):
                    collect(f"{name}.{key}", item)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                collect(f"{name}[{index}]", item)
        else:
            found[name] = value

    described = programs.probe(path, *SHOWN)
    # The order of packets and frames depends on the codec's delay, so it is left out too.
    for entry in described.pop("packets_and_frames"):
        track = entry.get("stream_index", entry.get("media_type"))
        described.setdefault(f"{entry.pop('type')}s of {track}", []).append(entry)
    collect("", described)
    return found


def differences(first: dict, second: dict) -> dict[str, tuple]:
    """Return the entries in which two results of `facts` differ."""
    names = first.keys() | second.keys()
    return {n: (first.get(n), second.get(n)) for n in sorted(names) if first.get(n) != second.get(n)}


def packets(path: Path, kind: str) -> list[bytes]:
    """Return the payloads of all packets in tracks of one kind."""
    with av.open(str(path)) as container:
        tracks = [stream for stream in container.streams if stream.type == kind]
        return [bytes(packet) for packet in container.demux(tracks) if packet.size]
