"""The Wan prior and its colour conversion, on tiny random weights."""

import shutil

import numpy as np
import pytest
import torch
from tiny_wan import build_tiny_wan

from gvc.bitstream import GopUnit, SequenceHeader
from gvc.colour import from_rgb, to_rgb
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import BitstreamError, PriorError
from gvc.loop import denoise, finish, rule_of
from gvc.media import Picture, VideoFormat
from gvc.noise import ReplayNoise, SearchNoise
from gvc.priors.base import Condition, ModelOptions
from gvc.priors.wan import WanPrior
from gvc.schedule import matched_levels, sigma_level

FLAVOURS = ("t2v", "i2v", "flf2v")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for each other on a busy machine make these tiny networks a hundred times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {flavour: build_tiny_wan(tmp_path_factory.mktemp(flavour), flavour) for flavour in FLAVOURS}


@pytest.fixture(scope="module")
def priors(folders):
    return {flavour: WanPrior.from_pretrained(folder) for flavour, folder in folders.items()}


def make_clip(video_format, frames, seed=0):
    """Smooth moving colours, in gamut."""
    phases = np.random.default_rng(seed).uniform(0, 6, 3)
    clip = []
    for (height, width), phase, swing in zip(video_format.plane_shapes, phases, (60, 25, 25), strict=True):
        t, y, x = np.ogrid[:frames, : float(height), : float(width)]
        wave = np.sin(phase + 0.4 * t + 2 * y / height) * np.cos(phase - 0.2 * t + 2 * x / width)
        clip.append(np.round(128 + swing * wave).astype(np.uint8))
    return tuple(clip)


def picture(clip, index):
    return tuple(plane[index] for plane in clip)


def conditioned(prior, video_format, clip):
    """Condition `prior` on the boundaries that it takes."""
    first = picture(clip, 0) if prior.flavour != "t2v" else None
    last = picture(clip, -1) if prior.flavour == "flf2v" else None
    return prior.condition(Condition(video_format, len(clip[0]), first, last), b"")


def stretch(clip, frames, height, width):
    """Pad a clip of even size by repeating its edges."""
    result = []
    for plane, factor in zip(clip, (1, 2, 2), strict=True):
        size = (frames, height // factor, width // factor)
        result.append(np.pad(plane, [(0, n - m) for n, m in zip(size, plane.shape, strict=True)], mode="edge"))
    return tuple(result)


# Colour


@pytest.mark.parametrize(
    ("matrix", "color_range", "height", "red"),
    [
        (1, 1, 64, (63, 102, 240)),
        (6, 1, 64, (81, 90, 240)),
        (6, 2, 64, (76, 85, 255)),
        (2, 0, 576, (81, 90, 240)),  # unspecified: BT.601 below 720 lines
        (2, 0, 720, (63, 102, 240)),  # and BT.709 from there
        (9, 1, 64, (74, 97, 240)),
    ],
)
def test_pure_red_has_the_code_values_of_its_standard(matrix, color_range, height, red):
    video_format = VideoFormat(16, height, colorspace=matrix, color_range=color_range)
    clip = tuple(
        np.full((1, *shape), code, np.uint8) for shape, code in zip(video_format.plane_shapes, red, strict=True)
    )
    expected = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1, 1)
    assert (to_rgb(clip, video_format) - expected).abs().max() < 0.02
    for plane, code in zip(from_rgb(expected.expand(1, 3, 1, height, 16), video_format), red, strict=True):
        assert (plane == code).all()


@pytest.mark.parametrize("chroma_location", range(7))
@pytest.mark.parametrize("size", [(64, 48), (33, 17), (1, 1)])
def test_rgb_and_back_keeps_smooth_pictures(size, chroma_location):
    video_format = VideoFormat(*size, chroma_location=chroma_location)
    clip = make_clip(video_format, 3)
    back = from_rgb(to_rgb(clip, video_format), video_format)
    for before, after in zip(clip, back, strict=True):
        assert after.dtype == np.uint8
        assert np.abs(before.astype(int) - after.astype(int)).max() <= 2


@pytest.mark.parametrize(("chroma_location", "shift"), [(0, 0.0), (1, 0.0), (2, -0.5), (3, 0.0)])
def test_chroma_lies_where_the_stream_says(chroma_location, shift):
    video_format = VideoFormat(32, 8, chroma_location=chroma_location, color_range=2, colorspace=6)
    ramp = np.broadcast_to(np.arange(110, 142, 2, dtype=np.uint8), (1, 4, 16))
    grey = np.full((1, 8, 32), 128, np.uint8)
    red = to_rgb((grey, np.full_like(ramp, 128), ramp), video_format)[0, 0, 0, 4]
    position = ((red + 1) / 2 * 255 - 128) / 1.402 + 128 - 110  # Cr of each column, in luma samples
    assert torch.allclose(position[1:-2], torch.arange(1.0, 30.0) + shift, atol=1e-3)


# Latents


@pytest.mark.parametrize(("width", "height", "frames"), [(64, 48, 9), (50, 35, 6), (17, 1, 2), (16, 16, 1)])
def test_any_size_and_length_comes_back_with_its_own_shape(priors, width, height, frames):
    video_format = VideoFormat(width, height)
    clip = make_clip(video_format, frames)
    prior = conditioned(priors["flf2v"], video_format, clip)
    decoded = prior.decode_latent(prior.encode_latent(clip), 0.0)
    assert [p.shape for p in decoded] == [(frames, *shape) for shape in video_format.plane_shapes]
    assert all(p.dtype == np.uint8 for p in decoded)


def test_padding_repeats_the_last_frame_row_and_column(priors):
    small, large = VideoFormat(40, 22), VideoFormat(48, 32)
    clip = make_clip(small, 7)
    latent = conditioned(priors["t2v"], small, clip).encode_latent(clip)
    clip = stretch(clip, 9, 32, 48)
    assert torch.equal(latent, conditioned(priors["t2v"], large, clip).encode_latent(clip))


def test_a_block_is_a_latent_frame(priors):
    """Wan's VAE is causal: other pictures at the end of a clip leave all but its last latent frame as they were."""
    video_format = VideoFormat(32, 32)
    clip, other = make_clip(video_format, 13), make_clip(video_format, 13, seed=1)
    mixed = tuple(np.concatenate((a[:9], b[9:])) for a, b in zip(clip, other, strict=True))
    prior = conditioned(priors["t2v"], video_format, clip)
    latent, mixed_latent = prior.encode_latent(clip), prior.encode_latent(mixed)
    assert [torch.equal(latent[b], mixed_latent[b]) for b in prior.blocks] == [True, True, True, False]
    assert [i for b in prior.blocks for i in range(*b.indices(prior.size))] == list(range(prior.size))


def test_latents_are_normalised_and_decoded_back(priors):
    video_format = VideoFormat(32, 32)
    clip = make_clip(video_format, 5)
    vae, prior = priors["t2v"].vae, conditioned(priors["t2v"], video_format, clip)
    mode = vae.encode(to_rgb(clip, video_format)).latent_dist.mode()
    latent = prior.encode_latent(clip)
    channel = 5
    expected = (mode[0, channel] - vae.config.latents_mean[channel]) / vae.config.latents_std[channel]
    assert torch.allclose(latent.view(2, 16, 4, 4)[:, channel], expected, atol=1e-6)
    for ours, theirs in zip(
        prior.decode_latent(latent, 0), from_rgb(vae.decode(mode).sample, video_format), strict=True
    ):
        assert np.abs(ours.astype(int) - theirs).max() <= 1  # the normalisation rounds


# Velocity


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_velocity_is_a_function_of_state_time_and_conditions(priors, folders, flavour):
    video_format = VideoFormat(48, 32)
    clip = make_clip(video_format, 9)
    prior = conditioned(priors[flavour], video_format, clip)
    x = torch.randn(prior.size, generator=torch.Generator().manual_seed(1))
    before, velocity = x.clone(), prior.velocity(x, 0.7)
    assert torch.equal(x, before) and velocity.shape == x.shape == prior.zeros().shape
    assert velocity.dtype == torch.float32 and velocity.isfinite().all()
    again = conditioned(WanPrior.from_pretrained(folders[flavour]), video_format, clip)
    assert torch.equal(velocity, again.velocity(x, 0.7))
    assert not torch.allclose(velocity, prior.velocity(x, 0.3), rtol=1e-3)
    other = conditioned(priors[flavour], video_format, make_clip(video_format, 9, seed=1))
    assert torch.equal(velocity, other.velocity(x, 0.7)) == (flavour == "t2v")
    velocity += 1  # the codec may work in place


def test_the_last_picture_counts(priors):
    video_format = VideoFormat(32, 32)
    clip, other = make_clip(video_format, 5), make_clip(video_format, 5, seed=1)
    first = picture(clip, 0)
    velocities = [
        priors["flf2v"]
        .condition(Condition(video_format, 5, first, picture(last, -1)), b"")
        .velocity(torch.ones(512), 0.5)
        for last in (clip, other)
    ]
    assert not torch.equal(*velocities)


@pytest.mark.parametrize("flavour", ["i2v", "flf2v"])
@pytest.mark.parametrize("frames", [5, 13])
def test_boundaries_enter_as_in_the_pipeline_of_diffusers(priors, flavour, frames):
    from diffusers import WanImageToVideoPipeline

    prior, video_format = priors[flavour], VideoFormat(32, 48)
    clip = make_clip(video_format, frames)
    first, last = (to_rgb(tuple(p[[i]] for p in clip), video_format)[:, :, 0] for i in (0, -1))
    pipeline = WanImageToVideoPipeline(
        tokenizer=None, text_encoder=None, scheduler=None, vae=prior.vae, transformer=prior.network
    )
    _, expected = pipeline.prepare_latents(
        first, 1, 16, 48, 32, frames, torch.float32, "cpu", last_image=last if flavour == "flf2v" else None
    )
    seen = []
    with prior.network.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["hidden_states"]), with_kwargs=True
    ):
        ours = conditioned(prior, video_format, clip)
        ours.velocity(ours.zeros(), 0.5)
    assert torch.allclose(seen[0][:, 16:], expected, atol=1e-6)


def test_bfloat16_stays_near_float32(priors, folders):
    video_format = VideoFormat(32, 32)
    clip = make_clip(video_format, 5)
    x = torch.randn(512, generator=torch.Generator().manual_seed(1))
    half = conditioned(
        WanPrior.from_pretrained(folders["i2v"], ModelOptions(dtype="bfloat16")), video_format, clip
    ).velocity(x, 0.5)
    full = conditioned(priors["i2v"], video_format, clip).velocity(x, 0.5)
    assert half.dtype == torch.float32 and 0 < (half - full).abs().mean() < 0.05 * full.std()


# Identity and errors


def test_name_and_hash_tell_models_apart(priors, folders, tmp_path):
    assert [prior.name for prior in priors.values()] == ["wan/t2v", "wan/i2v", "wan/flf2v"]
    same, other = build_tiny_wan(tmp_path / "a", "t2v"), build_tiny_wan(tmp_path / "b", "t2v", seed=1)
    assert (
        WanPrior.from_pretrained(same).weights_hash
        == priors["t2v"].weights_hash
        != WanPrior.from_pretrained(other).weights_hash
    )
    shutil.copy(other / "vae/diffusion_pytorch_model.safetensors", same / "vae/diffusion_pytorch_model.safetensors")
    assert WanPrior.from_pretrained(same).weights_hash not in (
        priors["t2v"].weights_hash,
        WanPrior.from_pretrained(other).weights_hash,
    )
    assert len(priors["t2v"].weights_hash) == 8


def test_conditions_that_the_flavour_was_not_trained_for_are_refused(priors):
    video_format = VideoFormat(32, 32)
    still = picture(make_clip(video_format, 1), 0)
    boundaries = {"t2v": (None, None), "i2v": (still, None), "flf2v": (still, still)}
    for flavour, prior in priors.items():
        for mode in set(FLAVOURS) - {flavour}:
            with pytest.raises(PriorError, match=f"mode {mode}; set mode={flavour}"):
                prior.condition(Condition(video_format, 5, *boundaries[mode]), b"")
        with pytest.raises(BitstreamError, match="side information"):
            prior.condition(Condition(video_format, 5, *boundaries[flavour]), b"\0")


def test_broken_folders_are_refused(tmp_path):
    with pytest.raises(PriorError, match=r"no config\.json; name the folder"):
        WanPrior.from_pretrained(tmp_path / "nowhere")
    folder = build_tiny_wan(tmp_path / "wan", "t2v")
    weights = folder / "vae/diffusion_pytorch_model.safetensors"
    content = weights.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"\xff" * 64):
        weights.write_bytes(damaged)
        with pytest.raises(PriorError, match="fetch the model again"):
            WanPrior.from_pretrained(folder)
    weights.unlink()
    with pytest.raises(PriorError, match=r"no \*\.safetensors"):
        WanPrior.from_pretrained(folder)


def test_missing_weights_and_foreign_models_are_refused(tmp_path, folders):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(folders["t2v"], tmp_path / "wan")
    weights = folder / "transformer/diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    save_file({k: v for k, v in tensors.items() if k != "proj_out.bias"}, weights)
    with pytest.raises(PriorError, match=r"lacks the weights proj_out\.bias"):
        WanPrior.from_pretrained(folder)
    shutil.rmtree(folder / "transformer")
    shutil.copytree(folders["t2v"] / "vae", folder / "transformer")
    with pytest.raises(PriorError):
        WanPrior.from_pretrained(folder)
    build_tiny_wan(folder, "t2v")
    config = folder / "vae/config.json"
    config.write_text(config.read_text().replace('"scale_factor_temporal": 4', '"scale_factor_temporal": 8'))
    with pytest.raises(PriorError, match=r"no Wan 2\.1 model"):
        WanPrior.from_pretrained(folder)


def test_a_device_that_is_not_there_is_refused(folders):
    with pytest.raises(PriorError, match="name another device"):
        WanPrior.from_pretrained(folders["t2v"], ModelOptions(device="cuda:99"))


# The whole codec


def encode_stream(clip, video_format, options):
    """Return (extradata, packets, the planes of each reconstructed picture)."""
    reconstructed = []
    encoder = Encoder(video_format, {"preset": "fast", **options}, reconstructed.extend)
    packets = []
    for i in range(len(clip[0])):
        packets += encoder.encode(Picture(picture(clip, i), pts=i, duration=1))
    packets += encoder.encode(None)
    return encoder.extradata, packets, [p.planes for p in reconstructed]


def decode_stream(extradata, packets, folder):
    decoder = Decoder(extradata, {"prior": f"wan:{folder}"})
    return [p.planes for packet in packets for p in decoder.decode(packet)]


@pytest.mark.parametrize("transition", ["ancestral", "sde"])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_stream_decodes_to_what_the_encoder_saw(folders, flavour, transition):
    video_format = VideoFormat(50, 34)
    clip = make_clip(video_format, 12)  # two GOPs, the second one shorter
    options = {"prior": f"wan:{folders[flavour]}", "mode": flavour, "gop": 9, "transition": transition, "quality": 20}
    extradata, packets, seen = encode_stream(clip, video_format, options)
    assert len(packets) == 12 and sum(packet.data != packets[1].data for packet in packets) == 2
    decoded = decode_stream(extradata, packets, folders[flavour])
    assert len(decoded) == 12
    for ours, theirs in zip(decoded, seen, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_single_picture_is_a_stream(folders, flavour):
    video_format = VideoFormat(33, 17)
    options = {"prior": f"wan:{folders[flavour]}", "mode": flavour, "quality": 10}
    extradata, packets, seen = encode_stream(make_clip(video_format, 1), video_format, options)
    (decoded,) = decode_stream(extradata, packets, folders[flavour])
    assert all(np.array_equal(a, b) for a, b in zip(decoded, seen[0], strict=True))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_atoms_steer_the_latent_to_the_source_and_replay_exactly(priors, flavour):
    video_format = VideoFormat(32, 32)
    clip = make_clip(video_format, 5)
    prior = conditioned(priors[flavour], video_format, clip)
    header = SequenceHeader(video_format, flavour, "ancestral", f"wan/{flavour}")
    source, errors = prior.encode_latent(clip), []
    for stop in (sigma_level(2.0), sigma_level(0.5), sigma_level(0.1)):
        start = sigma_level(8.0)
        rule = rule_of(header, GopUnit(0, 5, header, start=start, stop=stop, stride=8))
        search = SearchNoise(prior, header, 0, source, matched_levels(start, stop, 8))
        coded = denoise(prior, rule, search)
        replayed = denoise(prior, rule, ReplayNoise(prior, header, 0, search.finish()))
        assert torch.equal(replayed[0], coded[0]) and replayed[1] == coded[1]
        errors.append(float((finish(prior, *coded, 0.0) - source).square().mean()))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_other_weights_than_the_streams_are_refused(folders, tmp_path):
    video_format = VideoFormat(32, 32)
    options = {"prior": f"wan:{folders['t2v']}", "mode": "t2v", "quality": 0}
    extradata, packets, _ = encode_stream(make_clip(video_format, 1), video_format, options)
    other = build_tiny_wan(tmp_path, "t2v", seed=1)
    for folder, problem in ((other, "other weights"), (folders["i2v"], "wan/i2v was given"), ("", "unknown")):
        with pytest.raises(PriorError, match=problem):
            decode_stream(extradata, packets, folder)
    with pytest.raises(PriorError, match="give its weights with prior=wan:FOLDER"):
        Decoder(extradata).decode(packets[0])
