# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The prior `neural`: its effect on pictures, and the choice between it and `gp` by prior=auto."""

import json
import subprocess
import sys
from fractions import Fraction
from importlib.resources import files
from itertools import islice

import av
import numpy as np
import pytest
from clips import decode, encode, moving_clip, psnr, same
from make_golden import FOLDER, decode_planes, read_stream
from safetensors.torch import load, save

from gvc.cli.checks import _speeds
from gvc.decoder import Decoder
from gvc.errors import PriorError
from gvc.machine.processors import processors
from gvc.media import Picture, VideoFormat
from gvc.prior import DEFAULT_OPTIONS, ModelOptions
from gvc.priors import auto as choice
from gvc.priors import open_prior
from gvc.priors.auto import open_chosen
from gvc.priors.gp.texture import bounded
from gvc.priors.neural import VERSIONS, NeuralPrior
from gvc.priors.neural.inputs import pack, unpack

CLIP = "assets/city_416x240.mp4"
FAST = {"preset": "fast", "quality": 20}


@pytest.fixture(scope="module")
def city():
    """Return a third of a second of the sample clip, and it coded with both priors."""
    with av.open(CLIP) as container:
        frames = [frame.to_ndarray(format="yuv420p") for frame in islice(container.decode(video=0), 9)]
    chroma = (2, 120, 208)
    pictures = [Picture((f[:240], *f[240:].reshape(chroma)), pts, 1) for pts, f in enumerate(frames)]
    return pictures, {prior: encode(pictures, prior=prior, gop=9, **FAST)[:2] for prior in ("gp", "neural")}


def test_the_same_bits_make_pictures_no_worse(city):
    pictures, coded = city
    shown = {prior: decode(*stream) for prior, stream in coded.items()}
    assert [len(p.data) for p in coded["gp"][1]][1:] == [len(p.data) for p in coded["neural"][1]][1:]
    assert psnr(pictures, shown["neural"]) > psnr(pictures, shown["gp"]) - 0.1


def test_realism_sharpens(city):
    pictures, (extradata, packets) = city[0], city[1]["neural"]

    def sharpness(shown):
        return np.mean([np.abs(np.diff(p.planes[0].astype(int), axis=1)).mean() for p in shown])

    plain, real = (decode(extradata, packets, realism=realism) for realism in (0, 1))
    assert sharpness(plain) < sharpness(real) < 1.1 * sharpness(pictures)
    assert psnr(pictures, real) > psnr(pictures, plain) - 1


def test_flat_places_bear_no_texture():
    rng = np.random.default_rng(0)
    plain = np.full((1, 64, 96), 100, np.uint8)
    plain[:, :, 48:] = rng.integers(60, 140, (64, 48))
    real = (plain + rng.integers(-8, 9, plain.shape)).astype(np.uint8)
    change = np.abs(bounded(plain, real, 0.0, 1.0).astype(int) - plain)
    assert change[:, :, :36].max() <= 1
    assert np.array_equal(change[:, :, 60:], np.abs(real.astype(int) - plain)[:, :, 60:])


@pytest.mark.parametrize("mode", ["t2v", "i2v", "flf2v"])
@pytest.mark.parametrize("size", [(1, 1), (65, 33), (100, 18)])
def test_all_modes_and_sizes(mode, size):
    pictures = moving_clip(11, *size)
    extradata, packets, reconstruction = encode(pictures, mode=mode, prior="neural", gop=5, preset="fast", quality=60)
    decoded = decode(extradata, packets)
    assert same(decoded, reconstruction)
    assert psnr(pictures, decoded) > 24


def test_seeking_shows_the_same_pictures(city):
    pictures, _ = city
    extradata, packets, _ = encode(pictures, prior="neural", keyint=4, **FAST)
    second = next(i for i, packet in enumerate(packets) if i and packet.key)
    whole, decoder = decode(extradata, packets), Decoder(extradata)
    sought = [picture for packet in packets[second:] for picture in decoder.decode(packet)]
    assert same(sought, whole[second:])


def test_arithmetic_does_not_show(city):
    extradata, packets = city[1]["neural"]
    exact, short = (decode(extradata, packets, dtype=dtype) for dtype in ("float32", "bfloat16"))
    assert psnr(exact, short) > 50


def test_other_weights_are_refused(city):
    extradata, packets = city[1]["neural"]
    weights = load(files("gvc.priors.neural").joinpath(VERSIONS[max(VERSIONS)].weights).read_bytes())
    other = NeuralPrior(save({name: 2 * tensor for name, tensor in weights.items()}), DEFAULT_OPTIONS)
    decoder = Decoder(extradata, opener=lambda *_: other)
    with pytest.raises(PriorError, match="other weights"):
        decoder.decode(packets[0])


def test_streams_name_their_prior(city):
    assert {prior: Decoder(stream[0]).header.prior for prior, stream in city[1].items()} == {
        "gp": "gp/4",
        "neural": "neural/4",
    }


def notes(cache):
    return sorted((cache / "gvc/speed").glob("*.json"))


def open_auto(rate=Fraction(25), width=416, height=240, opener=open_prior):
    return open_chosen("auto", VideoFormat(width, height, rate), ModelOptions(), opener)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Use an empty cache folder, and forget measurements of this process."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(choice, "_measured", {})
    return tmp_path


@pytest.mark.parametrize(("rate", "chosen"), [(Fraction(1, 100), "neural/4"), (Fraction(100000), "gp/4")])
def test_auto_takes_what_this_machine_can_play(cache, rate, chosen):
    found = open_auto(rate)
    assert found.prior.name == chosen and chosen.partition("/")[0] in found.reason
    assert open_chosen("gp", VideoFormat(416, 240, rate), ModelOptions(), open_prior).reason == ""


def test_auto_opens_each_prior_once_and_as_it_is_told(cache):
    opened = []

    def opener(spec, options):
        opened.append(spec)
        return open_prior(spec, options)

    assert open_auto(Fraction(1, 100), opener=opener).prior.name == "neural/4"
    assert opened == ["neural"]
    open_auto(Fraction(1, 100), opener=opener)
    open_auto(Fraction(100000), opener=opener)
    assert opened == ["neural", "neural", "gp"]


def test_auto_goes_by_what_was_measured_once(cache, monkeypatch):
    open_auto()
    (note,) = notes(cache)
    measured = note.read_text()
    seconds = json.loads(measured)["value"]
    for value, name in ((1e-9, "neural/4"), (1e9, "gp/4")):
        note.write_text(measured.replace(str(seconds), str(value)))
        assert open_auto().prior.name == open_auto().prior.name
        monkeypatch.setattr(choice, "_measured", {})  # Simulates a new process.
        assert open_auto().prior.name == name
    assert open_auto(width=400).prior.name == "gp/4" and len(notes(cache)) == 1  # Both sizes belong to one class.
    open_auto(width=96, height=64)
    assert len(notes(cache)) == 2


@pytest.mark.parametrize("content", ["", "no JSON", "[]", '"value"', '{"label": 1, "value": 2}', "VALUE", "LABEL"])
def test_auto_measures_anew_where_a_note_is_damaged_or_of_another_machine(cache, monkeypatch, content):
    open_auto(width=64, height=64)
    (note,) = notes(cache)
    kept = json.loads(note.read_text())
    damaged = {"VALUE": kept | {"value": -1.0}, "LABEL": {**kept, "label": kept["label"] | {"machine": "another"}}}
    note.write_text(json.dumps(damaged[content]) if content in damaged else content)
    monkeypatch.setattr(choice, "_measured", {})
    open_auto(width=64, height=64)
    mended = json.loads(note.read_text())
    assert mended["label"] == kept["label"] and mended["value"] > 0


def test_auto_stays_with_its_choice_where_nothing_can_be_kept(cache, monkeypatch):
    (cache / "gvc").touch()  # A file takes the place of the folder.
    first = open_auto()
    assert "cannot be kept" in first.reason
    monkeypatch.setattr(NeuralPrior, "seconds", lambda *_: pytest.fail("it measured again"))
    assert open_auto().reason == first.reason


def test_what_is_measured_does_not_count_what_other_programs_do(cache):
    network = open_prior("neural", ModelOptions())
    idle = network.seconds(64)
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3 * processors())]
    try:
        busy = network.seconds(64)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    assert busy < 3 * idle  # Wall-clock time would be four times as long.


def test_auto_by_option(cache):
    pictures = moving_clip(3)
    extradata, packets, _ = encode(pictures, prior="auto", preset="fast")
    assert Decoder(extradata).header.prior in ("gp/4", "neural/4")
    assert same(decode(extradata, packets, prior="auto"), decode(extradata, packets))
    assert "64x64" in _speeds().found and str(cache) in _speeds().found


def test_packing_is_undone():
    rng = np.random.default_rng(0)
    clip = tuple(rng.integers(0, 256, (2, *shape), np.uint8) for shape in VideoFormat(35, 21).plane_shapes)
    assert all((a == b).all() for a, b in zip(unpack(pack(*clip), 21, 35), clip, strict=True))


def test_models_are_named_in_the_error():
    with pytest.raises(PriorError, match="gp, neural, wan:"):
        open_prior("neurl")


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(PriorError, match="the device cuda:99 cannot be used"):
        open_prior("neural", ModelOptions(device="cuda:99"))


@pytest.mark.parametrize("vector", ["neural1/flf2v", "neural2/t2v", "neural3/i2v"])
def test_streams_of_older_versions_are_decoded(vector):
    extradata, packets = read_stream(FOLDER / f"{vector}.gvc")
    assert Decoder(extradata).header.prior.replace("/", "") == vector.partition("/")[0]
    found = decode_planes(extradata, packets)
    with np.load(FOLDER / f"{vector}.npz") as expected:
        for plane in expected:
            assert np.abs(found[plane].astype(int) - expected[plane]).mean() < 0.5  # The network may use 16 or 32 bits.


@pytest.mark.parametrize("realism", [0, 1])
def test_a_large_picture_passes_the_network_in_strips(city, realism, monkeypatch):
    """The result is the same as for the whole picture."""
    extradata, packets = city[1]["neural"]
    exact = {"dtype": "float32", "realism": realism}
    whole = decode(extradata, packets, **exact)
    monkeypatch.setattr("gvc.priors.neural.prior.LARGEST", 2**15)  # The strips have 8 rows at half size.
    for strips, picture in zip(decode(extradata, packets, **exact), whole, strict=True):
        for a, b in zip(strips.planes, picture.planes, strict=True):
            different = a != b
            assert different.mean() < 1e-3 and np.abs(a.astype(int) - b).max() <= 1
