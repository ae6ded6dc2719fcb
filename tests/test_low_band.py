# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Steps at low resolution: the low band of latents, its flow, and whole streams."""

import json
import math

import pytest
import torch
from clips import decode, encode, moving_clip, same
from gvc_container.mux import Muxer
from smooth import condition_of, smooth_clip
from test_specification import TEXT
from tiny_ltx import build_tiny_ltx
from tiny_skyreels import build_tiny_skyreels
from tiny_ti2v import build_tiny_ti2v

from gvc.bitstream import GopUnit, SequenceHeader, parse_sequence_header
from gvc.bitstream.levels import level_time, matched_levels
from gvc.cli.info import info
from gvc.encoder import Encoder
from gvc.errors import OptionError
from gvc.gop.rule import rule_of
from gvc.loop.denoise import denoise, finish
from gvc.loop.noise import FILL, ReplayNoise
from gvc.loop.search import SearchNoise
from gvc.media import VideoFormat
from gvc.priors import open_prior
from gvc.priors.low_band import _dct, reduced, truncation
from gvc.priors.shared import FairLock, SharedPrior
from gvc.priors.wan_conditioned import ConditionedWan

VIDEO, PICTURES = VideoFormat(128, 96), 5
START, STOP, STRIDE = 480, 288, 16


def conditioned(prior, mode="t2v", video=VIDEO, pictures=PICTURES):
    return prior.condition(condition_of(mode, video, smooth_clip(video, pictures)), b"")


def fields(mode="t2v", **values):
    return SequenceHeader(format=VIDEO, mode=mode, transition="ancestral", prior="wan/t2v", **values)


@pytest.fixture(scope="module")
def specs(tmp_path_factory, wan_folders):
    """Return what opens a tiny model of each kind of conditioning, by kind, with the mode to try."""
    ltx, skyreels, ti2v = (tmp_path_factory.mktemp(name) for name in ("ltx", "skyreels", "ti2v"))
    return {
        "channels": (f"wan:{wan_folders['flf2v']}", "flf2v"),
        "control": (f"wan:{wan_folders['vace']}", "flf2v"),
        "tokens": (f"wan:{build_tiny_ti2v(ti2v)}", "i2v"),
        "frame before": (f"ltx:{build_tiny_ltx(ltx, '0.9.5')}", "flf2v"),
        "frame behind": (f"skyreels:{build_tiny_skyreels(skyreels)}", "flf2v"),
    }


KINDS = ("channels", "control", "tokens", "frame before", "frame behind")

# The transform


@pytest.mark.parametrize(("side", "low"), [(12, 6), (13, 9), (7, 7), (5, 1)])
def test_truncation_keeps_white_noise_white_and_smooth_things_smooth(side, low):
    matrix = truncation(side, low)
    assert matrix.shape == (low, side)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(low), atol=1e-6, rtol=0)
    torch.testing.assert_close(matrix @ torch.ones(side), torch.full((low,), math.sqrt(side / low)))
    wave = torch.cos(math.pi * (torch.arange(side) + 0.5) / side)
    small = torch.cos(math.pi * (torch.arange(low) + 0.5) / low)
    expected = math.sqrt(side / low) * small if low > 1 else torch.zeros(1)
    torch.testing.assert_close(matrix @ wave, expected, atol=1e-5, rtol=1e-5)


def test_sizes_are_whole_tokens_and_those_of_the_document():
    assert [reduced(90, 2, 67), reduced(160, 2, 67), reduced(60, 2, 50), reduced(2, 2, 1)] == [60, 108, 30, 2]
    gain = math.sqrt(90 * 160 / (60 * 108))
    assert f"at t = 1/2 u is\n{(0.5 / (0.5 + gain * 0.5)).hex()}." in TEXT
    rows = truncation(4, 2)
    assert "first row of A is " + ", ".join(f"{value:.6f}" for value in rows[0].tolist()) + ";" in TEXT
    torch.testing.assert_close(rows[1], rows[0].flip(0))


@pytest.mark.parametrize("size", [50, 67, 99])
def test_a_vector_is_its_low_band_and_the_rest(wan_priors, size):
    whole = conditioned(wan_priors["t2v"])
    band = whole.low_band(size)
    assert band is whole.low_band(size)
    assert (
        (band.size < whole.size) == (size < 99)
        and len(band.blocks) == len(whole.blocks)
        and band.zeros().shape == (band.size,)
    )
    a, b = (torch.randn(whole.size, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    joined = band.extend(band.restrict(a), b)
    torch.testing.assert_close(band.restrict(joined), band.restrict(a), atol=1e-5, rtol=0)
    torch.testing.assert_close(band.extend(band.restrict(b), joined), b, atol=1e-5, rtol=0)  # All else was b's.
    torch.testing.assert_close(joined.square().mean(), torch.tensor(1.0), atol=0.03, rtol=0)
    assert band.restrict(a).square().mean().item() == pytest.approx(1, abs=0.05)


# The flow


class Fields(ConditionedWan):
    """A model of Gaussian fields that is right at each resolution: the amplitude of a wave does not depend on it.

    The variance of a coefficient of the DCT is the number of values of a plane, divided by a power of the frequency.
    """

    def transforms(self):
        rows, columns = (_dct(side).float() for side in self.shape[2:])
        y, x = (torch.arange(side) for side in self.shape[2:])
        variance = math.prod(self.shape[2:]) * 0.02 / (1 + y[:, None] ** 2 + x**2) ** 1.5
        return rows, columns, variance

    def predict(self, latent, t):
        rows, columns, variance = self.transforms()
        gain = (1 - t) * variance / ((1 - t) ** 2 * variance + t * t)
        return (latent - rows.T @ (gain * (rows @ latent @ columns.T)) @ columns) / t

    def sample(self):
        rows, columns, variance = self.transforms()
        white = torch.randn(self.shape, generator=torch.Generator().manual_seed(5))
        return (rows.T @ (variance.sqrt() * white) @ columns).flatten()


@pytest.fixture
def gaussian(wan_priors):
    return Fields(wan_priors["t2v"], condition_of("t2v", VIDEO, smooth_clip(VIDEO, PICTURES)))


@pytest.mark.parametrize("size", [50, 75])
@pytest.mark.parametrize("t", [1.0, 0.8, 0.3])
def test_the_flow_of_the_low_band_is_the_low_band_of_the_flow(gaussian, size, t):
    """It follows from amplitude and time with which the model is called at the lower resolution."""
    x = torch.randn(gaussian.size, generator=torch.Generator().manual_seed(3))
    band = gaussian.low_band(size)
    expected = band.restrict(gaussian.velocity(x, t))
    torch.testing.assert_close(band.velocity(band.restrict(x), t), expected, atol=1e-4, rtol=1e-4)


def coded(model, x0, steps, stop=STOP, **values):
    """Return (error of the clean latent, bits, state, time), after checking that a decoder comes to the same state."""
    header = fields(lowres_steps=steps, **values)
    unit = GopUnit(header=header, index=0, shown=PICTURES, start=START, stop=stop, stride=STRIDE)
    with SearchNoise(model, header, 0, x0, matched_levels(START, stop, STRIDE)) as noise:
        x, t = denoise(model, rule_of(header, unit), noise)
        atoms = noise.finish()
    rule = rule_of(header, unit)
    with ReplayNoise(model, header, 0, atoms, rule.noisy) as replay:
        again, _ = denoise(model, rule, replay)
        replay.finish()
    assert torch.equal(again, x)
    return float((finish(model, x, t, 0.0) - x0).square().mean()), noise.bits, x, t


def test_steps_at_low_resolution_cost_few_bits_and_reach_the_source(gaussian):
    """With a model that is right at each resolution, bits and error are nearly those of steps at full resolution."""
    x0 = gaussian.sample()
    plain_error, plain_bits, *_ = coded(gaussian, x0, 0)
    error, bits, *_ = coded(gaussian, x0, 5)
    assert error == pytest.approx(plain_error, rel=0.03) and bits == pytest.approx(plain_bits, rel=0.05)
    cached_error, cached_bits, *_ = coded(gaussian, x0, 5, x0_cache=1, x0_warmup=1)
    assert cached_error < 1.1 * plain_error and cached_bits < 1.3 * plain_bits


@pytest.mark.parametrize("steps", [13, 255])
def test_after_the_change_of_resolution_the_state_is_one_of_its_time(gaussian, steps):
    """In the low band it is the signal of its time and noise; all else is noise alone."""
    x0, band = gaussian.sample(), gaussian.low_band(50)
    _, _, x, t = coded(gaussian, x0, steps)  # 13 steps are all that there are
    assert t == level_time(STOP)
    low, signal = band.restrict(x), band.restrict(x0)
    share = float(low @ signal / (signal @ signal))
    assert share == pytest.approx(1 - t, rel=0.02)
    assert (low - share * signal).std().item() == pytest.approx(t, rel=0.2)
    noise = SearchNoise(gaussian, fields(lowres_steps=steps), 0, x0)
    fill = noise.fill()
    assert torch.equal(fill, noise._whole.noise(FILL)) and fill.std().item() == pytest.approx(1, rel=0.03)
    nothing = torch.zeros(band.size)
    torch.testing.assert_close(band.extend(nothing, x), band.extend(nothing, t * fill), atol=1e-5, rtol=0)


def test_random_weights_reach_the_source_too(wan_priors):
    model = conditioned(wan_priors["t2v"])
    x0 = model.encode_latent(smooth_clip(VIDEO, PICTURES))
    errors = [coded(model, x0, steps, stop=224)[0] for steps in (0, 8)]
    assert errors[1] < 1.1 * errors[0] < 0.01 * x0.square().mean()


def test_what_is_known_is_in_the_state_at_once(wan_priors):
    model = conditioned(wan_priors["i2v"], "i2v")
    (known,) = model.known
    band = model.low_band(50)
    assert torch.equal(band.known[0].values, band.restrict(known.values))
    assert band.known[0].part == band.blocks[0]
    _, _, x, t = coded(model, model.encode_latent(smooth_clip(VIDEO, PICTURES)), 5, stop=384)
    noise = (x[known.part] - (1 - t) * known.values) / t
    assert noise.std().item() == pytest.approx(1, rel=0.05)


# What the network sees


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_is_shown_the_low_band_of_everything(specs, kind):
    spec, mode = specs[kind]
    prior = open_prior(spec)
    whole, calls = conditioned(prior, mode), []
    band = whole.low_band(50)
    hook = prior.network.register_forward_pre_hook(lambda _, _args, given: calls.append(given), with_kwargs=True)
    ones = torch.ones(whole.size)
    with hook:
        whole.velocity(ones, 0.5)
        band.velocity(band.restrict(ones), 0.5)
    full, low = calls
    time = 0.5 / (0.5 + 0.5 * band.gain)
    assert low["timestep"].max() == pytest.approx(1000 * time)
    for name in ("hidden_states", "control_hidden_states"):
        if name in full and full[name].dim() == 5:
            expected = band._truncated(full[name]) / band.gain
            state = slice(0, whole.shape[1]) if name == "hidden_states" else slice(0, 0)
            # The state, all ones here, is scaled to the earlier time; known frames in it and all else are not.
            unknown = (full[name][:, state] == 1).all(dim=1, keepdim=True)[..., :1, :1]
            scale = torch.where(unknown, band.gain * time / 0.5, 1.0)
            expected[:, state] *= scale
            torch.testing.assert_close(low[name], expected, atol=1e-5, rtol=1e-5)
    tokens = [given["hidden_states"].shape for given in (full, low)]
    assert math.prod(tokens[1]) < 0.5 * math.prod(tokens[0])
    if kind == "frame before":
        assert low["video_coords"].shape[2] == tokens[1][1] and low["video_coords"][0, 1].max() < VIDEO.height / 2


def test_users_of_a_shared_model_take_turns_at_low_resolution_too(wan_priors):
    turns = []
    shared = SharedPrior(wan_priors["t2v"], FairLock(), lambda: turns.append(1))
    band = conditioned(shared).low_band(50)
    before = len(turns)
    assert band.velocity(band.zeros(), 0.5).shape == (band.size,) and len(turns) == before + 1


# Streams

OPTIONS = {"gop": 5, "preset": "fast", "quality": 40, "lowres_steps": 6}


MORE = [
    {"preset": "gvcc", "atoms": 8, "x0_cache": 1},
    {"mode": "i2v", "preset": "gvcc", "atoms": 8, "lowres_steps": 20},
    {"x0_cache": 3, "x0_warmup": 2, "lowres_size": 67},
    {"bitrate": 28_500, "lowres_steps": 255},
]


@pytest.mark.parametrize(
    ("kind", "size", "extra"),
    [*((kind, (49, 35), {}) for kind in KINDS), *(("control", (17, 9), more) for more in MORE)],
)
def test_streams_decode_to_what_the_encoder_saw(specs, kind, size, extra):
    prior, mode = specs[kind]
    extradata, packets, shown = encode(moving_clip(6, *size), **OPTIONS | {"prior": prior, "mode": mode} | extra)
    assert same(decode(extradata, packets, prior=prior), shown)


@pytest.mark.parametrize("prior", ["gp", "neural"])
def test_priors_without_latent_frames_refuse_it(prior):
    with pytest.raises(OptionError, match="leave lowres_steps out"):
        Encoder(VIDEO, {"prior": prior, "lowres_steps": 4})


def test_the_header_says_what_the_options_say(wan_folders):
    options = {"prior": f"wan:{wan_folders['t2v']}", "mode": "t2v"}
    header = parse_sequence_header(Encoder(VIDEO, {**options, "lowres_steps": 9, "lowres_size": 67}).extradata)
    assert (header.lowres_steps, header.lowres_size) == (9, 67)
    plain = Encoder(VIDEO, {**options, "lowres_size": 67, "x0_warmup": 3})  # They have no effect alone.
    assert plain.header.tools == 0 and parse_sequence_header(plain.extradata) == plain.header


def test_calls_are_counted(wan_folders, tmp_path, capsys):
    prior, path = f"wan:{wan_folders['t2v']}", tmp_path / "film.mkv"
    options = {"preset": "gvcc", "atoms": 4, "lowres_steps": 8, "x0_cache": 1}
    extradata, packets, _ = encode(moving_clip(5, 64, 48), prior=prior, mode="t2v", gop=5, **options)
    with Muxer(path, extradata, VideoFormat(64, 48)) as muxer:
        for packet in packets:
            muxer.write(packet)
    info(path, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert [(gop["calls"], gop["lowres_calls"]) for gop in found["gops"]] == [(8, 4)]
    assert found["relative_cost"] == pytest.approx((8 + 4 / 4) / 20)
    assert (found["sequence"]["lowres_steps"], found["sequence"]["lowres_size"]) == (8, 50)
    info(path, as_json=False)
    text = " ".join(capsys.readouterr().out.split())
    assert "8 calls of the prior and 4 at 50 % of each side, x0-cache 1, about 45 % of the work" in text


def test_calls_of_short_loops():
    """The last call is for the clean latent, at full resolution."""
    unit = GopUnit(index=0, shown=1, start=400, stop=380, stride=10)
    assert [rule_of(fields(lowres_steps=steps), unit).calls for steps in (0, 2, 3, 9)] == [
        (4, 0),
        (2, 2),
        (1, 3),
        (1, 3),
    ]
