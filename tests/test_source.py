# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Sources of every kind, read as FFmpeg's own program reads them."""

import io
import os
from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest
from films import film
from gvc_container.libav_log import ErrorLog
from gvc_container.reading import main_video, open_input, timed_packets
from gvc_container.source import VideoSource
from gvc_container.video import VideoReader

from gvc.cli.encode import encode
from gvc.cli.report import Report
from gvc.errors import MediaError
from gvc.machine.parallel import PROCESSORS

WIDTH, HEIGHT, RATE = 64, 48, 10
SQUARE = 16  # macroblocks stay whole, so that lossy codecs keep the picture
CUES = b"\x1c\x53\xbb\x6b"


def texture(number=0, width=WIDTH, height=HEIGHT):
    """Return a yuv420p frame with texture everywhere, shifted according to its number."""
    pixels = np.random.default_rng(7).integers(40, 210, (height * 3 // 2, width)).astype(np.uint8)
    return av.VideoFrame.from_ndarray(np.roll(pixels, 4 * number, axis=1), format="yuv420p")


def write(path, codec="mpeg4", count=RATE, *, frames=None, pix_fmt="yuv420p", audio=None, prepare=None, **keywords):
    """Write a film of `count` pictures, or of `frames`, with a second of sound if a codec for it is given."""
    frames = frames or [texture(number) for number in range(count)]
    with av.open(path if isinstance(path, io.BytesIO) else str(path), "w", **keywords) as output:
        track = output.add_stream(codec, rate=RATE, width=frames[0].width, height=frames[0].height, pix_fmt=pix_fmt)
        track.bit_rate = 2_000_000
        if prepare:
            prepare(output, track)
        sound = output.add_stream(audio, rate=48000) if audio else None
        if sound:
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), format="s16", layout="mono")
            samples.sample_rate, samples.pts = 48000, 0
            output.mux([*sound.encode(samples), *sound.encode(None)])
        for number, frame in enumerate(frames):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def read(path):
    """Read a source; return (times in seconds, luma planes, warnings, errors)."""
    said = []
    with VideoSource(str(path), said.append) as source:
        pictures = [(picture.pts * source.format.time_base, picture.planes[0].copy()) for picture in source.pictures()]
        return [float(time) for time, _ in pictures], [luma for _, luma in pictures], said, source.damage


def run(source, target):
    encode(str(source), target, {"preset": "fast"}, Report(quiet=True), overwrite=True, audio=True, verify=False)


def count(path):
    with av.open(str(path)) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))


@pytest.mark.parametrize(("sizes", "default", "taken"), [((48, 96), None, 1), ((96, 48), None, 0), ((48, 96), 0, 0)])
def test_of_several_tracks_the_one_that_ffmpeg_takes(tmp_path, sizes, default, taken):
    """FFmpeg takes the largest video track, unless another one is the default."""
    with av.open(str(tmp_path / "two.mkv"), "w") as output:
        tracks = [output.add_stream("mpeg4", rate=RATE, width=size, height=size, pix_fmt="yuv420p") for size in sizes]
        for index, (track, size) in enumerate(zip(tracks, sizes, strict=True)):
            track.disposition = av.stream.Disposition.default if index == default else av.stream.Disposition(0)
            for number in range(3):
                frame = texture(number, size, size)
                frame.pts = number
                output.mux(track.encode(frame))
            output.mux(track.encode(None))
    with open_input(tmp_path / "two.mkv") as container:
        assert main_video(container).index == taken


def test_animated_avif_is_its_film_and_not_its_still(tmp_path):
    write(tmp_path / "film.avif", "libsvtav1", frames=[texture(number, 64, 64) for number in range(5)])
    assert len(read(tmp_path / "film.avif")[0]) == 5


def test_times_begin_at_zero_for_all_tracks(tmp_path):
    """FFmpeg's transport streams begin at 1.4 s."""
    write(tmp_path / "film.ts", "mpeg2video", audio="mp2", options={"output_ts_offset": "1.4"})
    with open_input(tmp_path / "film.ts") as container:
        assert container.start_time > 1_000_000
        times = [float(p.pts * p.time_base) for p in timed_packets(container)]
    assert min(times) == pytest.approx(0, abs=1e-4) and max(times) < 1.2
    assert read(tmp_path / "film.ts")[0] == pytest.approx([number / RATE for number in range(RATE)], abs=0.11)


@pytest.mark.parametrize("extension", ["ts", "vob"])
@pytest.mark.parametrize("audio", [None, "mp2"])
def test_joined_recordings_go_on_where_the_clock_begins_again(tmp_path, extension, audio):
    part = write(tmp_path / f"part.{extension}", "mpeg2video", audio=audio)
    joined = tmp_path / f"joined.{extension}"
    joined.write_bytes(part.read_bytes() * 3)
    times, _, said, damage = read(joined)
    assert len(times) == 3 * RATE and all("recordings are joined" in sentence for sentence in said) and not damage
    assert np.diff(times) == pytest.approx(1 / RATE, abs=0.06)
    run(joined, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        ends = {}
        for packet in container.demux():
            if packet.size:
                ends[packet.stream.type] = float(packet.pts * packet.time_base)
    assert all(end == pytest.approx(3, abs=0.2) for end in ends.values()) and len(ends) == 1 + bool(audio)


def test_a_jump_by_hours_is_closed(tmp_path):
    """Paused recorders leave such jumps in transport streams. Times in other formats are not changed."""
    early, late = (write(tmp_path / name, "mpeg2video") for name in ("early.ts", "late.ts"))
    write(late, "mpeg2video", options={"output_ts_offset": "7200"})
    (tmp_path / "joined.ts").write_bytes(early.read_bytes() + late.read_bytes())
    assert read(tmp_path / "joined.ts")[0][-1] == pytest.approx(1.9, abs=0.11)
    assert read(film(tmp_path / "pause.mkv", [0, 40, 7_200_000]))[0][-1] == 7200


def test_empty_packets_are_passed_over(tmp_path):
    """AVI fills gaps with empty packets."""
    film(tmp_path / "gaps.avi", [0, 1, 5, 6], Fraction(1, 25), codec="mpeg4")
    times, _, said, damage = read(tmp_path / "gaps.avi")
    assert times == pytest.approx([0, 0.04, 0.2, 0.24]) and not said and not damage


@pytest.mark.parametrize(("codec", "audio"), [("ffv1", None), ("libx264", "aac")])
def test_a_file_that_was_cut_off_is_coded_as_far_as_it_goes(tmp_path, capsys, codec, audio):
    """The damage is reported once, although FFmpeg reports it again while it looks for tracks and copies sound."""
    data = write(tmp_path / "whole.mkv", codec, 20, audio=audio).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(MediaError, match="damaged; what could be decoded was encoded"):
        run(tmp_path / "cut.mkv", tmp_path / "out.mkv")
    assert "File ended prematurely" in capsys.readouterr().err
    assert count(tmp_path / "out.mkv") == len(read(tmp_path / "cut.mkv")[0]) > 8


def test_a_picture_of_which_a_part_is_missing(tmp_path):
    data = write(tmp_path / "whole.apng", "apng", pix_fmt="rgb24").read_bytes()
    (tmp_path / "cut.apng").write_bytes(data[:-1000])
    times, _, said, damage = read(tmp_path / "cut.apng")
    assert (
        len(times) == RATE - 1 and damage and any("1 packets of the video are corrupt" in sentence for sentence in said)
    )


def test_sound_of_which_a_part_is_missing(tmp_path, capsys):
    data = write(tmp_path / "whole.flv", "flv", audio="aac").read_bytes()
    last = data.rindex(b"\xaf\x01")  # a packet of sound
    (tmp_path / "cut.flv").write_bytes(data[: last + 4])
    with pytest.raises(MediaError, match="damaged; what could be decoded was encoded"):
        run(tmp_path / "cut.flv", tmp_path / "out.mkv")
    assert "1 packets of copied tracks are corrupt" in capsys.readouterr().err


def test_frames_that_a_file_promises_and_does_not_have(tmp_path):
    data = write(tmp_path / "whole.mp4", "mpeg4", 20, options={"movflags": "faststart"}).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 6 // 10])
    times, _, said, damage = read(tmp_path / "cut.mp4")
    assert damage and any(f"it ends after {len(times)} of 20 frames" in sentence for sentence in said)


def test_damaged_pictures_are_kept_and_said(tmp_path, capsys):
    data = bytearray(write(tmp_path / "whole.mkv", "mpeg4", 20).read_bytes())
    for at in range(3000, data.rindex(CUES), 997):
        data[at] ^= 255
    (tmp_path / "bad.mkv").write_bytes(data)
    assert read(tmp_path / "bad.mkv")[3] > 0
    with pytest.raises(MediaError, match="damaged"):
        run(tmp_path / "bad.mkv", tmp_path / "out.mkv")
    assert "warning" in capsys.readouterr().err
    assert count(tmp_path / "out.mkv") == len(read(tmp_path / "bad.mkv")[0]) > 15


def test_a_damaged_file_can_be_left_early(tmp_path):
    """Decoder threads that report an error need Python's lock while the decoder is being freed."""
    data = bytearray(write(tmp_path / "whole.mkv", "ffv1", 20, frames=None).read_bytes())
    for at in range(3000, data.rindex(CUES), 997):
        data[at] ^= 255
    (tmp_path / "bad.mkv").write_bytes(data)
    for frames in range(1, 15):
        with ErrorLog(), VideoReader(tmp_path / "bad.mkv") as reader:
            assert len(list(islice(reader.frames(), frames))) == frames


def test_an_undamaged_file_is_not_called_damaged(tmp_path, capsys):
    """No warning appears, although other parts of FFmpeg test the output's abilities meanwhile."""
    write(tmp_path / "film.mp4", "libx264", audio="aac")
    run(tmp_path / "film.mp4", tmp_path / "out.mkv")
    assert not capsys.readouterr().err


def test_pictures_of_another_size_are_scaled_to_the_first(tmp_path):
    parts = [(64, 48), (48, 64), (96, 80)]
    data = b""
    for number, (width, height) in enumerate(parts):
        frames = [texture(i, width, height) for i in range(5)]
        data += write(tmp_path / f"{number}.ts", "libx264", frames=frames).read_bytes()
    (tmp_path / "joined.ts").write_bytes(data)
    _, lumas, said, damage = read(tmp_path / "joined.ts")
    assert [luma.shape for luma in lumas] == [(48, 64)] * 15
    assert "width and height" in said[0] and not damage


@pytest.mark.parametrize("opacity", [255, 128, 0])
@pytest.mark.parametrize(("codec", "name", "pix_fmt"), [("apng", "a.apng", "rgba"), ("ffv1", "a.mkv", "yuva420p")])
def test_transparency_is_not_lost_without_a_word(tmp_path, codec, name, pix_fmt, opacity):
    pixels = np.full((HEIGHT, WIDTH, 4), 90, np.uint8)
    pixels[..., 3] = 255
    pixels[20, 30, 3] = opacity
    frames = [av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=pix_fmt)]
    said = read(write(tmp_path / name, codec, frames=frames, pix_fmt=pix_fmt))[2]
    assert any("transparency" in sentence for sentence in said) == (opacity < 255)


TURNS = {
    (0, False, False): lambda p: p,
    (90, False, False): np.rot90,
    (180, False, False): lambda p: np.rot90(p, 2),
    (270, False, False): lambda p: np.rot90(p, 3),
    (0, True, False): np.fliplr,
    (0, False, True): np.flipud,
    (90, True, False): lambda p: np.fliplr(np.rot90(p)),
    (90, False, True): lambda p: np.flipud(np.rot90(p)),
}


@pytest.mark.parametrize("turn", TURNS)
def test_pictures_are_upright_and_not_mirrored(tmp_path, turn):
    degrees, hflip, vflip = turn

    def prepare(output, track):
        track.set_display_rotation(degrees, hflip=hflip, vflip=vflip)

    path = write(tmp_path / "turned.mov", "mpeg4", 2, prepare=prepare)
    with av.open(str(path)) as container:
        stored = next(container.decode(video=0)).to_ndarray()[:HEIGHT]
    assert np.array_equal(read(path)[1][0], TURNS[turn](stored))


def test_an_odd_angle_is_turned_as_ffmpeg_does(tmp_path):
    """FFmpeg rotates within the same picture size, which leaves black corners."""
    path = write(tmp_path / "x.mov", "mpeg4", 2, prepare=lambda output, track: track.set_display_rotation(45))
    luma = read(path)[1][0]
    assert luma.shape == (HEIGHT, WIDTH) and luma[0, 0] == luma[-1, -1] == 16 and luma[HEIGHT // 2, WIDTH // 2] > 30


HIDDEN = {"54bb": 4, "54dd": 10}  # elements of Matroska: rows at the top, columns at the right
TRACKS, RATE_OF_TRACK = bytes.fromhex("1654ae6b"), bytes.fromhex("23e38384")


def enlarge(data, at, by):
    """Add `by` bytes to the size of an EBML element; the size is at position `at`."""
    length = 9 - data[at].bit_length()
    data[at : at + length] = (int.from_bytes(data[at : at + length], "big") + by).to_bytes(length, "big")
    return length


def test_what_the_container_crops_is_cropped(tmp_path):
    """Rows and columns that Matroska marks as cropped are not coded."""
    file = io.BytesIO()
    write(file, "ffv1", 2, format="matroska", options={"live": "1", "write_crc32": "0"})
    data = bytearray(file.getvalue())
    hidden = b"".join(bytes.fromhex(key) + bytes([0x81, count]) for key, count in HIDDEN.items())
    at = data.rindex(TRACKS) + len(TRACKS)
    entry = at + enlarge(data, at, len(hidden)) + 1
    enlarge(data, entry, len(hidden))
    video = data.index(RATE_OF_TRACK, entry) + 9
    inside = video + enlarge(data, video, len(hidden))
    data[inside:inside] = hidden
    (tmp_path / "cropped.mkv").write_bytes(data)
    assert np.array_equal(read(tmp_path / "cropped.mkv")[1][0], texture().to_ndarray()[4:HEIGHT, : WIDTH - 10])


def test_colour_of_the_source_is_kept(tmp_path):
    """Checked are HLG, BT.2020 and the position of chroma samples."""
    path = tmp_path / "hlg.mkv"

    def prepare(output, track):
        context = track.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, 18, 9, 1
        context.options = {"chroma_sample_location": "topleft"}

    write(path, "libx265", 2, pix_fmt="yuv420p10le", prepare=prepare, frames=[texture().reformat(format="yuv420p10le")])
    with VideoSource(str(path)) as source:
        found = source.format
    assert (found.color_primaries, found.color_trc, found.colorspace, found.color_range) == (9, 18, 9, 1)
    assert found.chroma_location == 3


@pytest.mark.parametrize("colorspace", [2, 8, 10, 14])
def test_colour_that_the_scaler_does_not_know_passes_through(tmp_path, colorspace):
    """Only the layout of samples is converted, so the scaler need not know their colour."""
    frame = texture().reformat(format="yuv422p")
    frame.colorspace = colorspace
    path = write(
        tmp_path / "odd.mkv",
        "ffv1",
        frames=[frame],
        pix_fmt="yuv422p",
        prepare=lambda output, track: setattr(track.codec_context, "colorspace", colorspace),
    )
    with VideoSource(str(path)) as source:
        assert source.format.colorspace == colorspace
        assert np.array_equal(next(source.pictures()).planes[0], frame.to_ndarray()[:HEIGHT, :WIDTH])


def test_tags_that_are_not_utf8(tmp_path):
    def prepare(output, track):
        output.metadata["title"] = "café"

    path = write(tmp_path / "old.avi", prepare=prepare, metadata_encoding="latin-1")
    assert b"caf\xe9" in path.read_bytes()
    with open_input(path) as container:
        assert container.metadata["title"] == "café"
    run(path, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.metadata["title"] == "café"


def test_a_name_with_a_colon_is_no_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "tape:1.mkv", count=2)
    assert len(read("tape:1.mkv")[0]) == 2


def test_times_that_do_not_increase_are_said(tmp_path):
    times, _, said, _ = read(film(tmp_path / "bad.mkv", [0, 40, 40, 80]))
    assert times == sorted(set(times)) and len(times) == 4
    assert any("1 pictures do not increase" in sentence for sentence in said)


def test_a_still_picture_and_a_series_of_them(tmp_path):
    for index in range(3):
        write(tmp_path / f"{index}.png", "png", 1, pix_fmt="rgb24", format="image2", options={"update": "1"})
    assert len(read(tmp_path / "0.png")[0]) == 1
    assert read(f"{tmp_path}/%d.png")[0] == pytest.approx([0, 0.04, 0.08])


@pytest.mark.parametrize(("threads", "started"), [(1, 0), (2, min(2, PROCESSORS)), (2**31 - 1, PROCESSORS)])
def test_a_source_is_decoded_by_no_more_threads_than_given(tmp_path, threads, started):
    path = write(tmp_path / "film.mkv", "mpeg4")
    before = len(os.listdir("/proc/self/task"))
    with VideoSource(str(path), threads=threads) as source:
        now = len(os.listdir("/proc/self/task"))
        assert now - before == (started if PROCESSORS > 1 else 0)
        assert len(list(source.pictures())) == RATE
