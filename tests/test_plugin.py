"""The codec in an unmodified ffmpeg, by preloading the plugin: each test runs real programs on real files."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gvc import options, plugin

WIDTH, HEIGHT, FRAMES, RATE = 96, 64, 36, 25
TICKS = 1000 // RATE  # milliseconds a frame, Matroska's unit
ENCODE = ("-c:v", "gvc", "-gop", "9", "-g", "18", "-preset", "fast")
ROOT = Path(__file__).resolve().parent.parent


def require(*programs):
    """Skip where a program is not installed or is no FFmpeg that the plugin knows."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (apt-get install ffmpeg)")
        report = run(program, "-version", variables={"GVC_DEBUG": "1"}).stderr
        if "serves gvc" not in report:
            pytest.skip(f"{program} here is no FFmpeg that the plugin knows: {report.strip() or 'statically linked'}")


def run(program, *args, variables=None, check=True):
    environment = {**plugin.environment(), **(variables or {})}
    command = [program, *map(str, args)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done


def ffmpeg(*args, **keywords):
    return run("ffmpeg", "-nostdin", "-hide_banner", "-v", "warning", "-y", *args, **keywords)


def probe(path, *args, **keywords):
    return json.loads(run("ffprobe", "-v", "error", "-of", "json", *args, path, **keywords).stdout)


def packets(path):
    return probe(path, "-show_packets", "-select_streams", "v")["packets"]


def frame_hashes(path, *before_input):
    """MD5 of each decoded frame."""
    text = ffmpeg(*before_input, "-i", path, "-fps_mode", "passthrough", "-f", "framemd5", "-").stdout
    return [line.split(",")[-1].strip() for line in text.splitlines() if not line.startswith("#")]


def source(size=f"{WIDTH}x{HEIGHT}", frames=FRAMES):
    """Arguments for an input of moving shapes; the generator itself makes even sizes only."""
    graph = f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE},scale={size.replace('x', ':')}"
    return "-f", "lavfi", "-i", graph, "-frames:v", str(frames), "-pix_fmt", "yuv420p"


@pytest.fixture(scope="module", autouse=True)
def programs():
    require("ffmpeg", "ffprobe")


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "movie.mkv"
    ffmpeg(*source(), *ENCODE, path)
    return path


@pytest.fixture(scope="module")
def movie_hashes(movie):
    return frame_hashes(movie)


def test_help_lists_the_options_of_the_table():
    text = run("ffmpeg", "-hide_banner", "-h", "encoder=gvc").stdout + run("ffmpeg", "-h", "decoder=gvc").stdout
    names = {option.name for option in (*options.ENCODER_OPTIONS, *options.DECODER_OPTIONS)}
    for name in names - {"bitrate", "keyint"} | {"gvc-params"}:
        assert f"  -{name} " in text


def test_generated_options_are_current():
    path = ROOT / "ffmpeg_bridge" / "libavcodec" / "libgvc_options.h"
    assert path.read_text() == options.c_table(), f"run: python -m gvc.options > {path.relative_to(ROOT)}"


def test_one_packet_a_frame(movie):
    found = packets(movie)
    assert [int(p["pts"]) for p in found] == [i * TICKS for i in range(FRAMES)]
    assert all(p["dts"] == p["pts"] and int(p["duration"]) == TICKS for p in found)
    # Only the first packet of a GOP has contents; the others say "show the next frame" in a byte.
    gops = [i for i, p in enumerate(found) if int(p["size"]) > 1]
    assert gops[0] == 0
    assert max(later - gop for gop, later in zip(gops, [*gops[1:], FRAMES], strict=True)) <= 9
    assert {i for i, p in enumerate(found) if "K" in p["flags"]} <= set(gops)


def test_keyframes_as_asked(movie):
    keys = [i for i, p in enumerate(packets(movie)) if "K" in p["flags"]]
    assert keys[0] == 0
    assert len(keys) > 1
    assert all(later - key <= 18 for key, later in zip(keys, [*keys[1:], FRAMES], strict=True))


def test_keyframe_can_be_forced(tmp_path):
    ffmpeg(*source(frames=12), *ENCODE, "-force_key_frames", "0.2", tmp_path / "forced.mkv")
    keys = [int(p["pts"]) for p in packets(tmp_path / "forced.mkv") if "K" in p["flags"]]
    assert keys == [0, 200]


def test_file_is_described(movie):
    stream = probe(movie, "-show_streams", "-show_format")["streams"][0]
    assert (stream["codec_name"], stream["codec_tag_string"], stream["pix_fmt"]) == ("gvc", "GVC1", "yuv420p")
    assert (stream["width"], stream["height"], stream["avg_frame_rate"]) == (WIDTH, HEIGHT, f"{RATE}/1")
    assert movie.read_bytes().count(b"V_MS/VFW/FOURCC") == 1


def test_probing_starts_no_engine(movie):
    stream = probe(movie, "-show_streams", "-show_packets", variables={"GVC_PYTHON": "/nonexistent"})["streams"][0]
    assert (stream["codec_name"], stream["width"]) == ("gvc", WIDTH)


def test_colour_and_aspect_survive(tmp_path):
    path = tmp_path / "colour.mkv"
    colour = ("-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    ffmpeg(*source(frames=1), *ENCODE, *colour, "-vf", "setsar=4/3", path)
    frame = probe(path, "-show_frames")["frames"][0]
    assert (frame["color_range"], frame["color_space"], frame["color_primaries"]) == ("tv", "bt709", "bt709")
    assert frame["color_transfer"] == "bt709"
    assert frame["sample_aspect_ratio"] == "4:3"


def test_decoded_frames(movie):
    frames = probe(movie, "-show_frames")["frames"]
    keys = ["K" in p["flags"] for p in packets(movie)]
    assert [int(f["pts"]) for f in frames] == [i * TICKS for i in range(FRAMES)]
    assert [bool(f["key_frame"]) for f in frames] == keys
    assert [f["pict_type"] == "I" for f in frames] == keys


def test_decoded_pictures_resemble_the_source(movie):
    command = ["ffmpeg", "-v", "error", "-i", str(movie), "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    reference = ["ffmpeg", "-v", "error", *source(), "-f", "rawvideo", "-"]
    decoded, original = (
        np.frombuffer(subprocess.run(c, env=plugin.environment(), capture_output=True, check=True).stdout, np.uint8)
        for c in (command, reference)
    )
    assert decoded.size == original.size == FRAMES * WIDTH * HEIGHT * 3 // 2
    error = np.abs(decoded.astype(np.int16) - original).mean()
    unrelated = np.abs(np.roll(original, WIDTH * HEIGHT * 6).astype(np.int16) - original).mean()
    assert error < unrelated


@pytest.mark.parametrize("size", ["97x63", "16x16"])
def test_unusual_sizes(tmp_path, size):
    ffmpeg(*source(size, frames=3), *ENCODE, tmp_path / "size.mkv")
    frames = probe(tmp_path / "size.mkv", "-show_frames")["frames"]
    assert [f"{f['width']}x{f['height']}" for f in frames] == [size] * 3


def test_variable_frame_rate_is_kept(tmp_path):
    times = [i * 2 for i in range(10) if i not in (3, 4, 8)]
    pattern = "+".join(f"eq(n,{t})" for t in times)
    ffmpeg(*source(frames=7), *ENCODE, "-vf", f"select='{pattern}'", "-fps_mode", "vfr", tmp_path / "vfr.mkv")
    expected = [t * TICKS for t in times]
    assert [int(p["pts"]) for p in packets(tmp_path / "vfr.mkv")] == expected
    assert [int(f["pts"]) for f in probe(tmp_path / "vfr.mkv", "-show_frames")["frames"]] == expected


@pytest.mark.parametrize("frame", [20, 30])
def test_seek_gives_what_linear_decoding_gives(movie, movie_hashes, frame):
    assert frame_hashes(movie, "-ss", f"{frame / RATE}") == movie_hashes[frame:]


@pytest.mark.parametrize("extension", ["mkv", "avi", "mov", "nut"])
def test_remux_keeps_the_stream(movie, movie_hashes, tmp_path, extension):
    copy = tmp_path / f"copy.{extension}"
    ffmpeg("-i", movie, "-c", "copy", copy)
    assert frame_hashes(copy) == movie_hashes


def test_remux_without_the_plugin(movie, movie_hashes, tmp_path):
    copy = tmp_path / "copy.mkv"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", movie, "-c", "copy", copy]
    subprocess.run(command, check=True, capture_output=True)
    assert frame_hashes(copy) == movie_hashes


def test_cut_at_a_keyframe_decodes(movie, movie_hashes, tmp_path):
    cut = tmp_path / "cut.mkv"
    ffmpeg("-ss", "1", "-i", movie, "-c", "copy", cut)
    first = next(p for p in packets(cut))
    assert "K" in first["flags"]
    hashes = frame_hashes(cut)
    assert 0 < len(hashes) < FRAMES
    assert hashes == movie_hashes[-len(hashes) :]


def test_damage_costs_its_gops_only(movie, movie_hashes, tmp_path):
    contents, found = bytearray(movie.read_bytes()), packets(movie)
    second = [p for p in found if "K" in p["flags"]][1]
    middle = int(second["pos"]) + int(second["size"]) // 2
    contents[middle : middle + 8] = bytes(255 - b for b in contents[middle : middle + 8])
    damaged = tmp_path / "damaged.mkv"
    damaged.write_bytes(contents)
    done = ffmpeg("-i", damaged, "-fps_mode", "passthrough", "-f", "framemd5", "-", check=False)
    hashes = [line.split(",")[-1].strip() for line in done.stdout.splitlines() if not line.startswith("#")]
    assert hashes[: found.index(second)] == movie_hashes[: found.index(second)]
    assert "invalid GVC data" in done.stderr


@pytest.mark.parametrize(
    "option, value, hint",
    [
        ("-preset", "hasty", "fast, medium, slow"),
        ("-mode", "x2v", "t2v, i2v, flf2v"),
        ("-quality", "200", "[0 - 100]"),
        ("-gop", "0", "[1 - 129]"),
        ("-gvc-params", "speed=3", "scenecut"),
        ("-gvc-params", "fast", "key=value"),
    ],
)
def test_wrong_values_name_the_valid_ones(tmp_path, option, value, hint):
    done = ffmpeg(*source(frames=1), "-c:v", "gvc", option, value, tmp_path / "wrong.mkv", check=False)
    assert done.returncode != 0
    assert hint in done.stderr


def test_gvc_params_win_over_other_options(tmp_path):
    ffmpeg(*source(frames=12), *ENCODE, "-gvc-params", "gop=5:keyint=5", tmp_path / "params.mkv")
    assert [i for i, p in enumerate(packets(tmp_path / "params.mkv")) if "K" in p["flags"]] == [0, 5, 10]


def test_wrong_decoder_option_is_told(movie):
    done = ffmpeg("-gvc-params", "realism=7", "-i", movie, "-f", "null", "-", check=False)
    assert "realism" in done.stderr
    assert "0 to 1" in done.stderr


def test_interrupt_leaves_a_playable_file(tmp_path):
    path = tmp_path / "interrupted.mkv"
    endless = ["-re", "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}"]
    command = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-progress",
        "pipe:1",
        *endless,
        *ENCODE,
        "-pix_fmt",
        "yuv420p",
        path,
    ]
    with subprocess.Popen(command, env=plugin.environment(), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            name, _, value = line.strip().partition("=")
            if name == "out_time_us" and value.isdigit() and int(value) > 0:
                break
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert len(frame_hashes(path)) == len(packets(path)) > 9


def test_run_becomes_the_program():
    script = "from gvc import plugin; plugin.run('ffmpeg', ['-v', 'quiet', '-h', 'encoder=gvc'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Encoder gvc" in done.stdout


def test_programs_without_ffmpeg_notice_nothing():
    done = run("sh", "-c", "echo fine", variables={"GVC_DEBUG": "1"})
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_unknown_version_is_refused(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here to build a library that calls itself libavcodec 60")
    source = tmp_path / "avcodec.c"
    source.write_text("unsigned avcodec_version(void) { return 60 << 16 | 31 << 8; }\n")
    subprocess.run([compiler, "-shared", "-fPIC", source, "-o", tmp_path / "libavcodec.so.60"], check=True)
    script = (
        "import ctypes; from gvc import plugin\n"
        f"ctypes.CDLL({os.fspath(tmp_path / 'libavcodec.so.60')!r}); print(plugin.install())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "libavcodec 60.31 does not serve gvc: only the versions 59.37" in done.stdout
    assert done.stderr == ""
