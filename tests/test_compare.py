# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc compare`: what it pairs, what it measures, the films that it writes and what it says when things do not fit."""

import json
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from test_cli import clip
from typer.testing import CliRunner

from gvc.cli.app import app
from gvc.compare.align import moments
from gvc.compare.film import Frame, like
from gvc.compare.report import Gallery
from gvc.metrics import measure, pairs

RATE, COUNT = 25, 20
QUICK = ("--metrics", "psnr_rgb,psnr_y", "--quiet")


def gvc(*args, code=0):
    """Run the command in this process; check its exit code."""
    done = CliRunner().invoke(app, [str(arg) for arg in args])
    assert done.exit_code == code, done.output
    return done


def compare(*args):
    """Run `gvc compare` with these arguments, and return its JSON."""
    return json.loads(gvc("compare", *args, *QUICK, "--json").stdout)


def grey_film(path, level, *, frames=COUNT, size=(64, 48), rate=RATE, start=0):
    """Write a film whose frames are grey, the i-th by level(i)."""
    with av.open(str(path), "w") as output:
        track = output.add_stream("ffv1", rate=rate, width=size[0], height=size[1], pix_fmt="yuv420p")
        track.codec_context.time_base = Fraction(1, 1000)
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), level(i), np.uint8), "rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = start + round(1000 * i / rate), Fraction(1, 1000)
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def source(folder):
    return clip(folder / "source.mkv", audio=True)


@pytest.fixture(scope="module")
def coded(source):
    path = source.with_name("coded.mkv")
    gvc("encode", source, path, "--preset", "fast", "--gop", "5", "--keyint", "5", "--quiet")
    return path


@pytest.fixture(scope="module")
def ramp(folder):
    """Write a film that gets brighter by 8 levels with each frame."""
    return grey_film(folder / "ramp.mkv", lambda i: 40 + 8 * i)


def at(*milliseconds):
    """Yield frames with these times, whose pictures are the times themselves."""
    return iter([Frame(Fraction(ms, 1000), ms) for ms in milliseconds])


def paired(reference, other):
    found = moments(at(*reference), [at(*other)], Fraction(40, 1000))
    return [frame and frame.picture for _, (frame,) in found]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ((0, 40, 80, 120), [0, 40, 80, 120]),
        ((1, 45, 75, 139), [1, 45, 75, 139]),  # timestamps that are not quite the same
        ((0, 80, 120), [0, None, 80, 120]),  # a frame is missing
        ((0, 20, 40, 60, 80, 100, 120), [0, 40, 80, 120]),  # twice the rate
        ((0, 80), [0, None, 80, None]),  # half the rate
        ((60, 100), [None, None, None, None]),  # Frames half an interval apart do not match.
        ((), [None, None, None, None]),
    ],
)
def test_frames_are_paired_by_time(other, expected):
    assert paired((0, 40, 80, 120), other) == expected


def test_a_film_equals_itself(source):
    found = compare(source, source)
    reference, same = found["files"]
    assert found["frames_compared"] == COUNT and not found["notes"]
    assert same["metrics"] == {"psnr_rgb": 100, "psnr_y": 100}
    assert same["by_frame"]["psnr_y"] == [100] * COUNT
    assert reference["metrics"] == {}


def test_a_gvc_file_against_its_source(source, coded, folder):
    """The figures equal those of a file decoded before, and the rates equal those of `gvc info`."""
    found = compare(source, coded)["files"][1]
    gvc("decode", coded, folder / "decoded.mkv", "--quiet")
    expected = measure(pairs(source, folder / "decoded.mkv"), ("psnr_rgb", "psnr_y"))
    for name, values in expected.frames.items():
        assert found["by_frame"][name] == pytest.approx(values, abs=1e-9)
    info = json.loads(gvc("info", "--json", coded).stdout)
    assert found["bytes"] == info["file_bytes"]
    assert (found["kbps"], found["bpp"]) == pytest.approx((info["kbps"], info["bpp"]))


def test_a_part_is_the_same_part_of_the_whole(source, coded):
    """The result is the same although decoding starts at the keyframe before the part."""
    whole, part = compare(source, coded), compare(source, coded, "--start", "0.48", "--frames", "4")
    assert part["seconds"] == whole["seconds"][12:16]
    assert part["files"][1]["by_frame"]["psnr_y"] == whole["files"][1]["by_frame"]["psnr_y"][12:16]
    assert any("whole files" in note for note in part["notes"])


def test_known_difference(folder, ramp):
    brighter = grey_film(folder / "brighter.mkv", lambda i: 50 + 8 * i)
    found = compare(ramp, brighter)["files"][1]
    assert found["metrics"]["psnr_rgb"] == pytest.approx(20 * np.log10(255 / 10), abs=1)


@pytest.mark.parametrize(
    ("how", "note", "count"),
    [
        ({"size": (96, 80)}, "is 96x80 and is scaled to the reference's 64x48", COUNT),
        ({"start": 1400}, "starts 1.400 s later", COUNT),
        ({"frames": 15}, "15 frames and the reference 20", 15),
        ({"rate": 50, "frames": 2 * COUNT}, "50 frames/s and the reference at 25", COUNT),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, ramp, how, note, count):
    step = how.get("rate", RATE) // RATE
    other = grey_film(tmp_path / "other.mkv", lambda i: 40 + 8 * (i // step), **how)
    found = compare(ramp, other)
    assert any(note in sentence for sentence in found["notes"])
    assert found["frames_compared"] == count
    assert found["files"][1]["metrics"]["psnr_y"] >= 40  # The pictures are the same apart from their range.


def test_ranges_of_samples_are_made_equal(tmp_path):
    """A full-range film of the same pictures counts as equal."""
    clip(tmp_path / "limited.mkv", frames=3)
    clip(tmp_path / "full.mkv", frames=3, pix_fmt="yuvj420p", codec="mjpeg")
    assert compare(tmp_path / "limited.mkv", tmp_path / "full.mkv")["files"][1]["metrics"]["psnr_y"] > 30


def test_a_matrix_that_is_not_named_is_the_reference_s(tmp_path):
    """Compares a Y4M file, which cannot name a matrix, with a film that names one."""
    clip(tmp_path / "named.mkv", frames=3)
    with av.open(str(tmp_path / "named.mkv")) as film, av.open(str(tmp_path / "bare.y4m"), "w") as bare:
        track = bare.add_stream("rawvideo", rate=25, width=96, height=64, pix_fmt="yuv420p")
        with av.open(str(tmp_path / "tagged.mkv"), "w") as tagged:
            copy = tagged.add_stream("ffv1", rate=25, width=96, height=64, pix_fmt="yuv420p")
            copy.codec_context.colorspace = 1
            for i, frame in enumerate(film.decode(video=0)):
                frame.pts, frame.time_base, frame.colorspace = i, Fraction(1, 25), 1
                bare.mux(track.encode(frame))
                tagged.mux(copy.encode(frame))
            tagged.mux(copy.encode(None))
    found = compare(tmp_path / "tagged.mkv", tmp_path / "bare.y4m")["files"][1]["metrics"]
    assert found == {"psnr_rgb": 100, "psnr_y": 100}


def test_table(source, coded):
    text = gvc("compare", source, coded, source, *QUICK).stdout
    assert f"{COUNT} frames compared" in text
    row = next(line for line in text.splitlines() if line.startswith("PSNR Y"))
    assert row.split()[4] == "–" and row.split()[-1] == "100.00"


def test_metrics_that_cannot_be_had_are_said(ramp):
    found = json.loads(gvc("compare", ramp, ramp, "--metrics", "psnr_y,ms_ssim", "--json", "-q").stdout)
    assert set(found["files"][1]["metrics"]) == {"psnr_y"}
    assert any("MS-SSIM" in note and "too small" in note for note in found["notes"])


def test_errors_are_sentences(source, ramp, tmp_path):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "kept.html").write_text("mine")
    cases = (
        (3, "cannot be read", [source, tmp_path / "none.mkv"]),
        (3, "cannot be read as a media file", [source, tmp_path / "text.mp4"]),
        (3, "no frame is in all of the files", [source, source, "--start", "99"]),
        (2, "two files at least", [source]),
        (2, "there is no metric 'psnr'", [source, source, "--metrics", "psnr"]),
        (2, "kept.html exists", [source, source, "--html", tmp_path / "kept.html"]),
        (2, "choose a name that ends in .html", [source, source, "--html", tmp_path / "page.mp4"]),
        (2, ".webm is no known output format", [source, source, "--video", tmp_path / "side.webm"]),
        (2, "is given twice", [source, source, "--video", source, "-y"]),
        (2, "can be read only once", [source, "-"]),
    )
    for code, sentence, args in cases:
        errors = gvc("compare", *args, code=code).stderr
        assert sentence in errors and errors.count("\n") == 1
    assert (tmp_path / "kept.html").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept.html", "text.mp4"]


def test_a_series_of_images_has_their_bytes(tmp_path):
    for number in range(3):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 50 * number, np.uint8), "rgb24")
        frame.to_image().save(tmp_path / f"{number}.png")
    film = compare(tmp_path / "%d.png", tmp_path / "%d.png")["files"][0]
    assert film["bytes"] == sum(path.stat().st_size for path in tmp_path.iterdir())


def test_a_damaged_gvc_file_is_an_error(source, coded, tmp_path):
    data = bytearray(coded.read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / "damaged.mkv").write_bytes(data)
    assert "is damaged" in gvc("compare", source, tmp_path / "damaged.mkv", *QUICK, code=3).stderr


def pictures(path: Path):
    """[(seconds, RGB)] of a file."""
    with av.open(str(path)) as film:
        return [(frame.time, frame.to_ndarray(format="rgb24").astype(int)) for frame in film.decode(video=0)]


def test_side_by_side(folder, ramp, tmp_path):
    other = grey_film(folder / "falling.mkv", lambda i: 200 - 8 * i)
    gvc("compare", ramp, other, *QUICK, "--video", tmp_path / "side.mp4")
    found = pictures(tmp_path / "side.mp4")
    assert [round(time, 3) for time, _ in found] == [i / RATE for i in range(COUNT)]
    for i, (_, image) in enumerate(found):
        bar, below = image[:-48], image[-48:]
        assert image.shape[1] == 128 and np.ptp(bar) > 100  # The bar contains text.
        assert np.abs(below[8:-8, 8:56] - (40 + 8 * i)).max() < 12
        assert np.abs(below[8:-8, 72:120] - (200 - 8 * i)).max() < 12


def test_wipe(tmp_path):
    films = [grey_film(tmp_path / f"{level}.mkv", lambda i, level=level: level) for level in (40, 120, 200)]
    gvc("compare", *films, *QUICK, "--wipe", tmp_path / "wipe.mkv")
    found = [image[-20] for _, image in pictures(tmp_path / "wipe.mkv")]
    edges = [int((np.abs(row[:, 0] - 40) < 8).sum()) for row in found]
    assert len(found) == COUNT and found[0].shape == (64, 3)
    assert min(edges) < 8 and max(edges) > 52  # The boundary moves from side to side,
    assert edges[0] < edges[5] > edges[10] < edges[15]  # and back, twice.
    assert np.abs(found[0][-8:] - 120).max() < 8 and np.abs(found[10][-8:] - 200).max() < 8


def test_many_wide_films_make_rows(tmp_path):
    film = grey_film(tmp_path / "wide.mkv", lambda i: 90, frames=2, size=(2000, 16))
    gvc("compare", film, film, film, *QUICK, "--video", tmp_path / "side.mkv")
    (_, image), _ = pictures(tmp_path / "side.mkv")
    assert image.shape[:2] == (2 * (16 + 24), 4000)


def test_a_page_is_bounded():
    """Frames are dropped evenly until the pictures fit into the limit."""
    noise = np.random.default_rng(0)
    gallery = Gallery(limit=300_000)
    for frame in range(60):
        gallery.add(frame, Fraction(frame, RATE), [noise.integers(0, 255, (64, 64, 3), np.uint8)] * 2)
    shown = gallery.shown()
    assert [moment["frame"] for moment in shown] == list(range(0, 60, gallery.stride))
    assert gallery.stride > 1 and len(shown) >= 5
    assert 75_000 < sum(len(picture) for moment in shown for picture in moment["pictures"]) <= 300_000


def test_html_of_one_file(ramp, tmp_path):
    gvc("compare", ramp, ramp, *QUICK, "--html", tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "default-src 'none'" in text and "@@" not in text
    # The only address is an XML namespace.
    assert set(re.findall(r"\w+://[^\"]*", text)) == {"http://www.w3.org/2000/svg"}


def test_ten_bits_become_full_range_without_damage():
    limited, full = (av.VideoFrame(854, 240, "yuv420p10le") for _ in range(2))
    for plane in limited.planes:
        plane.update(np.full(plane.buffer_size // 2, 300, np.uint16))
    limited.color_range, full.color_range = 1, 2
    for _ in range(200):  # With several threads about one conversion in a hundred failed.
        luma = like(limited, full).planes[0]
        rows = np.frombuffer(luma, np.uint16).reshape(luma.height, -1)[:, : luma.width].astype(int)
        assert np.ptp(rows) <= 1
