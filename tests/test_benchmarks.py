"""The benchmarks: rates that are compared, cells that are not measured twice, a report that says what was found."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
for package in ("bjontegaard", "jinja2", "matplotlib", "imageio_ffmpeg", "cv2"):
    pytest.importorskip(package)

from benchmarks.bdrate import bd_rate  # noqa: E402
from benchmarks.efficiency import distortion_of, of_gaussian, rate_of  # noqa: E402
from benchmarks.fade import fade  # noqa: E402
from benchmarks.jobs import shown_picture  # noqa: E402
from benchmarks.summary import Summary  # noqa: E402
from gvc.metrics import read_frames  # noqa: E402


def run(folder, *arguments):
    command = [sys.executable, "-m", "benchmarks", "--output", str(folder), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)


def test_twice_the_bytes_are_a_hundred_percent():
    anchor = [(1000, 30.0), (2000, 33.0), (4000, 36.0), (8000, 39.0)]
    tested = [(2 * size, quality) for size, quality in anchor]
    found = bd_rate(anchor, tested, rising=True)
    assert found.percent == pytest.approx(100, abs=0.1)
    assert (found.low, found.high, found.share) == (30, 39, 1)
    falling = [[(size, -quality) for size, quality in curve] for curve in (anchor, tested)]
    assert bd_rate(*falling, rising=False).percent == pytest.approx(100, abs=0.1)


def test_curves_without_a_common_range_have_no_bd_rate():
    found = bd_rate([(1000, 30.0), (2000, 33.0)], [(1000, 20.0), (2000, 29.0)], rising=True)
    assert found.percent is None and not found.confident
    assert bd_rate([(1000, 30.0)], [(1000, 30.0)], rising=True).percent is None
    assert bd_rate([], [(1000, 30.0)], rising=True).percent is None


def test_points_that_cost_more_for_no_gain_are_left_out_of_a_curve():
    good = [(1000, 30.0), (2000, 33.0), (4000, 36.0)]
    assert bd_rate(good, [*good, (3000, 31.0)], rising=True).percent == pytest.approx(0, abs=1e-6)


def test_the_picture_that_is_shown_is_no_boundary():
    assert [shown_picture(frames) for frames in (9, 33, 65, 97)] == [8, 16, 48, 48]


def write_stills(path, values):
    with av.open(str(path), "w") as output:
        track = output.add_stream("ffv1", rate=25, width=64, height=48, pix_fmt="yuv420p")
        for index, value in enumerate(values):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), value, np.uint8), format="yuv420p")
            frame.pts = index
            output.mux(track.encode(frame))
        output.mux(track.encode(None))


def test_the_floor_fades_from_still_to_still(tmp_path):
    write_stills(tmp_path / "stills.mkv", (40, 72, 80))
    fade(str(tmp_path / "stills.mkv"), str(tmp_path / "video.mkv"), 41, Fraction(25))
    luma = np.concatenate([frames.luma for frames in read_frames(tmp_path / "video.mkv")])
    assert [int(picture[0, 0]) for picture in luma] == [*range(40, 73), *range(73, 81)]


def test_rates_are_file_sizes_and_finished_cells_are_kept(tmp_path):
    quick = ("--frames", 9, "--codecs", "x265", "floor", "--metrics", "psnr_y", "--parts", "rd")
    first = run(tmp_path, *quick)
    assert first.returncode == 0, first.stderr
    result = json.loads((tmp_path / "results.json").read_text())
    assert result["kind"] == "quick" and result["machine"]["cores"] >= 1 and result["versions"]["numpy"]
    assert {row["codec"] for row in result["rows"]} == {"x265", "floor"}
    for row in result["rows"]:
        assert row["bpp"] == pytest.approx(8 * row["bytes"] / (416 * 240 * 9))
        assert row["encode"]["seconds"] > 0 and "CODED.mkv" in row["encode"]["command"]
    x265 = [row for row in result["rows"] if row["codec"] == "x265"]
    assert [row["level"] for row in sorted(x265, key=lambda row: row["bytes"])] == [45, 40, 35, 30]
    page = (tmp_path / "report.html").read_text()
    assert "x265 veryslow" in page and "<svg" in page and 'src="http' not in page and "data:image/jpeg" in page

    cells = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").glob("*.json")}
    victim = next(iter(cells))
    victim.unlink()
    assert run(tmp_path, *quick).returncode == 0
    again = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").glob("*.json")}
    assert [path for path in again if again[path] != cells[path]] == [victim]
    assert json.loads((tmp_path / "results.json").read_text())["rows"][0]["bytes"] == result["rows"][0]["bytes"]


def test_a_clip_that_cannot_be_read_is_one_sentence(tmp_path):
    done = run(tmp_path, tmp_path / "nowhere.mkv")
    assert done.returncode == 1 and "nowhere.mkv" in done.stderr and "Traceback" not in done.stderr


def rows(codec, view, points):
    return [
        {"clip": "c", "codec": codec, "view": view, "bytes": size, "bpp": size / 1e5, "metrics": {"psnr_y": q}}
        for size, q in points
    ]


def test_values_at_equal_rates_and_who_is_ahead():
    ours = rows("gvc-flf2v", "0", [(1000, 30.0), (4000, 34.0)])
    better = rows("x265", "", [(500, 30.0), (2000, 34.0)])
    worse = rows("x264", "", [(2000, 30.0), (8000, 34.0)])
    summary = Summary(
        {"clips": [{"name": "c"}], "rows": [*ours, *better, *worse, *rows("vvenc", "", [(900, 33.9), (3000, 60.0)])]}
    )
    assert summary.at_rate("c", ("gvc-flf2v", "0"), "psnr_y", 0.02) == pytest.approx(32)
    assert summary.at_rate("c", ("gvc-flf2v", "0"), "psnr_y", 0.05) is None
    said = summary.verdicts()
    assert "x265 veryslow: PSNR Y +100 %" in said["Loses"][0] and len(said["Loses"]) == 1
    assert "x264 veryslow: PSNR Y -50 %" in said["Is ahead"][0] and len(said["Is ahead"]) == 1
    assert said["Too little in common to be compared"] == ["VVenC medium: PSNR Y"]


def test_the_rate_distortion_function_of_gaussian_values():
    white = np.ones(64)
    assert rate_of(white, 0.25) == pytest.approx(1, abs=1e-6)
    assert distortion_of(white, 2) == pytest.approx(1 / 16, abs=1e-6)
    mixed = np.array([4.0, 1.0, 0.25, 0.25])  # at a water level of 1/2 the last two are not coded
    assert rate_of(mixed, 0.375) == pytest.approx((1.5 + 0.5) / 4, abs=1e-6)
    assert distortion_of(mixed, 0.5) == pytest.approx(0.375, abs=1e-6)


def test_no_coder_of_gaussian_values_beats_the_theory():
    found = of_gaussian("white")
    ours, paper = found["ancestral"], found["paper"]
    assert all(point["least_rate"] < point["rate"] < 1.7 * point["least_rate"] for point in ours)
    assert all(point["least_rate"] < point["rate"] and point["gap_db"] > 0 for point in paper)
