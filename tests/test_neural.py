"""The prior with a learned last step: what it does to pictures, and what it is chosen by."""

from fractions import Fraction
from importlib.resources import files
from itertools import islice

import av
import numpy as np
import pytest
from clips import decode, encode, moving_clip, psnr, same
from make_golden import FOLDER, decode_planes, read_stream
from safetensors.torch import load, save

from gvc.decoder import Decoder
from gvc.errors import PriorError
from gvc.media import Picture, VideoFormat
from gvc.priors import open_prior
from gvc.priors.base import DEFAULT_OPTIONS, ModelOptions
from gvc.priors.choice import chosen_prior
from gvc.priors.gp.texture import bounded
from gvc.priors.neural import VERSIONS, NeuralPrior
from gvc.priors.neural.inputs import pack, unpack

CLIP = "assets/city_416x240.mp4"
FAST = {"preset": "fast", "quality": 20}


@pytest.fixture(scope="module")
def city():
    """A third of a second of the sample clip, and both priors' files of it."""
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


@pytest.mark.parametrize(("rate", "chosen"), [(Fraction(1, 100), "neural"), (Fraction(100000), "gp")])
def test_auto_takes_what_this_machine_can_play(rate, chosen):
    assert chosen_prior("auto", VideoFormat(416, 240, rate), ModelOptions()) == chosen
    assert chosen_prior("gp", VideoFormat(416, 240, rate), ModelOptions()) == "gp"


def test_auto_by_option():
    pictures = moving_clip(3)
    extradata, packets, _ = encode(pictures, prior="auto", preset="fast")
    assert Decoder(extradata).header.prior in ("gp/4", "neural/4")
    assert same(decode(extradata, packets, prior="auto"), decode(extradata, packets))


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
            assert np.abs(found[plane].astype(int) - expected[plane]).mean() < 0.5  # of 16 or 32 bits
