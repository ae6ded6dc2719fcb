# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc encode IN OUT` and `gvc ffmpeg -i IN -c:v gvc OUT` take the same pictures at the same times from any source."""

from fractions import Fraction

import av
import pytest
from gvc_container.demux import Demuxer
from programs import STOCK

from gvc.bitstream import read_packet
from gvc.cli.encode import encode
from gvc.cli.report import Report
from gvc.media import FULL_RANGE

RATE = 10
CLIP = ("-f", "lavfi", "-i", f"testsrc2=size=96x64:rate={RATE}:duration=1")
TONE = ("-f", "lavfi", "-i", "sine=duration=1")
HLG = ("-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc", "-color_range", "tv")
MPEG2_OF_FIELDS = ("-flags", "+ildct+ilme", "-c:v", "mpeg2video")
X264 = ("-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "5")


def lossless(pix_fmt):
    return (*CLIP, "-pix_fmt", pix_fmt, "-c:v", "rawvideo", "-frames:v", "3")


# Arguments with which ffmpeg makes a source, and the name of its file.
SOURCES = {
    "B frames in AVI": ((*CLIP, *X264, "-bf", "2"), "a.avi"),
    "B frames of MPEG-4 in AVI": ((*CLIP, "-c:v", "mpeg4", "-bf", "2"), "a.avi"),
    "transport stream": ((*CLIP, *TONE, *X264, "-c:a", "mp2"), "a.ts"),
    "sound first": ((*TONE, *CLIP, "-map", "0", "-map", "1", *X264, "-c:a", "mp2"), "a.mkv"),
    "anamorphic and interlaced": ((*CLIP, "-vf", "setsar=64/45,setfield=tff", *MPEG2_OF_FIELDS), "a.mpg"),
    "fields of MPEG-4": ((*CLIP, "-vf", "setfield=bff", "-flags", "+ildct+ilme", "-c:v", "mpeg4"), "a.avi"),
    "repeated pictures": (
        ("-f", "lavfi", "-i", f"color=red:size=64x48:rate={RATE}:duration=2", "-c:v", "libtheora"),
        "a.ogv",
    ),
    "full range": ((*CLIP, "-pix_fmt", "yuvj420p", "-c:v", "mjpeg"), "a.avi"),
    "colour": ((*CLIP, "-vf", "format=yuv420p10le", *HLG, "-c:v", "ffv1"), "a.mkv"),
    "4:2:2": (lossless("yuv422p"), "a.nut"),
    "4:1:1": (lossless("yuv411p"), "a.nut"),
    "4:2:2 of 10 bits": (lossless("yuv422p10le"), "a.nut"),
    "packed RGB of 16 bits": (lossless("rgb48le"), "a.nut"),
    "no times at all": ((*CLIP, *X264, "-f", "h264"), "a.h264"),
    "transparency": ((*CLIP, "-vf", "format=rgba,colorchannelmixer=aa=0.5", "-c:v", "qtrle"), "a.mov"),
}


@pytest.fixture(scope="module", autouse=True)
def ffmpeg():
    STOCK.require("ffmpeg", "ffprobe")


def pair(source):
    """Return the files that the two ways make from a source."""
    ours, theirs = source.with_name("ours.mkv"), source.with_name("theirs.mkv")
    encode(str(source), ours, {"preset": "fast"}, Report(quiet=True), overwrite=True, audio=True, verify=False)
    STOCK.ffmpeg("-i", source, "-map", "0", "-c", "copy", "-c:v", "gvc", "-preset", "fast", theirs)
    return ours, theirs


def contents(path):
    """Return the packets without sequence headers, their times in seconds, and the format of the pictures."""
    with Demuxer(path) as demuxer:
        packets = list(demuxer.packets())
        units = [read_packet(packet.data) for packet in packets]
        coded = [unit and (unit.first, unit.last, unit.tail, unit.side, unit.atoms) for unit in units]
        return coded, [float(packet.pts * demuxer.time_base) for packet in packets], demuxer.sequence.format


def same(ours, theirs):
    (a, times, video), (b, others, model) = contents(ours), contents(theirs)
    assert a == b
    assert times == pytest.approx(others, abs=0.5 / RATE + 0.001)  # ffmpeg rounds times to the frame rate.
    fields = ("width", "height", "frame_rate", "samples", "sample_aspect_ratio")
    for field in (*fields, "color_primaries", "color_trc", "colorspace"):
        assert getattr(video, field) == getattr(model, field), field
    assert video.chroma_location == model.chroma_location or not video.samples.halved
    # Unspecified is limited.
    assert (video.color_range == FULL_RANGE) == (model.color_range == FULL_RANGE) or video.samples.rgb
    assert shown(ours) == shown(theirs)


def shown(path):
    """Return the tracks of a file, and the aspect ratio in its container."""
    fields = "stream=codec_type,display_aspect_ratio,sample_aspect_ratio,field_order"
    return STOCK.probe(path, "-show_entries", fields)["streams"]


@pytest.mark.parametrize("kind", SOURCES)
def test_the_same_pictures_at_the_same_times(tmp_path, kind):
    arguments, name = SOURCES[kind]
    STOCK.ffmpeg(*arguments, tmp_path / name)
    same(*pair(tmp_path / name))


@pytest.mark.parametrize("extension", ["ts", "vob"])
def test_joined_recordings(tmp_path, extension):
    """Timestamps start again in each recording, and sound and picture remain in step."""
    STOCK.ffmpeg(*CLIP, *TONE, "-c:v", "mpeg2video", "-c:a", "mp2", tmp_path / f"part.{extension}")
    joined = tmp_path / f"joined.{extension}"
    joined.write_bytes((tmp_path / f"part.{extension}").read_bytes() * 2)
    ours, theirs = pair(joined)
    same(ours, theirs)
    assert sound(ours) == pytest.approx(sound(theirs), abs=0.002)


def sound(path):
    with av.open(str(path)) as container:
        return [float(packet.pts * packet.time_base) for packet in container.demux(audio=0) if packet.size]


def test_size_and_pixel_format_change(tmp_path):
    data = b""
    for size, pix_fmt in (("96x64", "yuv420p"), ("64x96", "yuv420p"), ("160x96", "yuv444p")):
        clip = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={RATE}:duration=0.5")
        STOCK.ffmpeg(*clip, "-c:v", "libx264", "-pix_fmt", pix_fmt, tmp_path / "part.ts")
        data += (tmp_path / "part.ts").read_bytes()
    (tmp_path / "joined.ts").write_bytes(data)
    same(*pair(tmp_path / "joined.ts"))


@pytest.mark.parametrize("turn", [{"degrees": 90}, {"degrees": 270, "hflip": True}, {"degrees": 30}])
def test_turned_pictures(tmp_path, turn):
    STOCK.ffmpeg(*CLIP, *X264, "-frames:v", "3", tmp_path / "flat.mp4")
    with av.open(str(tmp_path / "flat.mp4")) as given, av.open(str(tmp_path / "turned.mp4"), "w") as output:
        track = output.add_stream_from_template(given.streams.video[0])
        track.set_display_rotation(**turn)
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = track
                output.mux(packet)
    same(*pair(tmp_path / "turned.mp4"))


def test_a_part_that_begins_between_keyframes(tmp_path):
    """An edit list of MP4 says that the first pictures are not shown."""
    STOCK.ffmpeg(*CLIP, *X264, tmp_path / "whole.mp4")
    STOCK.ffmpeg("-ss", "0.35", "-i", tmp_path / "whole.mp4", "-c", "copy", tmp_path / "part.mp4")
    ours, theirs = pair(tmp_path / "part.mp4")
    same(ours, theirs)
    assert len(contents(ours)[0]) == 6 and contents(ours)[2].frame_rate == Fraction(RATE)
