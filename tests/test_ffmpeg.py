# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The codec in FFmpeg's programs by each route: the plugin in the machine's own, and FFmpegs with GVC inside."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from programs import ENCODE, FRAMES, HEIGHT, RATE, TICKS, WIDTH, hashes_in, source
from test_libgvc import children_of

from gvc import options


@pytest.fixture(scope="module")
def movie(programs, tmp_path_factory):
    path = tmp_path_factory.mktemp("ffmpeg") / "movie.mkv"
    programs.ffmpeg(*source(), *ENCODE, path)
    return path


@pytest.fixture(scope="module")
def movie_hashes(programs, movie):
    return programs.hashes(movie)


def test_help_lists_the_options_of_the_table(programs):
    text = "".join(programs.run("ffmpeg", "-h", f"{role}=gvc").stdout for role in ("encoder", "decoder"))
    names = {option.name for option in (*options.ENCODER_OPTIONS, *options.DECODER_OPTIONS)}
    of_ffmpeg = {"bitrate", "maxrate", "bufsize", "keyint", "keyint_min", "threads"}
    for name in names - of_ffmpeg | {"gvc-params"}:
        assert f"  -{name} " in text


def test_one_packet_a_frame(programs, movie):
    found = programs.packets(movie)
    assert [int(p["pts"]) for p in found] == [i * TICKS for i in range(FRAMES)]
    assert all(p["dts"] == p["pts"] and int(p["duration"]) == TICKS for p in found)
    # The first packet of a GOP has all of its data; the others are a single byte, "show the next frame".
    gops = [i for i, p in enumerate(found) if int(p["size"]) > 1]
    assert gops[0] == 0
    assert max(later - gop for gop, later in zip(gops, [*gops[1:], FRAMES], strict=True)) <= 9
    assert {i for i, p in enumerate(found) if "K" in p["flags"]} <= set(gops)


def test_keyframes_as_asked(programs, movie):
    keys = [i for i, p in enumerate(programs.packets(movie)) if "K" in p["flags"]]
    assert keys[0] == 0
    assert len(keys) > 1
    assert all(later - key <= 18 for key, later in zip(keys, [*keys[1:], FRAMES], strict=True))


def test_keyframe_can_be_forced(programs, tmp_path):
    programs.ffmpeg(*source(frames=12), *ENCODE, "-force_key_frames", "0.2", tmp_path / "forced.mkv")
    keys = [int(p["pts"]) for p in programs.packets(tmp_path / "forced.mkv") if "K" in p["flags"]]
    assert keys == [0, 200]


def test_file_is_described(programs, movie):
    stream = programs.probe(movie, "-show_streams", "-show_format")["streams"][0]
    assert (stream["codec_name"], stream["codec_tag_string"], stream["pix_fmt"]) == ("gvc", "GVC1", "yuv420p")
    assert (stream["width"], stream["height"], stream["avg_frame_rate"]) == (WIDTH, HEIGHT, f"{RATE}/1")
    assert movie.read_bytes().count(b"V_MS/VFW/FOURCC") == 1


def test_probing_starts_no_engine(programs, movie):
    found = programs.probe(movie, "-show_streams", "-show_packets", variables={"GVC_PYTHON": "/nonexistent"})
    stream = found["streams"][0]
    assert (stream["codec_name"], stream["width"]) == ("gvc", WIDTH)


def test_decoded_frames(programs, movie):
    frames = programs.probe(movie, "-show_frames")["frames"]
    keys = ["K" in p["flags"] for p in programs.packets(movie)]
    assert [int(f["pts"]) for f in frames] == [i * TICKS for i in range(FRAMES)]
    assert [bool(f["key_frame"]) for f in frames] == keys
    assert [f["pict_type"] == "I" for f in frames] == keys


def test_decoded_pictures_resemble_the_source(programs, movie):
    command = ["ffmpeg", "-v", "error", "-i", str(movie), "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    reference = ["ffmpeg", "-v", "error", *source(), "-f", "rawvideo", "-"]
    decoded, original = (
        np.frombuffer(subprocess.run(c, env=programs.environment, capture_output=True, check=True).stdout, np.uint8)
        for c in (command, reference)
    )
    assert decoded.size == original.size == FRAMES * WIDTH * HEIGHT * 3 // 2
    error = np.abs(decoded.astype(np.int16) - original).mean()
    unrelated = np.abs(np.roll(original, WIDTH * HEIGHT * 6).astype(np.int16) - original).mean()
    assert error < unrelated


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("yuv444p", "yuv444p"),
        ("yuv420p10le", "yuv420p10le"),
        ("yuv444p10le", "yuv444p10le"),
        ("gbrp", "gbrp"),
        ("rgb24", "gbrp"),
        ("gbrp10le", "gbrp10le"),
        ("yuv422p", "yuv444p"),  # FFmpeg selects the nearest format without loss.
    ],
)
def test_pixel_formats_come_back(programs, tmp_path, asked, given):
    path = tmp_path / "pixels.mkv"
    programs.ffmpeg(*source("50x38", frames=3), *ENCODE, "-quality", "60", "-pix_fmt", asked, path)
    assert programs.probe(path, "-show_streams")["streams"][0]["pix_fmt"] == given
    frames = programs.probe(path, "-show_frames")["frames"]
    assert [frame["pix_fmt"] for frame in frames] == [given] * 3
    pictures = [
        programs.run("ffmpeg", "-v", "error", *i, "-pix_fmt", "rgb24", "-f", "rawvideo", "-", text=False).stdout
        for i in (("-i", path), source("50x38", frames=3))
    ]
    decoded, original = (np.frombuffer(picture, np.uint8).astype(int) for picture in pictures)
    assert np.abs(decoded - original).mean() < 25


def test_full_range_stays_full_range(programs, tmp_path):
    """The source is like JPEG; older FFmpegs express its range by a pixel format."""
    path = tmp_path / "full.mkv"
    programs.ffmpeg(*source(frames=2), "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", tmp_path / "source.avi")
    programs.ffmpeg("-i", tmp_path / "source.avi", *ENCODE, path)
    assert [frame["color_range"] for frame in programs.probe(path, "-show_frames")["frames"]] == ["pc", "pc"]


def test_the_sequence_header_is_there_whatever_the_flag_says(programs, tmp_path):
    """The sequence header is in the extradata, and in each keyframe for programs that cannot read extradata."""
    files = []
    for switch in ("+global_header", "-global_header"):
        files.append(tmp_path / f"{switch}.nut")
        programs.ffmpeg(*source(frames=12), *ENCODE, "-flags", switch, files[-1])
        assert programs.probe(files[-1], "-show_streams")["streams"][0]["extradata_size"] > 30
    assert programs.hashes(files[0], "-c", "copy") == programs.hashes(files[1], "-c", "copy")


def test_pictures_before_a_cut_are_decoded_and_not_shown(programs, movie, movie_hashes, tmp_path):
    """A part cut from a .mov begins at a keyframe, and its edit list gives the first picture to show."""
    cut = tmp_path / "cut.mov"
    programs.ffmpeg("-ss", "0.2", "-i", movie, "-c", "copy", cut)
    assert programs.hashes(cut) == movie_hashes[5:]
    assert programs.hashes(cut, before_input=("-flags", "low_delay")) == movie_hashes[5:]


def test_what_is_told_of_frames_does_not_depend_on_decoding_ahead(programs, movie):
    def told(*options: str) -> list[dict]:
        frames = programs.probe(movie, "-show_frames", *options)["frames"]
        of_packet = ("pkt_pos", "pkt_size")  # fields that the plugin cannot set
        return [{k: v for k, v in f.items() if programs.prefix or k not in of_packet} for f in frames]

    assert told() == told("-flags", "low_delay")


@pytest.mark.parametrize("gop", [1, -1])
def test_damage_costs_its_gops_only(programs, movie, movie_hashes, tmp_path, gop):
    contents, found = bytearray(movie.read_bytes()), programs.packets(movie)
    victim = [p for p in found if int(p["size"]) > 1][gop]
    middle = int(victim["pos"]) + int(victim["size"]) // 2
    contents[middle : middle + 8] = bytes(255 - b for b in contents[middle : middle + 8])
    damaged = tmp_path / "damaged.mkv"
    damaged.write_bytes(contents)
    done = programs.ffmpeg("-i", damaged, "-fps_mode", "passthrough", "-f", "framemd5", "-", check=False)
    assert hashes_in(done.stdout)[: found.index(victim)] == movie_hashes[: found.index(victim)]
    assert "invalid GVC data" in done.stderr


def test_an_engine_that_does_not_start_is_told_and_ends_the_program(programs, movie):
    variables = {"GVC_PYTHON": "/nonexistent"}
    done = programs.ffmpeg("-i", movie, "-f", "null", "-", variables=variables, check=False)
    assert "/nonexistent" in done.stderr


@pytest.fixture(scope="module")
def film(programs, tmp_path_factory):
    """A film with many keyframes, longer than the part that is decoded ahead."""
    path = tmp_path_factory.mktemp("ffmpeg") / "film.mkv"
    programs.ffmpeg(*source("48x32", frames=120), "-c:v", "gvc", "-preset", "fast", "-gop", "9", "-g", "9", path)
    return path


@contextlib.contextmanager
def decoding(programs, film, target):
    """Start decoding a film to a framemd5 file in real time; return the ffmpeg and its engine after some frames."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-progress", "pipe:1", "-stats_period", "0.1", "-re", "-i", film]
    command += ["-fps_mode", "passthrough", "-f", "framemd5", target]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=programs.environment, text=True, **pipes) as process:
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            if name == "frame" and int(value) > 0:
                break
        (engine,) = children_of(process.pid)
        yield process, engine


def test_a_dead_engine_costs_the_frames_up_to_the_next_keyframe(programs, film, tmp_path):
    with decoding(programs, film, tmp_path / "frames") as (process, engine):
        os.kill(engine, signal.SIGKILL)
        said = process.communicate(timeout=60)[1]
    whole, found = programs.hashes(film), hashes_in((tmp_path / "frames").read_text())
    assert process.returncode == 0
    assert len(whole) / 2 < len(found) < len(whole)
    assert found[-20:] == whole[-20:]
    assert said.count("ended unexpectedly (signal 9") == 1, said
    assert "external library" in said  # FFmpeg's own words for such an error
    assert said.count("\n") < 10, said


def test_an_interrupted_program_ends_although_its_engine_is_stopped(programs, film, tmp_path):
    with decoding(programs, film, tmp_path / "frames") as (process, engine):
        os.kill(engine, signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode != 0
        assert not Path(f"/proc/{engine}").exists()


@pytest.mark.parametrize(
    "option, value, hint",
    [
        ("-preset", "hasty", "fast, medium, slow"),
        ("-mode", "x2v", "t2v, i2v, flf2v"),
        ("-quality", "200", "[0 - 100]"),
        ("-gop", "-1", "[0 - 129]"),
        ("-gvc-params", "speed=3", "scenecut"),
        ("-gvc-params", "fast", "key=value"),
    ],
)
def test_wrong_values_name_the_valid_ones(programs, tmp_path, option, value, hint):
    done = programs.ffmpeg(*source(frames=1), "-c:v", "gvc", option, value, tmp_path / "wrong.mkv", check=False)
    assert done.returncode != 0
    assert hint in done.stderr


def test_standard_switches_reach_the_encoder(programs, tmp_path):
    def size(*switches: str) -> int:
        path = tmp_path / "switched.mkv"
        programs.ffmpeg("-y", *source(), *ENCODE, *switches, path)
        return path.stat().st_size

    usual = size()
    assert size("-crf", "20") > usual > size("-crf", "60")
    assert size("-maxrate", "12k", "-bufsize", "1k") < 0.8 * usual
    assert size("-b:v", "30k") == pytest.approx(30_000 / 8 * FRAMES / RATE, rel=0.1)
    assert size("-threads", "4") == usual


def test_scene_cuts_and_what_keeps_them_apart(programs, tmp_path):
    """The source has moving shapes, then a single flat colour."""
    patterns = [f"{name}=size={WIDTH}x{HEIGHT}:rate={RATE}:duration=0.4" for name in ("testsrc2", "color")]
    graph = f"{patterns[0]}[a];{patterns[1]}[b];[a][b]concat,format=yuv420p"
    keys = {}
    for switches in ((), ("-sc_threshold", "0"), ("-keyint_min", "11"), ("-keyint_min", "10")):
        path = tmp_path / "scenes.mkv"
        programs.ffmpeg("-y", "-filter_complex", graph, "-c:v", "gvc", "-preset", "fast", *switches, path)
        keys[switches] = [i for i, p in enumerate(programs.packets(path)) if "K" in p["flags"]]
    assert list(keys.values()) == [[0, 10], [0], [0], [0, 10]]


def test_gvc_params_win_over_other_options(programs, tmp_path):
    programs.ffmpeg(*source(frames=12), *ENCODE, "-gvc-params", "gop=5:keyint=5", tmp_path / "params.mkv")
    assert [i for i, p in enumerate(programs.packets(tmp_path / "params.mkv")) if "K" in p["flags"]] == [0, 5, 10]


def test_wrong_decoder_option_is_told(programs, movie):
    done = programs.ffmpeg("-gvc-params", "realism=7", "-i", movie, "-f", "null", "-", check=False)
    assert "realism" in done.stderr
    assert "0 to 1" in done.stderr


def test_interrupt_leaves_a_playable_file(programs, tmp_path):
    path = tmp_path / "interrupted.mkv"
    endless = ["-re", "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}"]
    quiet = ("-nostdin", "-v", "error", "-progress", "pipe:1")
    command = ["ffmpeg", *quiet, *endless, *ENCODE, "-pix_fmt", "yuv420p", path]
    with subprocess.Popen(command, env=programs.environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            if name == "out_time_us" and value.isdigit() and int(value) > 0:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert len(programs.hashes(path)) == len(programs.packets(path)) > 9
