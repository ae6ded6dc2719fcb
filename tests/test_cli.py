# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The command `gvc`, run as a user runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import clips
import numpy as np
import pytest
from gvc_container.demux import Demuxer
from gvc_container.mux import Muxer
from gvc_container.sink import VideoSink
from gvc_container.source import VideoSource

from gvc.cli.options_page import page
from gvc.options import DECODER_OPTIONS, ENCODER_OPTIONS
from gvc.pictures.samples import to_coded

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT, FRAMES = 96, 64, 20
FAST = ("--preset", "fast", "--gop", "9", "--keyint", "9")


def gvc(*args, code=0, **keywords):
    """Run the command; check its exit code and that no traceback was shown."""
    command = [sys.executable, "-m", "gvc.cli", *map(str, args)]
    keywords.setdefault("text", True)
    done = subprocess.run(command, capture_output=True, check=False, timeout=120, **keywords)
    errors = done.stderr if keywords["text"] else done.stderr.decode()
    assert done.returncode == code, errors
    assert "Traceback" not in errors
    return done


def clip(path, *, frames=FRAMES, size=(WIDTH, HEIGHT), pix_fmt="yuv420p", codec="ffv1", audio=False, rotation=0):
    """Write a film of a moving bar, with uneven timestamps."""
    width, height = size
    with av.open(str(path), "w") as output:
        track = output.add_stream(codec, rate=25, width=width, height=height, pix_fmt=pix_fmt)
        track.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            track.set_display_rotation(rotation)
        if audio:
            sound = output.add_stream("aac", rate=48000)
            samples = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            samples.sample_rate, samples.pts = 48000, 0
            output.mux([*sound.encode(samples), *sound.encode(None)])
        for index in range(frames):
            rgb = np.full((height, width, 3), (40, 90, 120), np.uint8)
            rgb[:, 4 * index % width :][:, :10] = (230, 210, 60)
            rgb[: height // 4] //= 2
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = 40 * index + index % 3, Fraction(1, 1000)
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def frames(path):
    """[(milliseconds, pixels)] of a file that stock PyAV decodes."""
    with av.open(str(path)) as container:
        return [(round(1000 * f.time), f.to_ndarray(format="yuv420p")) for f in container.decode(video=0)]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("cli") / "source.mkv", audio=True)


@pytest.fixture(scope="module")
def coded(source):
    path = source.with_name("coded.mkv")
    done = gvc("encode", source, path, *FAST, "--verify")
    assert "verified" in done.stderr and f"{FRAMES} frames" in done.stderr
    assert done.stdout == ""
    return path


@pytest.fixture
def films(source, coded):
    return {"source": source, "coded": coded}


def test_help_needs_nothing_heavy():
    script = "import sys; from gvc.cli.app import app; print({'av', 'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("start", "needless"),
    [
        ("sys.argv = ['gvc', 'mpv', 'film.mkv']; gvc.cli.main()", {"typer", "numpy", "av"}),
        ("import gvc.engine.session, gvc.ahead, gvc.priors.gp", {"typer", "cffi", "gvc.encoder", "importlib.metadata"}),
        ("import gvc.cli.decode", {"typer", "gvc.encoder", "gvc_container.mux", "importlib.metadata"}),
    ],
    ids=["player", "engine", "decode"],
)
def test_what_shows_pictures_starts_without(start, needless, tmp_path):
    script = f"import atexit, sys, gvc.cli; atexit.register(lambda: print({needless} & set(sys.modules))); {start}"
    environment = {**os.environ, "PATH": str(tmp_path)}  # Where no player is
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.parametrize(("command", "table"), [("encode", ENCODER_OPTIONS), ("decode", DECODER_OPTIONS)])
def test_help_has_every_option_of_the_table(command, table):
    text = gvc(command, "--help", env={**os.environ, "COLUMNS": "200"}).stdout
    for option in table:
        assert f"--{option.name} " in text
        assert option.help.split(";")[0] in text
    assert "Examples" in text


def test_version():
    text = gvc("--version").stdout
    assert "bitstream 1" in text and f"av {av.__version__}" in text


def test_options_page_is_current():
    assert (ROOT / "docs" / "OPTIONS.md").read_text() == page(), "run python -m gvc.cli.options_page > docs/OPTIONS.md"


def test_round_trip(source, coded, tmp_path):
    gvc("decode", coded, tmp_path / "back.mkv")
    before, after = frames(source), frames(tmp_path / "back.mkv")
    assert [t for t, _ in after] == [t for t, _ in before]
    for (_, a), (_, b) in zip(before, after, strict=True):
        assert np.abs(a.astype(int) - b).mean() < 20
    with av.open(str(tmp_path / "back.mkv")) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        assert sum(packet.size for packet in container.demux(audio=0)) > 0


def test_rates_have_suffixes(source, tmp_path):
    arguments = ("-b", "200k", "--maxrate", "0.3M", "--bufsize", "400k")
    gvc("encode", source, tmp_path / "out.mkv", *FAST, *arguments)
    with Demuxer(tmp_path / "out.mkv") as demuxer:
        assert sum(1 for _ in demuxer.packets()) == FRAMES


def test_rate_that_is_said_is_that_of_the_video(source, tmp_path):
    """encode, info and compare all print the rate of the video alone, without the payload of other tracks."""
    path = tmp_path / "out.mkv"
    said = gvc("encode", source, path, *FAST).stderr
    found = json.loads(gvc("info", "--json", path).stdout)
    compared = json.loads(gvc("compare", path, path, "--metrics", "psnr_y", "--json").stdout)["files"][0]
    assert found["bytes"]["other_tracks"] > 0
    bits = 8 * (found["file_bytes"] - found["bytes"]["other_tracks"])
    assert (found["kbps"], found["bpp"]) == pytest.approx(
        (bits / found["duration"] / 1000, bits / WIDTH / HEIGHT / FRAMES)
    )
    assert f"{path.stat().st_size} bytes, {found['kbps']:.1f} kb/s, {found['bpp']:.4f} bpp" in said
    assert (compared["kbps"], compared["bpp"]) == pytest.approx((found["kbps"], found["bpp"]))


def test_no_audio(source, tmp_path):
    gvc("encode", source, tmp_path / "mute.mkv", *FAST, "--no-audio")
    with av.open(str(tmp_path / "mute.mkv")) as container:
        assert not container.streams.audio


def test_y4m_on_stdout_is_the_same_video(coded, tmp_path):
    gvc("decode", coded, tmp_path / "back.mkv", "-q")
    data = gvc("decode", coded, "-", "-q", text=False).stdout
    assert data.startswith(b"YUV4MPEG2 W96 H64 F25:1")
    (tmp_path / "back.y4m").write_bytes(data)
    pairs = zip(frames(tmp_path / "back.mkv"), frames(tmp_path / "back.y4m"), strict=True)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in pairs)


def test_y4m_of_pixels_that_are_not_square(source, tmp_path):
    with (
        VideoSource(str(source)) as video,
        VideoSink(tmp_path / "wide.y4m", replace(video.format, sample_aspect_ratio=Fraction(4, 3))) as sink,
    ):
        for picture in video.pictures():
            sink.write(picture)
    pairs = zip(frames(source), frames(tmp_path / "wide.y4m"), strict=True)
    assert all(np.array_equal(a, b) for (_, a), (_, b) in pairs)


def test_auto_says_what_it_is_and_stays_with_it(source, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    said = {}
    for name in ("a.mkv", "b.mkv"):
        said[name] = gvc("encode", source, tmp_path / name, "--prior", "auto", *FAST).stderr.splitlines()[0]
        prior = json.loads(gvc("info", "--json", tmp_path / name).stdout)["sequence"]["prior"].partition("/")[0]
        assert said[name].startswith(f"prior {prior}: ") and f"{tmp_path}/gvc/speed" in said[name]
    assert said["a.mkv"] == said["b.mkv"]
    known = gvc("doctor").stdout.partition("prior auto")[2]
    assert "128x128" in known and f"{tmp_path}/gvc/speed" in known


def test_encode_from_stdin(source, coded, tmp_path):
    with source.open("rb") as file:
        gvc("encode", "-", tmp_path / "piped.mkv", *FAST, stdin=file)
    with Demuxer(coded) as a, Demuxer(tmp_path / "piped.mkv") as b:
        assert [p.data for p in a.packets()] == [p.data for p in b.packets()]


def test_mp4_for_players(coded, tmp_path):
    gvc("decode", coded, tmp_path / "back.mp4")
    with av.open(str(tmp_path / "back.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert len(container.streams.audio) == 1
        assert sum(1 for _ in container.decode(video=0)) == FRAMES


@pytest.mark.parametrize("size", [(95, 63), (64, 33)])
def test_odd_sizes(tmp_path, size):
    path = clip(tmp_path / "odd.mkv", frames=5, size=size)
    gvc("encode", path, tmp_path / "coded.mkv", *FAST, "--verify")
    gvc("decode", tmp_path / "coded.mkv", tmp_path / "back.mkv")
    with av.open(str(tmp_path / "back.mkv")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == size
    assert "needs an even width" in gvc("decode", tmp_path / "coded.mkv", tmp_path / "back.mp4", code=2).stderr


def test_existing_files_are_safe(source, tmp_path):
    target = tmp_path / "out.mkv"
    target.write_text("precious")
    assert "use -y" in gvc("encode", source, target, code=2).stderr
    assert target.read_text() == "precious"
    gvc("encode", source, target, *FAST, "-y", "-q")
    assert target.stat().st_size > 100


def test_failure_leaves_nothing_behind(source, tmp_path):
    broken = tmp_path / "broken.mkv"
    broken.write_bytes(source.read_bytes()[:400])
    gvc("encode", broken, tmp_path / "out.mkv", code=3)
    assert "floor" in gvc("encode", source, tmp_path / "out.mkv", "-b", "100", code=1).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mkv"]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["encode", "nothing.mkv", "out.mkv"], 3, "No such file"),
        (["encode", "{source}", "out.webm"], 3, "cannot hold GVC"),
        (["encode", "{source}", "nowhere/out.mkv"], 1, "no such folder"),
        (["encode", "{source}", "out.mkv", "--prior", "magic"], 4, "magic"),
        (["encode", "{source}", "out.mkv", "--mode", "x2v"], 2, "t2v, i2v"),
        (["encode", "{source}", "out.mkv", "--bitrate", "much"], 2, "80k"),
        (["encode", "{source}", "out.mkv", "--maxrate", "80kk"], 2, "80k"),
        (["encode", "{source}", "out.mkv", "--gop", "33.9"], 2, "whole number"),
        (["encode", "{source}"], 2, "OUT"),
        (["decode", "{source}", "out.mkv"], 3, "holds no GVC video"),
        (["decode", "{coded}", "out.xyz"], 2, "no known output format"),
        (["info", "{source}"], 3, "holds no GVC video"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_errors_are_sentences_with_exit_codes(films, tmp_path, args, code, said):
    words = [word.format(**films) for word in args]
    assert said in gvc(*words, code=code, cwd=tmp_path).stderr
    assert list(tmp_path.iterdir()) == []


def test_verbose_shows_where(tmp_path):
    command = [sys.executable, "-m", "gvc.cli", "info", "-v", tmp_path / "nothing.mkv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "Traceback" in done.stderr


def test_damaged_file_is_decoded_as_far_as_it_goes(coded, tmp_path):
    data = bytearray(coded.read_bytes())
    with Demuxer(coded) as source:
        *_, last = (packet for packet in source.packets() if packet.key)
    position = data.rfind(last.data)
    data[position + 30 : position + 40] = bytes(10)
    (tmp_path / "damaged.mkv").write_bytes(data)
    done = gvc("decode", tmp_path / "damaged.mkv", tmp_path / "back.mkv", code=3)
    assert "warning" in done.stderr and "damaged" in done.stderr
    assert len(frames(tmp_path / "back.mkv")) >= 9
    assert "1 packets are damaged" in gvc("info", tmp_path / "damaged.mkv").stdout


def test_a_film_whose_only_keyframe_is_damaged_is_decoded(coded, tmp_path):
    """The container has the sequence header, too."""
    with Demuxer(coded) as source, Muxer(tmp_path / "damaged.mkv", source.header, source.format) as output:
        packets = [*source.packets()][:9]
        assert [packet.key for packet in packets] == [True, *8 * [False]]
        data = bytearray(packets[0].data)
        data[30:40] = bytes(10)
        for packet in (replace(packets[0], data=bytes(data)), *packets[1:]):
            output.write(packet)
    done = gvc("decode", tmp_path / "damaged.mkv", tmp_path / "back.mkv", code=3)
    assert "damaged" in done.stderr and len(frames(tmp_path / "back.mkv")) == 9


def test_frames_that_stand_in_for_missing_ones_are_counted(coded, tmp_path):
    gap = tmp_path / "gap.mkv"
    with Demuxer(coded) as source, Muxer(gap, source.header, source.format) as output:
        first, *packets = source.packets()
        lost = next(packet for packet in packets if len(packet.data) > 1)
        for packet in (first, *packets):
            if packet is not lost:
                output.write(packet)
    done = gvc("decode", gap, tmp_path / "back.mkv", code=3)
    assert "missing or damaged" in done.stderr and "(1 errors)" in done.stderr
    assert len(frames(tmp_path / "back.mkv")) == 1 + len(packets)


@pytest.mark.parametrize("extension", ["mkv", "nut"])
def test_a_file_that_was_cut_off_is_decoded_and_said(coded, tmp_path, extension):
    whole, cut = tmp_path / f"whole.{extension}", tmp_path / f"cut.{extension}"
    with Demuxer(coded) as source, Muxer(whole, source.header, source.format) as output:
        for packet in source.packets():
            output.write(packet)
    cut.write_bytes(whole.read_bytes()[:-300])
    assert "warning" not in gvc("decode", whole, tmp_path / "back.mkv").stderr
    done = gvc("decode", "-y", cut, tmp_path / "back.mkv", code=3)
    assert "warning" in done.stderr and "damaged" in done.stderr and frames(tmp_path / "back.mkv")
    assert "warning" in gvc("info", cut).stderr


def test_a_file_joined_of_different_sizes_is_decoded_up_to_there(tmp_path):
    clips_of_both = [clips.moving_clip(5), clips.moving_clip(5, 48, 24)]
    (header, *_), _ = streams = [clips.encode(clip, gop=5, preset="fast") for clip in clips_of_both]
    with Muxer(tmp_path / "joined.mkv", header, clips.video_format(clips_of_both[0])) as muxer:
        for index, packet in enumerate(packet for _, packets, _ in streams for packet in packets):
            packet.pts = index
            muxer.write(packet)
    said = gvc("decode", tmp_path / "joined.mkv", tmp_path / "back.mkv", code=3).stderr
    assert "64x48" in said and "48x24" in said
    assert len(frames(tmp_path / "back.mkv")) == 5


def test_info(coded):
    text = gvc("info", coded).stdout
    for word in ("96x64", f"{FRAMES} frames", "gp/4", "boundary stills", "bpp"):
        assert word in text


def test_info_json(coded):
    found = json.loads(gvc("info", "--json", coded).stdout)
    assert found["schema"] == 1 and found["frames"] == FRAMES and found["keyframes"] >= 2
    assert found["file_bytes"] == coded.stat().st_size == sum(found["bytes"].values())


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM"), (signal.SIGHUP, 129, "SIGHUP")],
)
def test_interrupt(tmp_path, number, code, said):
    process = encoding(tmp_path, number)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code and said in errors and "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["long.mkv"]


def test_impatient_interrupts(tmp_path):
    process = encoding(tmp_path, signal.SIGINT)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
    errors = process.communicate()[1]
    assert process.returncode in (130, -signal.SIGINT) and "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["long.mkv"]


def encoding(folder, number):
    """Start a process that encodes into a file and reacts to the signal with this number."""
    path = clip(folder / "long.mkv", frames=300, size=(320, 240), codec="mpeg4")
    command = [sys.executable, "-m", "gvc.cli", "encode", path, folder / "out.mkv"]
    # In the background of a shell script interrupts are ignored, and children inherit that.
    heeding = {"preexec_fn": lambda: signal.signal(number, signal.SIG_DFL)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **heeding)
    while process.poll() is None and not list(folder.glob(".out*")):
        pass  # Wait until it has begun to write.
    return process


def test_programs_get_arguments_and_give_their_exit_code(coded):
    if not shutil.which("ffprobe"):
        pytest.skip("ffprobe is not installed (apt-get install ffmpeg)")
    found = gvc("ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", coded).stdout
    assert found.split()[0].startswith("gvc")
    assert "usage" in gvc("ffprobe", "-h").stdout.lower()
    gvc("ffprobe", "-v", "error", "nothing.mkv", code=1)


def test_missing_program_is_told(tmp_path):
    assert "apt-get" in gvc("mpv", "x", code=1, env={**os.environ, "PATH": str(tmp_path)}).stderr


def test_doctor():
    if not shutil.which("ffmpeg"):
        assert "apt-get install ffmpeg" in gvc("doctor", code=1).stdout
    text = gvc("doctor").stdout
    assert "takes the plugin" in text and "starts and codes a picture" in text


def test_doctor_says_what_is_missing(tmp_path):
    text = gvc("doctor", code=1, env={**os.environ, "PATH": str(tmp_path)}).stdout
    assert "missing" in text and "apt-get install ffmpeg" in text


@pytest.mark.parametrize(
    ("pix_fmt", "taken"),
    [
        ("yuv420p", "yuv420p"),
        ("yuv422p", "yuv444p"),
        ("yuv444p", "yuv444p"),
        ("yuv420p10le", "yuv420p10le"),
        ("yuv444p16le", "yuv444p10le"),
        ("bgr0", "gbrp"),
        ("gbrp12le", "gbrp10le"),
        ("gray", "yuv420p"),
    ],
)
def test_sources_are_taken_in_the_format_that_loses_least(tmp_path, pix_fmt, taken):
    clip(tmp_path / "reference.mkv", frames=3)
    clip(tmp_path / "other.mkv", frames=3, pix_fmt=pix_fmt)
    with VideoSource(str(tmp_path / "reference.mkv")) as a, VideoSource(str(tmp_path / "other.mkv")) as b:
        assert b.format.samples.pix_fmt == taken
        for first, second in zip(a.pictures(), b.pictures(), strict=True):
            assert first.pts == second.pts
            # RGB is coded in full range; this clip's colours are all well inside that range.
            luma = to_coded(second.planes, b.format)[0].astype(float)
            luma = 16 + luma * 219 / 255 if b.format.samples.rgb else luma
            assert np.abs(first.planes[0] - luma).mean() < 3
            assert [plane.shape for plane in second.planes] == list(b.format.plane_shapes)


@pytest.mark.parametrize(
    ("pix_fmt", "name", "stored"),
    [
        ("yuv444p10le", "out.mkv", "yuv444p10le"),
        ("bgr0", "out.mkv", "bgr0"),
        ("gbrp10le", "out.mp4", "yuv444p10le"),
        ("yuv420p10le", "out.y4m", "yuv420p10le"),
    ],
)
def test_formats_come_back(tmp_path, pix_fmt, name, stored):
    clip(tmp_path / "in.mkv", frames=3, pix_fmt=pix_fmt)
    gvc("encode", tmp_path / "in.mkv", tmp_path / "coded.mkv", *FAST, "--quality", 60, "--verify")
    gvc("decode", tmp_path / "coded.mkv", tmp_path / name)
    found = []
    for path in (tmp_path / "in.mkv", tmp_path / name):
        with av.open(str(path)) as film:
            found.append((film.streams.video[0].pix_fmt, next(film.decode(video=0)).to_ndarray(format="rgb24")))
    assert [pix_fmt for pix_fmt, _ in found] == [pix_fmt, stored]
    assert np.abs(found[0][1].astype(int) - found[1][1]).mean() < 12


def test_full_range_stays_full_range(tmp_path):
    clip(tmp_path / "full.mkv", frames=1, pix_fmt="yuvj444p", codec="mjpeg")
    with av.open(str(tmp_path / "full.mkv")) as container:
        luma = next(container.decode(video=0)).to_ndarray()[0].astype(int)
    with VideoSource(str(tmp_path / "full.mkv")) as video:
        assert video.format.color_range == 2
        assert np.abs(next(video.pictures()).planes[0] - luma).mean() < 1


def test_rotated_video_is_turned_upright(tmp_path):
    """Phones write such files, and FFmpeg and players show them upright."""
    clip(tmp_path / "turned.mp4", frames=2, codec="libx264", rotation=90)
    with av.open(str(tmp_path / "turned.mp4")) as container:
        stored = next(container.decode(video=0))
    with VideoSource(str(tmp_path / "turned.mp4")) as video:
        assert (video.format.width, video.format.height) == (HEIGHT, WIDTH)
        upright = np.rot90(stored.to_ndarray()[:HEIGHT], 1 if stored.rotation == 90 else -1)
        assert np.array_equal(next(video.pictures()).planes[0], upright)
