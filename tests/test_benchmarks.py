# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The benchmarks: rates that are compared, cells that are not measured twice, a report that says what was found."""

import json
import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from test_cli import clip as write_clip

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
for package in ("bjontegaard", "jinja2", "matplotlib", "imageio_ffmpeg", "cv2"):
    pytest.importorskip(package)

from benchmarks import scaling, speed, versions  # noqa: E402
from benchmarks.anchored import anchored  # noqa: E402
from benchmarks.bdrate import bd_rate  # noqa: E402
from benchmarks.clips import prepare  # noqa: E402
from benchmarks.efficiency import distortion_of, of_clip, of_gaussian, rate_of  # noqa: E402
from benchmarks.fade import fade  # noqa: E402
from benchmarks.jobs import shown_pictures  # noqa: E402
from benchmarks.summary import Summary  # noqa: E402
from benchmarks.tables import stages  # noqa: E402
from benchmarks.targets import bd_rates, targets  # noqa: E402
from benchmarks.version_tables import version_tables  # noqa: E402
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


def test_in_a_window_only_the_tested_curve_is_cut():
    anchor = [(1000, 30.0), (2000, 33.0), (4000, 36.0), (8000, 39.0)]
    half = [(size / 2, quality) for size, quality in anchor]
    found = bd_rate(anchor, half, rising=True, window=(1000, 2000))
    assert found.percent == pytest.approx(-50, abs=0.1)
    assert (found.low, found.high, found.share) == (33, 36, 1)
    between = bd_rate(anchor, half, rising=True, window=(2**0.5 * 500, 2**0.5 * 1000))
    assert (between.low, between.high) == pytest.approx((31.5, 34.5))
    assert bd_rate(anchor[2:], half, rising=True, window=(500, 4000)).share == pytest.approx(1 / 3)
    assert bd_rate(anchor, half, rising=True, window=(9000, 10000)).percent is None


def test_pictures_that_are_shown_are_no_stills():
    assert [shown_pictures(frames) for frames in (9, 33, 65, 97)] == [
        [2, 6],
        [10, 18, 26],
        [18, 38, 54],
        [26, 58, 78],
    ]
    assert shown_pictures(1) == [0]


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
    assert [(row["clip"], row["codec"], row["level"]) for row in result["rows"]][:2] == [
        ("city_416x240", "x265", 30),
        ("city_416x240", "x265", 35),
    ]
    page = (tmp_path / "report.html").read_text()
    assert "x265 veryslow" in page and "<svg" in page and 'src="http' not in page and "data:image/jpeg" in page

    cells = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").glob("*.json")}
    victim = next(iter(cells))
    victim.unlink()
    assert run(tmp_path, *quick).returncode == 0
    again = {path: path.stat().st_mtime_ns for path in (tmp_path / "cells").glob("*.json")}
    assert [path for path in again if again[path] != cells[path]] == [victim]
    assert json.loads((tmp_path / "results.json").read_text())["rows"][0]["bytes"] == result["rows"][0]["bytes"]

    sheets = [sys.executable, "-m", "benchmarks.contact_sheets", str(tmp_path / "results.json"), "--rate", "1"]
    subprocess.run(sheets, cwd=ROOT, check=True, timeout=60)
    sheet = np.asarray(Image.open(tmp_path / "sheets" / "city_416x240.png"))
    assert sheet.shape == (2 * (240 + 22 + 4) - 4, 2 * (416 + 4) - 4, 3)  # source and x265, pictures 2 and 6
    source, coded = sheet[22:262].astype(float), sheet[22 + 266 :].astype(float)
    assert 0 < np.abs(source - coded).mean() < 10  # its largest file, of the same pictures


def test_cells_measured_at_a_time_are_those_measured_alone(tmp_path):
    quick = ("--frames", 5, "--codecs", "svt-av1", "--metrics", "psnr_y", "lpips_alex", "--parts", "rd")
    found = []
    for jobs in (1, 2):
        assert run(tmp_path / str(jobs), *quick, "--jobs", jobs).returncode == 0
        found.append(json.loads((tmp_path / str(jobs) / "results.json").read_text())["rows"])
        assert {row["jobs"] for row in found[-1]} == {jobs}
    for alone, beside in zip(*found, strict=True):
        assert (alone["level"], alone["bytes"]) == (beside["level"], beside["bytes"])
        assert alone["metrics"] == pytest.approx(beside["metrics"], rel=1e-5)


def test_speed_and_memory_of_a_scaled_clip(tmp_path):
    write_stills(tmp_path / "stills.mkv", range(40, 45))
    clip = prepare(tmp_path / "stills.mkv", 5, tmp_path)
    found = speed.of_size(clip, "416x240", 33, "--preset=fast")
    for side in ("encode", "decode"):
        assert found[side]["startup_seconds"] > 0 and found[side]["peak_bytes"] > 20e6
        assert found[side]["real_time"] == pytest.approx(found[side]["fps"] / 25)


def test_time_by_stage(tmp_path):
    write_stills(tmp_path / "stills.mkv", [*range(40, 50)] * 7)
    clip = prepare(tmp_path / "stills.mkv", 70, tmp_path)
    found = speed.of_stages(clip, "gp")
    assert found["pictures"] == 65 and min(found["encode"]["stills"], found["decode"]["latent_decode"]) > 0
    table = stages(found)
    rows = {name: values for name, *values in table.rows}
    assert rows["analysis"][1] == "" and float(rows["stills"][0]) > 0  # A decoder has no stage "analysis".
    for column in (0, 1):
        parts = sum(float(values[column] or 0) for name, values in rows.items() if name != "all")
        assert float(rows["all"][column]) == pytest.approx(parts, abs=0.5)


def test_threads_gain_until_the_serial_part_is_all_there_is():
    gops = [scaling.Gop(serial=1, shared=0, parallel=9)] * 40
    walls = {threads: scaling.wall(gops, threads) for threads in scaling.THREADS}
    assert walls[1] == 400  # All work, one piece after the other
    assert all(400 / threads <= wall <= 40 + 400 / threads for threads, wall in walls.items())
    assert walls[16] == 40 + 9  # All serial parts, then the last GOP's parallel part
    assert scaling.wall([scaling.Gop(1, 0, 0), scaling.Gop(1, 0, 5), scaling.Gop(1, 0, 0)], 2) == 7  # Order is kept
    assert scaling.wall([scaling.Gop(0, 8, 0)] * 50, 4) == pytest.approx(50 * 8 / 4, rel=0.1)  # What can be divided is
    alone = [scaling.Gop(serial=4, shared=0, parallel=1)] * 10
    assert scaling.wall(alone, 8, chains=6) == 6 * (40 + 1)  # Each chain begins when the one before is done
    assert scaling.wall(alone, 8, chains=6, at_once=3) == 2 * (40 + 1)


def test_gops_take_the_time_that_was_measured(tmp_path):
    found = speed.of_scaling(prepare(write_clip(tmp_path / "clip.mkv", frames=9), 9, tmp_path), "96x64", 40)
    for side in ("encode", "decode"):
        whole = sum(found[side][part] for part in ("serial", "shared", "parallel"))
        assert found[side]["gops"] > 1 and min(found[side]["serial"], found[side]["parallel"]) > 0
        assert found[side]["seconds"][1] == pytest.approx(found[side]["chains"] * whole)
        assert found[side]["seconds"][16] < found[side]["chains"] * whole


def test_the_level_of_the_nearest_size_is_found():
    sizes = {level: 100_000 // level for level in range(20, 64)}
    for size, level in ((2_500, 40), (10, 63), (10**6, 20), (3_000, 33)):
        assert versions.nearest(size, 20, 63, sizes.__getitem__) == (level, sizes[level])


def test_versions_are_measured_in_turns_and_told_side_by_side(tmp_path):
    write_stills(tmp_path / "stills.mkv", range(40, 45))
    clip = prepare(tmp_path / "stills.mkv", 5, tmp_path)
    ours = Path(sys.executable).with_name("gvc")
    other = tmp_path / "other" / ".venv" / "bin" / "gvc"
    other.parent.mkdir(parents=True)
    other.write_text(f'#!/bin/sh\necho "$1" >>{tmp_path}/turns\nexec {ours} "$@"\n')
    other.chmod(0o755)
    found = versions.of_job(clip, versions.Job("64x48", 6, ("--preset=fast",)), 2, tmp_path / "other")
    assert (tmp_path / "turns").read_text().split() == ["encode"] * 2 + ["decode"] * 2
    assert found["bytes"][versions.THIS] == found["bytes"][versions.OTHER] > 0
    costs = [found[side][version] for side in ("encode", "decode") for version in (versions.THIS, versions.OTHER)]
    assert all(cost["seconds"] > 0 and cost["processor_seconds"] > 0 and cost["peak_bytes"] > 20e6 for cost in costs)

    jobs = {
        job.name: found | {"job": job.name, "clip": "c", "scaled": True, "repeated": False} for job in versions.JOBS
    }
    rival = {"level": 30, "bytes": 1000} | found["encode"][versions.THIS]
    walls = {"gops": 20, "serial": 1.0, "shared": 1.0, "parallel": 6.0, "seconds": {"1": 8.0, "8": 2.0}}
    tables = version_tables(
        {
            "runs": 2,
            "other": "0123abc",
            "jobs": jobs,
            "first": None,
            "rivals": {"x265": rival},
            "bridge": {"encode": {"Python": (2.0, 3.0, 1), "plugin": (2.2, 3.0, 1)}},
            "scaling": {"encode": walls | {"chains": 12}, "decode": walls},
        }
    )
    assert tables[0].head == ["", "this", "0123abc", "this / it"]
    seconds = [found["encode"][version]["seconds"] for version in (versions.THIS, versions.OTHER)]
    name, *texts = tables[0].rows[0]
    assert name == "encode 1280x720, s"
    assert [float(text) for text in texts] == pytest.approx([*seconds, seconds[0] / seconds[1]], abs=0.006)
    assert tables[1].rows[1][-1] == "1.00" and tables[2].rows[0][3] == "+10.0 %"
    assert tables[3].rows[1] == ["8", "2.0", "4.0", "2.0", "4.0"]


def test_another_version_that_is_not_set_up_is_said(tmp_path):
    done = run(tmp_path, "--parts", "speed", "--against", tmp_path / "nothing")
    assert done.returncode == 1 and "nothing" in done.stderr and "Traceback" not in done.stderr


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


def test_targets_are_judged_in_the_window_and_said_with_what_was_compared():
    points = [(size, 30 + 3 * math.log2(size / 100)) for size in (100, 200, 400, 800, 1600, 3200)]
    half = [(size / 2, quality) for size, quality in points]
    found = [*rows("gvc-flf2v", "0", half), *rows("x265", "", points), *rows("floor", "", half)]
    summary = Summary({"clips": [{"name": "c"}], "rows": found})
    (table,) = targets(summary)
    assert table.head == ["", "PSNR Y against x265: -1 dB", "PSNR Y against the floor: more"]
    assert table.rows == [
        ["c", "+3.00 dB (9 of 9) ✓", "+0.00 dB (9 of 9)"],
        ["mean", "+3.00 dB", "+0.00 dB"],
        ["reached", "1 of 1", "0 of 1"],
    ]
    everything, window = bd_rates(summary, "c").rows
    assert everything == ["GVC flf2v, realism 0, against x265 veryslow, all rates", "-50 % (30.00 to 45.00, 100%)"]
    assert window[1].startswith("-50 % (") and window[1].endswith(", 100%)")
    narrow = Summary(summary.result | {"window": (0.1, 0.2)})
    assert targets(narrow)[0].rows[0] == ["c", "–", "–"]


def test_all_are_compared_with_svt_av1_clip_by_clip():
    points = [(size, 30 + 3 * math.log2(size / 100)) for size in (100, 200, 400, 800)]
    half, far = ([(scale * size, quality + gain) for size, quality in points] for scale, gain in ((0.5, 0), (1, 50)))
    found = [*rows("gvc-flf2v", "0", half), *rows("x265", "", far), *rows("svt-av1", "", points)]
    for row, flicker in zip(found, (2, 4, 8, 16) * 3, strict=True):
        row["metrics"]["flicker"] = flicker
    ours, everything = anchored(Summary({"clips": [{"name": "c"}], "rows": found}))
    assert ours.head == everything.head == ["", "PSNR Y", "flicker"]
    assert ours.rows == [["c", "-50.0 % (100%)", "2.00"], ["mean", "-50.0 %", "2.00"], ["worst", "-50.0 %", "2.00"]]
    assert everything.rows == [
        ["GVC flf2v, realism 0", "-50.0 % (1)", "2.00 (1)"],
        ["x265 veryslow", "–", "1.00 (1)"],
    ]
    assert not anchored(Summary({"clips": [{"name": "c"}], "rows": rows("x265", "", points)}))


def test_the_rate_distortion_function_of_gaussian_values():
    white = np.ones(64)
    assert rate_of(white, 0.25) == pytest.approx(1, abs=1e-6)
    assert distortion_of(white, 2) == pytest.approx(1 / 16, abs=1e-6)
    mixed = np.array([4.0, 1.0, 0.25, 0.25])  # With a water level of 1/2 the last two values are not coded.
    assert rate_of(mixed, 0.375) == pytest.approx((1.5 + 0.5) / 4, abs=1e-6)
    assert distortion_of(mixed, 0.5) == pytest.approx(0.375, abs=1e-6)


def test_prices_of_a_clip(tmp_path):
    small = prepare(write_clip(tmp_path / "small.mkv", frames=9, size=(64, 48)), 9, tmp_path)
    found = of_clip(small, {"mode": "t2v", "quality": 40, "preset": "fast"})
    assert found["gops"] == found["blocks"] == 1
    assert 0 < found["kl_bits"] < found["ideal_bits"] < found["coded_bits"]
    times = [step["t"] for step in found["steps"]]
    assert times[0] == 1 and times == sorted(times, reverse=True)
    paper = of_clip(small, {"mode": "i2v", "gop": 5, "preset": "gvcc", "atoms": 7})
    steps = 17  # with noise, in each GOP
    assert paper["gops"] == 2 and [step["atoms"] for step in paper["steps"]] == [7] * steps * 2


def test_no_coder_of_gaussian_values_beats_the_theory():
    found = of_gaussian("white")
    ours, paper = found["ancestral"], found["paper"]
    assert all(point["least_rate"] < point["rate"] < 1.7 * point["least_rate"] for point in ours)
    assert all(point["least_rate"] < point["rate"] and point["gap_db"] > 0 for point in paper)
