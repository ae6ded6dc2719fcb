# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Other tracks, and tags: they are copied like FFmpeg's own program does, or a warning names what is lost."""

import os
from fractions import Fraction

import av
import clips
import numpy as np
import pytest
from av.stream import Disposition
from gvc_container.demux import Demuxer
from gvc_container.libav import field_order, side_data
from gvc_container.mux import Muxer
from gvc_container.sink import VideoSink
from programs import STOCK

from gvc.cli.encode import encode
from gvc.cli.report import Report
from gvc.media import Picture

FRAMES, RATE = 10, 25
WORDS = "1\n00:00:00,000 --> 00:00:00,200\nfirst <i>words</i>\n\n2\n00:00:00,240 --> 00:00:00,360\nmore\n"
# FFmpeg's layout of mastering display data (ten fractions, then two flags) and of light levels (two numbers).
MASTERING = np.array([34000, 50000, 16000, 50000, 13250, 50000, 34500, 50000, 7500, 50000, 3000, 50000, 15635, 50000,
                      16450, 50000, 1, 10000, 1000, 1, 1, 1], np.int32).tobytes()  # fmt: skip
LIGHT = np.array([1000, 400], np.uint32).tobytes()
HDR = {"MASTERING_DISPLAY_METADATA": MASTERING, "CONTENT_LIGHT_LEVEL": LIGHT}


@pytest.fixture(scope="module")
def coded():
    """Return the sequence header, packets and format of a GVC clip."""
    pictures = clips.moving_clip(FRAMES)
    header, packets, _ = clips.encode(pictures, gop=5, preset="fast")
    return header, packets, clips.video_format(pictures)


def write(path, coded, **options):
    """Write the clip to a file; return the warnings."""
    header, packets, video = coded
    said = []
    with Muxer(path, header, video, warn=said.append, **options) as muxer:
        for packet in packets:
            muxer.write(packet)
    return said


def film(path, sound=None, *, pictures=("mpeg4",), words=None, container_format=None, line=None):
    """Write a film with tracks of these codecs, each as long as the clip, and `line` as the packet of text."""
    with av.open(str(path), "w", format=container_format) as output:
        video = [output.add_stream(codec, RATE, width=64, height=48) for codec in pictures]
        for track in video:
            track.codec_context.pix_fmt = "yuvj420p" if track.codec_context.name == "mjpeg" else "yuv420p"
        rate, bits = (44100, 64000) if sound == "wmav2" else (8000, 12200)  # values that the encoders accept
        audio = output.add_stream(sound, rate=rate, layout="mono", bit_rate=bits) if sound else None
        text = output.add_stream(words) if words else None
        if text:
            text.codec_context.subtitle_header = b"[Script Info]\n"
            text.time_base = Fraction(1, 1000)
        for index in range(FRAMES):
            for track in video:
                frame = av.VideoFrame(64, 48, track.codec_context.pix_fmt)
                frame.pts, frame.time_base = index, Fraction(1, RATE)
                output.mux(track.encode(frame))
        if audio:
            kind = audio.codec_context.format.name
            tone = (8000 * np.sin(np.arange(3200) / 5)).astype(np.int16).reshape(1, -1)
            samples = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            samples.sample_rate, samples.pts = 8000, 0
            convert = av.AudioResampler(format=kind, layout="mono", rate=rate, frame_size=audio.frame_size or 512)
            for frame in [*convert.resample(samples), *convert.resample(None)]:
                output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
        if text:
            words = av.subtitles.subtitle.SubtitleSet.create(b"0,0,Default,,0,0,0,,words", 0, 200)
            packet = av.Packet(line) if line else text.codec_context.encode_subtitle(words)
            packet.pts = packet.dts = 40
            packet.duration, packet.time_base, packet.stream = 200, Fraction(1, 1000), text
            output.mux(packet)
        for track in video:
            output.mux(track.encode(None))
    return path


def payload(path, kind):
    """Return (seconds, bytes) of the packets of all tracks of a kind."""
    with av.open(str(path)) as container:
        tracks = [stream for stream in container.streams if stream.type == kind]
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(tracks) if p.size] if tracks else []


SOUNDS = (
    ("in.wmv", "asf", "wmav2"),
    ("in.avi", "avi", "adpcm_ms"),
    ("in.avi", "avi", "pcm_alaw"),
    ("in.avi", "avi", "pcm_mulaw"),
    ("in.3gp", "3gp", "amr_nb"),
    ("in.mov", "mov", "pcm_s16be"),
    ("in.mp4", "mp4", "aac"),
    ("in.ts", "mpegts", "aac"),
    ("in.mkv", "matroska", "libopus"),
)


@pytest.mark.parametrize(("name", "container_format", "codec"), SOUNDS)
def test_sound_of_each_kind_is_kept(coded, tmp_path, name, container_format, codec):
    source = film(tmp_path / name, codec, container_format=container_format)
    assert write(tmp_path / "out.mkv", coded, copy_from=source) == []
    before, after = payload(source, "audio"), payload(tmp_path / "out.mkv", "audio")
    assert len(before) == len(after) > 0
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) >= 3200


@pytest.mark.parametrize("codec", ["wmav2", "alac"])
def test_sound_that_nobody_could_read_back_is_named(coded, tmp_path, codec):
    """NUT accepts codecs that it has no name for, but does not store all properties that decoders need."""
    source = film(tmp_path / "in", codec, container_format="mov" if codec == "alac" else "asf")
    assert write(tmp_path / "out.nut", coded, copy_from=source) == [
        f"audio track 1 ({codec}) is left out: FFmpeg cannot store it in nut files"
    ]


@pytest.mark.parametrize(("name", "container_format", "codec"), SOUNDS[:6])
def test_sound_is_that_of_ffmpegs_copy(coded, tmp_path, name, container_format, codec):
    STOCK.require("ffmpeg")
    source = film(tmp_path / name, codec, container_format=container_format)
    write(tmp_path / "ours.mkv", coded, copy_from=source)
    STOCK.ffmpeg("-i", source, "-map", "0:a", "-c", "copy", tmp_path / "theirs.mkv")
    ours, theirs = (payload(tmp_path / f"{whose}.mkv", "audio") for whose in ("ours", "theirs"))
    assert ours == theirs


def test_video_that_the_format_takes_in_another_form_only_is_named(coded, tmp_path):
    """H.264 from Matroska has no start codes, which AVI needs and detects only at the first packet."""
    source = film(tmp_path / "in.mkv", pictures=("mpeg4", "libx264"))
    assert write(tmp_path / "out.avi", coded, copy_from=source, replaced=0) == [
        "video track 1 (h264) is left out: FFmpeg cannot store it in avi files"
    ]


@pytest.mark.parametrize("extension", ["mkv", "nut", "avi"])
def test_more_video_is_copied_like_sound(coded, tmp_path, extension):
    source = film(tmp_path / "in.mkv", pictures=("mpeg4", "mjpeg"))
    assert write(tmp_path / f"out.{extension}", coded, copy_from=source, replaced=0) == []
    with Demuxer(tmp_path / f"out.{extension}") as demuxer:
        assert sum(1 for _ in demuxer.packets()) == FRAMES
    with av.open(str(tmp_path / f"out.{extension}")) as container:
        other = next(s for s in container.streams.video if s.codec_context and s.codec_context.name == "mjpeg")
        assert sum(1 for _ in container.decode(other)) == FRAMES
        assert other.average_rate == RATE


def test_what_a_format_has_no_place_for_is_named(coded, tmp_path):
    source = film(tmp_path / "in.mkv", words="ass")
    (said,) = write(tmp_path / "out.avi", coded, copy_from=source)
    assert said == "subtitle track 1 (ass) is left out: FFmpeg cannot store it in avi files"


@pytest.mark.parametrize(
    ("given", "extension", "kept"),
    [
        ("mov_text", "mkv", "ass"),
        ("ass", "mkv", "ass"),
        ("subrip", "mkv", "subrip"),
        ("subrip", "mp4", "mov_text"),
        ("ass", "mov", "mov_text"),
    ],
)
def test_subtitles_are_copied_or_become_the_text_of_the_format(coded, tmp_path, given, extension, kept):
    container_format = "mp4" if given == "mov_text" else "matroska"
    source, target, said = film(tmp_path / "in", words=given, container_format=container_format), tmp_path / "out", []
    if extension == "mkv":
        said = write(target.with_suffix(".mkv"), coded, copy_from=source)
    else:
        with VideoSink(target.with_suffix(f".{extension}"), coded[2], source, warn=said.append) as sink:
            for index in range(FRAMES):
                sink.write(Picture(clips.moving_clip(1)[0].planes, index, 1))
    assert said == ([] if given == kept else [f"subtitle track 1 ({given}) is converted to {kept}"])
    with av.open(str(target.with_suffix(f".{extension}"))) as container:
        track = container.streams.subtitles[0]
        assert track.codec_context.codec.canonical_name == kept
        (packet,) = [p for p in container.demux(track) if p.size > 2]
        assert b"words" in bytes(packet)
        assert (packet.pts * packet.time_base, packet.duration * packet.time_base) == (Fraction(1, 25), Fraction(1, 5))


def test_damaged_text_costs_nothing_else(coded, tmp_path):
    # The packet claims five letters that are missing.
    source = film(tmp_path / "in.mp4", "aac", words="mov_text", line=b"\0\5")
    write(tmp_path / "out.mkv", coded, copy_from=source)
    assert len(payload(tmp_path / "out.mkv", "audio")) == len(payload(source, "audio")) > 0


def test_times_of_copied_tracks_never_fall(coded, tmp_path):
    """In some files timestamps decrease; FFmpeg's program raises such a timestamp to the one before."""
    with av.open(str(tmp_path / "in.mkv"), "w") as output, av.open(str(film(tmp_path / "good.mkv", "aac"))) as good:
        track = output.add_stream_from_template(good.streams.audio[0])
        for index, packet in enumerate(p for p in good.demux(audio=0) if p.size):
            packet.stream = track
            packet.pts = packet.dts = packet.pts - (40 if index == 2 else 0)
            if index != 2:
                output.mux(packet)
            held = packet
        assert held
    assert write(tmp_path / "out.mkv", coded, copy_from=tmp_path / "in.mkv") == []
    times = [time for time, _ in payload(tmp_path / "out.mkv", "audio")]
    assert times == sorted(times)


def test_attachments_and_covers_come_along(coded, tmp_path):
    with av.open(str(tmp_path / "in.mkv"), "w") as output:
        output.add_stream("mpeg4", RATE, width=64, height=48).codec_context.pix_fmt = "yuv420p"
        output.add_attachment("../odd \u00fc\u2028name.ttf", "font/ttf", b"font" * 100)
        output.add_attachment("cover.png", "image/png", png())
        output.mux(output.streams.video[0].encode(av.VideoFrame(64, 48, "yuv420p")))
        output.mux(output.streams.video[0].encode(None))
    assert write(tmp_path / "out.mkv", coded, copy_from=tmp_path / "in.mkv") == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        (font,) = [stream for stream in container.streams if stream.type == "attachment"]
        assert (font.name, font.mimetype, font.data) == ("../odd \u00fc\u2028name.ttf", "font/ttf", b"font" * 100)
        (cover,) = [s for s in container.streams.video if s.disposition & Disposition.attached_pic]
        assert cover.codec_context.name == "png"
    with VideoSink(tmp_path / "out.mp4", coded[2], tmp_path / "in.mkv", warn=[].append) as sink:
        sink.write(Picture(clips.moving_clip(1)[0].planes, 0, 1))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [bool(s.disposition & Disposition.attached_pic) for s in container.streams.video] == [False, True]


def png():
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 8, 8, "rgb24", Fraction(1, 25)
    (packet, *_) = [*encoder.encode(av.VideoFrame(8, 8, "rgb24")), *encoder.encode(None)]
    return bytes(packet)


def test_statistics_of_the_old_track_do_not_come_along(coded, tmp_path):
    with av.open(str(tmp_path / "in.mkv"), "w") as output:
        track = output.add_stream("mpeg4", RATE, width=64, height=48)
        track.codec_context.pix_fmt = "yuv420p"
        stale = {"BPS-eng": "1", "NUMBER_OF_FRAMES-eng": "2", "_STATISTICS_TAGS-eng": "BPS", "BPS": "3"}
        track.metadata.update({"title": "Film", "language": "deu", **stale})
        output.mux([*track.encode(av.VideoFrame(64, 48, "yuv420p")), *track.encode(None)])
    write(tmp_path / "out.mkv", coded, copy_from=tmp_path / "in.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        tags = {name.upper(): value for name, value in container.streams.video[0].metadata.items()}
    assert tags["TITLE"] == "Film" and tags["LANGUAGE"] in ("deu", "ger")
    assert not {name.upper() for name in stale} & tags.keys()


@pytest.mark.parametrize("extension", ["mkv", "avi", "nut"])
def test_shape_of_the_pixels_is_said_by_the_container(coded, tmp_path, extension):
    """Programs that do not know GVC can only read it from the container."""
    header, packets, video = coded
    wide = type(video)(**{**vars(video), "sample_aspect_ratio": Fraction(64, 45)})
    write(tmp_path / f"wide.{extension}", (header, packets, wide))
    with av.open(str(tmp_path / f"wide.{extension}")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(64, 45)


@pytest.mark.parametrize("extension", ["mkv", "avi", "nut", "mp4", "mov", "y4m"])
def test_shape_of_decoded_pixels_is_said_by_the_container(coded, tmp_path, extension):
    wide = type(coded[2])(**{**vars(coded[2]), "sample_aspect_ratio": Fraction(64, 45)})
    path = tmp_path / f"wide.{extension}"
    with VideoSink(path, wide) as sink:
        sink.write(Picture(clips.moving_clip(1)[0].planes, 0, 1))
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(64, 45)
    if STOCK.path("ffprobe"):
        shown = STOCK.probe(path, "-show_entries", "stream=display_aspect_ratio")["streams"][0]
        assert Fraction(shown["display_aspect_ratio"].replace(":", "/")) == Fraction(64 * 64, 48 * 45)


@pytest.mark.parametrize("order", [1, 4, 5])
def test_order_of_fields_is_kept_there_and_back(coded, tmp_path, order):
    write(tmp_path / "fields.mkv", coded, field_order=order)
    with Demuxer(tmp_path / "fields.mkv") as demuxer:
        assert demuxer.field_order == order
        with VideoSink(tmp_path / "back.mkv", demuxer.format, field_order=demuxer.field_order) as sink:
            sink.write(Picture(clips.moving_clip(1)[0].planes, 0, 1))
    with av.open(str(tmp_path / "back.mkv")) as container:
        assert field_order(container.streams.video[0]) == order


def test_light_of_the_mastering_display_is_kept_there_and_back(coded, tmp_path):
    write(tmp_path / "hdr.mkv", coded, side_data=HDR)
    with Demuxer(tmp_path / "hdr.mkv") as demuxer:
        assert_same_light(demuxer.side_data)
        for extension in ("mkv", "mp4"):
            with VideoSink(tmp_path / f"back.{extension}", demuxer.format, side_data=demuxer.side_data) as sink:
                sink.write(Picture(clips.moving_clip(1)[0].planes, 0, 1))
    for extension in ("mkv", "mp4"):
        with av.open(str(tmp_path / f"back.{extension}")) as container:
            assert_same_light(side_data(container.streams.video[0]))
            assert {s.type.name for s in next(container.decode(video=0)).side_data} >= HDR.keys()


@pytest.mark.parametrize("extension", ["avi", "nut", "y4m"])
def test_light_of_the_mastering_display_is_named_where_it_is_lost(coded, tmp_path, extension):
    said = []
    if extension == "y4m":
        with VideoSink(tmp_path / "out.y4m", coded[2], side_data=HDR, warn=said.append) as sink:
            sink.write(Picture(clips.moving_clip(1)[0].planes, 0, 1))
    else:
        said = write(tmp_path / f"out.{extension}", coded, side_data=HDR)
    assert [text.split(" of the")[0] for text in said] == ["content light level", "mastering display metadata"]


def test_data_of_pictures_that_somebody_will_miss_is_named(coded, tmp_path):
    (said,) = write(tmp_path / "out.mkv", coded, side_data=HDR | {"A53_CC": b"", "SEI_UNREGISTERED": b"x264"})
    assert said.startswith("closed captions (A/53) of the video track is left out")


def test_chapters_are_named_where_they_are_lost(coded, tmp_path):
    with av.open(str(tmp_path / "in.mkv"), "w") as output:
        track = output.add_stream("mpeg4", RATE, width=64, height=48)
        chapter = {"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}}
        output.set_chapters([chapter])
        output.mux([*track.encode(av.VideoFrame(64, 48, "yuv420p")), *track.encode(None)])
    assert write(tmp_path / "out.mkv", coded, copy_from=tmp_path / "in.mkv") == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert [each["metadata"]["title"] for each in container.chapters()] == ["One"]
    (said,) = write(tmp_path / "out.avi", coded, copy_from=tmp_path / "in.mkv")
    assert said == "1 chapters are left out: FFmpeg cannot store them in avi files"


def assert_same_light(found):
    assert found["CONTENT_LIGHT_LEVEL"] == LIGHT
    mastering, wanted = (np.frombuffer(data, np.int32) for data in (found["MASTERING_DISPLAY_METADATA"], MASTERING))
    assert np.allclose(mastering[:20:2] / mastering[1:20:2], wanted[:20:2] / wanted[1:20:2], atol=1e-4)
    assert mastering[20:].all()


def test_a_packet_that_the_muxer_refuses_does_not_cost_the_others(coded, tmp_path):
    header, packets, video = coded
    falling = [type(p)(p.data, 2 if index == 5 else p.pts, 1, p.key) for index, p in enumerate(packets)]
    (said,) = write(tmp_path / "out.mkv", (header, falling, video))
    assert said.startswith("1 packets are missing")
    with Demuxer(tmp_path / "out.mkv") as demuxer:
        assert sum(1 for _ in demuxer.packets()) == FRAMES - 1


def test_both_files_are_closed_after_an_error(coded, tmp_path):
    """The test counts open files, which PyAV's objects would otherwise hold until garbage collection."""
    source = film(tmp_path / "in.mkv", "flac")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(RuntimeError) as error, Muxer(tmp_path / "out.mkv", *coded[::2], copy_from=source) as muxer:
        muxer.write(coded[1][0])
        raise RuntimeError
    assert error and len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("clock", [Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 600)])
def test_avi_has_one_chunk_a_picture(coded, tmp_path, clock):
    """AVI's clock is the frame rate, and each tick without a picture would need an empty chunk."""
    header, packets, video = coded
    scale = Fraction(1, RATE) / clock
    timed = [type(p)(p.data, int(p.pts * scale), int(scale), p.key) for p in packets]
    said = write(tmp_path / "out.avi", (header, timed, type(video)(**{**vars(video), "time_base": clock})))
    assert said == []
    with av.open(str(tmp_path / "out.avi")) as container:
        sizes = [packet.size for packet in container.demux(video=0) if packet.size]
        assert len(sizes) == FRAMES and container.streams.video[0].average_rate == RATE
    assert (tmp_path / "out.avi").read_bytes().count(b"00dc") == 2 * FRAMES + 1  # in the data, the index and the header


def test_avi_of_uneven_times_says_so(coded, tmp_path):
    header, packets, video = coded
    times = [0, 40, 55, 57, 140, 200, 1000, 1040, 1041, 1200]
    timed = [type(p)(p.data, time, 1, p.key) for p, time in zip(packets, times, strict=True)]
    milliseconds = type(video)(**{**vars(video), "time_base": Fraction(1, 1000)})
    (said,) = write(tmp_path / "out.avi", (header, timed, milliseconds))
    assert "constant frame rate" in said and "of 10" in said
    assert write(tmp_path / "out.mkv", (header, timed, milliseconds)) == []
    with Demuxer(tmp_path / "out.avi") as demuxer:
        assert [p.data for p in demuxer.packets()] == [p.data for p in timed]


def summary(path):
    """Return everything in a file except its first track, in the order of the file; times are in milliseconds."""
    with av.open(str(path)) as container:
        packets = [(p.stream_index, round(1000 * p.dts * p.time_base), bytes(p)) for p in container.demux() if p.size]
        return [
            (
                stream.type,
                stream.codec_context.codec.canonical_name,
                stream.metadata.get("language"),
                stream.disposition,
                [(time, data) for index, time, data in packets if index == stream.index],
            )
            for stream in container.streams
            if stream.index
        ]


@pytest.mark.parametrize(
    ("name", "tracks", "arguments"),
    [
        ("in.avi", {"sound": "adpcm_ms"}, ()),
        ("in.3gp", {"sound": "amr_nb"}, ()),
        ("in.mp4", {"sound": "aac", "words": "mov_text"}, ("-c:s", "ass")),
        ("in.mkv", {"sound": "flac", "words": "subrip", "pictures": ("mpeg4", "mjpeg")}, ()),
        ("in.mkv", {"sound": "pcm_s16le", "words": "ass", "pictures": ("libx264", "mpeg4")}, ()),
    ],
)
def test_encode_keeps_what_ffmpegs_program_keeps(tmp_path, name, tracks, arguments):
    STOCK.require("ffmpeg")
    source, ours, theirs = film(tmp_path / name, **tracks), tmp_path / "ours.mkv", tmp_path / "theirs.mkv"
    encode(str(source), ours, {"preset": "fast"}, Report(quiet=True), overwrite=False, audio=True, verify=False)
    coding = ("-map", "0", "-c", "copy", *arguments, "-c:v:0", "gvc", "-preset", "fast")
    STOCK.ffmpeg("-i", source, *coding, theirs)
    found, wanted = summary(ours), summary(theirs)
    assert [each[:4] for each in found] == [each[:4] for each in wanted]
    assert [each[4] for each in found] == [each[4] for each in wanted]
