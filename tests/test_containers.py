# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC in all that FFmpeg does with files: containers, copies, cuts, segments, concatenation, pipes, tee."""

import shutil
import subprocess

import pytest
from programs import ENCODE, FRAMES, HEIGHT, RATE, STOCK, TICKS, WIDTH, hashes_in, source

EXTENSIONS = ("mkv", "mov", "avi", "nut")
PASSTHROUGH = ("-fps_mode", "passthrough")
KEY = 18  # the second keyframe of `movie`, and the last one
LINEAR = list(range(FRAMES))


@pytest.fixture(scope="module")
def movies(programs, tmp_path_factory):
    """Return the same video in each container, each encoded by a command of its own."""
    folder = tmp_path_factory.mktemp("containers")
    paths = {extension: folder / f"movie.{extension}" for extension in EXTENSIONS}
    for path in paths.values():
        programs.ffmpeg(*source(), *ENCODE, path)
    return paths


@pytest.fixture(scope="module")
def movie(movies):
    return movies["mkv"]


@pytest.fixture(scope="module")
def pictures(programs, movie):
    """Hashes of the decoded frames."""
    return programs.hashes(movie)


def seconds(programs, path):
    """Timestamps of the packets."""
    return [float(packet["pts_time"]) for packet in programs.packets(path)]


def indices(hashes, pictures):
    """Which frames of the movie these are."""
    return [pictures.index(each) for each in hashes]


def piped(programs, *commands, given=None):
    """Run ffmpegs, each reading what the one before writes; return what the last one writes."""
    processes, data = [], subprocess.DEVNULL
    for arguments in commands:
        command = [programs.path("ffmpeg"), "-v", "error", *map(str, arguments)]
        process = subprocess.Popen(command, env=programs.environment, stdin=data, stdout=subprocess.PIPE)
        processes.append(process)
        data = process.stdout
    output = data.read()
    assert [process.wait(timeout=60) for process in processes] == [0] * len(processes)
    return output


# Containers


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_each_container_seeks_and_decodes_alike(programs, movies, pictures, extension):
    path = movies[extension]
    assert programs.hashes(path) == pictures
    assert programs.hashes(path, before_input=("-ss", f"{25 / RATE}")) == pictures[25:]
    assert seconds(programs, path) == [i / RATE for i in LINEAR]
    assert [i for i, packet in enumerate(programs.packets(path)) if "K" in packet["flags"]] == [0, KEY]


@pytest.mark.parametrize("extension", EXTENSIONS[1:])
def test_copies_there_and_back(programs, movies, pictures, tmp_path, extension):
    expected = programs.hashes(movies["mkv"], "-c", "copy")
    there, back = tmp_path / f"there.{extension}", tmp_path / "back.mkv"
    programs.ffmpeg("-i", movies["mkv"], "-c", "copy", there)
    programs.ffmpeg("-i", there, "-c", "copy", back)
    for path in (there, back):
        assert programs.hashes(path) == pictures
        assert seconds(programs, path) == [i / RATE for i in LINEAR]
    assert programs.hashes(back, "-c", "copy") == expected


@pytest.mark.parametrize(
    ("extension", "said"),
    [("mp4", "Could not find tag for codec gvc"), ("webm", "Only VP8 or VP9 or AV1")],
)
def test_containers_without_a_place_for_it_are_refused(programs, movie, tmp_path, extension, said):
    done = programs.ffmpeg("-i", movie, "-c", "copy", tmp_path / f"copy.{extension}", check=False)
    assert done.returncode != 0
    assert said in done.stderr


def test_stock_ffmpeg_copies_what_it_does_not_know(movie, pictures, programs, tmp_path):
    STOCK.require("ffmpeg")
    copy = tmp_path / "copy.mkv"
    command = ["ffmpeg", "-nostdin", "-v", "fatal", "-i", movie, "-c", "copy", copy]  # no plugin
    subprocess.run(command, check=True)
    assert programs.packets(copy) and programs.hashes(copy) == pictures


def test_mkvmerge_keeps_the_track(programs, movie, pictures, tmp_path):
    if not shutil.which("mkvmerge"):
        pytest.skip("mkvmerge is not installed (apt-get install mkvtoolnix)")
    merged, parts = tmp_path / "merged.mkv", tmp_path / "part.mkv"
    subprocess.run(["mkvmerge", "-q", "-o", merged, movie], check=True)
    assert programs.hashes(merged) == pictures
    subprocess.run(["mkvmerge", "-q", "-o", parts, "--split", f"timestamps:{KEY * TICKS}ms", movie], check=True)
    halves = [programs.hashes(tmp_path / f"part-00{number}.mkv") for number in (1, 2)]
    assert halves == [pictures[:KEY], pictures[KEY:]]


# Cuts, loops, segments


@pytest.mark.parametrize(
    "cut",
    [
        (("-ss", "1"), (), (range(18, 36), range(25, 36))),
        (("-ss", "0.5", "-to", "0.9"), (), (range(23), range(13, 23))),
        ((), ("-ss", "0.5", "-t", "0.5"), (range(18, 25), range(13, 25))),
        ((), ("-to", "0.5"), (range(13), range(13))),
    ],
    ids=["from", "part", "part of the output", "up to"],
)
def test_cuts(programs, movie, pictures, tmp_path, cut):
    """Copies begin at a keyframe. Decoded parts begin exactly at the cut and equal those of linear decoding."""
    before, after, expected = cut
    copy = tmp_path / "cut.mkv"
    programs.ffmpeg(*before, "-i", movie, "-c", "copy", *after, copy)
    found = programs.hashes(copy), programs.hashes(movie, *after, before_input=before)
    assert [indices(hashes, pictures) for hashes in found] == [list(frames) for frames in expected]


def test_loops(programs, movie, pictures, tmp_path):
    loop, recoded = tmp_path / "loop.mkv", tmp_path / "recoded.mkv"
    assert programs.hashes(movie, before_input=("-stream_loop", "1")) == pictures * 2
    programs.ffmpeg("-stream_loop", "1", "-i", movie, "-c", "copy", loop, *ENCODE, recoded)
    assert programs.hashes(loop) == pictures * 2
    assert seconds(programs, loop) == seconds(programs, recoded) == [i / RATE for i in range(2 * FRAMES)]


@pytest.mark.parametrize("extension", ["mkv", "nut"])
def test_segments_and_their_concatenation(programs, movie, pictures, tmp_path, extension):
    parts = ("-f", "segment", "-segment_time", "0.5", "-reset_timestamps", "1")
    listing = tmp_path / "parts.ffconcat"
    programs.ffmpeg("-i", movie, "-c", "copy", *parts, "-segment_list", listing, tmp_path / f"part%d.{extension}")
    halves = [tmp_path / f"part{number}.{extension}" for number in range(2)]
    assert [seconds(programs, half)[0] for half in halves] == [0, 0]
    assert [programs.hashes(half) for half in halves] == [pictures[:KEY], pictures[KEY:]]
    joined = tmp_path / "joined.mkv"
    programs.ffmpeg("-f", "concat", "-safe", "0", "-i", listing, "-c", "copy", joined)
    assert programs.hashes(joined) == pictures


def concatenation(tmp_path, *lines):
    listing = tmp_path / "list.ffconcat"
    listing.write_text("\n".join(("ffconcat version 1.0", *lines)))
    return "-f", "concat", "-safe", "0", "-i", listing


def test_concatenation_of_parts(programs, movie, pictures, tmp_path):
    lines = (f"file '{movie}'", "inpoint 0.8", "outpoint 1.2", f"file '{movie}'", "outpoint 0.4")
    joined = tmp_path / "joined.mkv"
    programs.ffmpeg(*concatenation(tmp_path, *lines), "-c", "copy", joined)
    # Only pictures from the keyframe on are shown.
    assert indices(programs.hashes(joined), pictures) == [*range(KEY, 30), *range(10)]


@pytest.mark.parametrize("size", [f"{WIDTH}x{HEIGHT}", "50x38"])
def test_concatenation_of_different_streams(programs, movie, pictures, tmp_path, size):
    """The second stream has another quality, seed and size; each keyframe has its own sequence header."""
    other, joined = tmp_path / "other.mkv", tmp_path / "joined.mkv"
    programs.ffmpeg(*source(size, frames=12), *ENCODE, "-crf", "60", "-seed", "7", other)
    lines = [f"file '{path}'" for path in (movie, other, movie)]
    programs.ffmpeg(*concatenation(tmp_path, *lines), "-c", "copy", joined)
    frames = programs.probe(joined, "-show_frames")["frames"]
    shown = [f"{frame['width']}x{frame['height']}" for frame in frames]
    assert shown == [f"{WIDTH}x{HEIGHT}"] * FRAMES + [size] * 12 + [f"{WIDTH}x{HEIGHT}"] * FRAMES
    hashes = programs.hashes(joined)  # FFmpeg scales all to the first one's size
    assert (hashes[:FRAMES], hashes[-FRAMES:]) == (pictures, pictures)
    if size == f"{WIDTH}x{HEIGHT}":
        assert hashes[FRAMES:-FRAMES] == programs.hashes(other)


# Pipes and several outputs


def test_through_pipes(programs, pictures):
    """Y4M is encoded to GVC in Matroska and NUT and decoded again, all through pipes, which cannot seek."""
    for container in ("matroska", "nut"):
        decoded = piped(
            programs,
            (*source(), "-f", "yuv4mpegpipe", "-"),
            ("-i", "-", *ENCODE, "-f", container, "-"),
            ("-i", "-", *PASSTHROUGH, "-f", "framemd5", "-"),
        )
        assert hashes_in(decoded.decode()) == pictures, container


@pytest.mark.parametrize("options", [("-f", "matroska"), ("-f", "matroska", "-live", "1"), ("-f", "avi")])
def test_files_without_an_index_seek(programs, movie, pictures, tmp_path, options):
    path = tmp_path / "unseekable"
    path.write_bytes(piped(programs, ("-i", movie, "-c", "copy", *options, "-")))
    assert programs.hashes(path) == pictures
    assert programs.hashes(path, before_input=("-ss", "0.8")) == pictures[20:]


def test_fragmented_mov_through_a_pipe(programs, movie, pictures):
    fragments = ("-f", "mov", "-movflags", "frag_keyframe+empty_moov")
    commands = (("-i", movie, "-c", "copy", *fragments, "-"), ("-i", "-", "-f", "framemd5", "-"))
    assert hashes_in(piped(programs, *commands).decode()) == pictures


def test_a_growing_file_is_played_as_it_comes(programs, tmp_path):
    """The first half is decoded before the second one is written; without low delay, all but its last GOP."""
    movie = tmp_path / "fine.mkv"  # FFmpeg needs some kilobytes to recognise a format.
    programs.ffmpeg(*source(), *ENCODE, "-quality", "80", movie)
    pictures, contents = programs.hashes(movie), movie.read_bytes()
    middle = int(programs.packets(movie)[KEY]["pos"])
    command = [
        programs.path("ffmpeg"),
        "-v",
        "error",
        "-flags",
        "low_delay",
        "-i",
        "-",
        *PASSTHROUGH,
        "-flush_packets",
        "1",
        "-f",
        "framemd5",
        "-",
    ]
    with subprocess.Popen(
        command, env=programs.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        process.stdin.write(contents[:middle])
        lines = []
        while len(hashes_in(b"".join(lines).decode())) < KEY // 2:
            lines.append(process.stdout.readline())
            assert lines[-1]
        process.stdin.write(contents[middle:])
        process.stdin.close()
        lines += process.stdout.readlines()
        assert process.wait(timeout=60) == 0
    assert hashes_in(b"".join(lines).decode()) == pictures


def test_a_file_that_was_cut_off_plays_up_to_there(programs, movie, pictures, tmp_path):
    cut = tmp_path / "cut.mkv"
    found = programs.packets(movie)
    cut.write_bytes(movie.read_bytes()[: int(found[KEY]["pos"]) + int(found[KEY]["size"]) // 2])
    assert programs.hashes(cut) == pictures[:KEY]


def test_tee(programs, pictures, tmp_path):
    """A single encode writes two files, and a third one that cannot be written does no harm."""
    outputs = (tmp_path / "a.mkv", tmp_path / "b.nut")
    slaves = f"{outputs[0]}|[f=nut]{outputs[1]}|[f=matroska:onfail=ignore]{tmp_path}/nowhere/c.mkv"
    programs.ffmpeg(*source(), *ENCODE, "-map", "0:v", "-f", "tee", slaves)
    assert [programs.hashes(path) for path in outputs] == [pictures, pictures]


def test_several_outputs_of_one_command(programs, tmp_path):
    limited = (*ENCODE, "-pix_fmt", "yuv420p", "-frames:v", "9")
    outputs = (*limited, tmp_path / "a.mkv", *limited, tmp_path / "b.nut", *limited, "-f", "null", "-")
    done = programs.ffmpeg(*source()[:4], *outputs, *limited, "-f", "md5", "-")
    assert done.stdout.startswith("MD5=")
    assert programs.hashes(tmp_path / "a.mkv", "-c", "copy") == programs.hashes(tmp_path / "b.nut", "-c", "copy") != []


@pytest.mark.parametrize("extension", ["mkv", "mov"])
def test_encoding_gives_no_warnings(programs, tmp_path, extension):
    assert programs.ffmpeg(*source(frames=9), *ENCODE, tmp_path / f"quiet.{extension}").stderr == ""


# Bitstream filters


def test_times_can_be_set_by_a_filter(programs, movie, pictures, tmp_path):
    shifted = tmp_path / "shifted.mkv"
    programs.ffmpeg("-i", movie, "-c", "copy", "-bsf:v", "setts=ts=PTS*2+1000", shifted)
    assert seconds(programs, shifted) == pytest.approx([1 + 2 * i / RATE for i in LINEAR])
    assert programs.hashes(shifted) == pictures


def test_noise_is_reported(programs, movie, tmp_path):
    noisy = tmp_path / "noisy.mkv"
    programs.ffmpeg("-i", movie, "-c", "copy", "-bsf:v", "noise=100", noisy)
    done = programs.ffmpeg("-i", noisy, "-f", "null", "-", check=False)
    assert "invalid GVC data" in done.stderr
