"""Wan 2.1 (T2V, I2V, FLF2V) through diffusers as a prior of the codec.

A folder holds what diffusers' Wan pipelines hold: `transformer/` and `vae/`, each config.json and *.safetensors.
Conditioning follows the model's training: pictures enter as VAE latents with a mask, the time as 1000 * t, no guidance.
The text is always the empty prompt; its embedding is zeros here, as are the CLIP embeddings of the boundary pictures,
because neither encoder is loaded yet.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from ..errors import BitstreamError, PriorError
from .base import Clip, Condition, Planes

try:
    import torch
    from diffusers import AutoencoderKLWan, WanTransformer3DModel
    from torch import Tensor
except ImportError as error:
    raise PriorError(f"a Wan prior needs the packages torch and diffusers ({error}); pip install them") from error

from ..colour import from_rgb, pad_to_multiple, to_rgb

TEXT_TOKENS = 512  # diffusers' Wan attention takes all tokens beyond these for the image's
CLIP_TOKENS = 257  # of one picture
BOUNDARIES = {"t2v": (False, False), "i2v": (True, False), "flf2v": (True, True)}  # the pictures a flavour is shown


class WanPrior:
    """A Wan model ready to be conditioned; implements gvc.priors.base.Prior.

    folder: local directory with `transformer/` and `vae/`; nothing is ever downloaded.
    device: torch device of both networks and of all vectors.
    dtype: of the transformer. The VAE and everything between the networks stay float32.
    Raises PriorError when the folder holds no complete Wan 2.1 model.
    """

    temporal_stride = 4

    def __init__(self, folder: str | Path, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32):
        folder = Path(folder)
        self.transformer = _load(WanTransformer3DModel, folder / "transformer", device, dtype)
        self.vae = _load(AutoencoderKLWan, folder / "vae", device, torch.float32)
        self.device, self.dtype = torch.device(device), dtype
        self.flavour = _flavour(self.transformer.config, self.vae.config, folder)
        self.name = f"wan/{self.flavour}"
        self.modes = (self.flavour,)
        self.weights_hash = _weights_hash(folder)
        self.channels = self.vae.config.z_dim
        self.scale = self.vae.config.scale_factor_spatial
        self.pad_multiple = self.scale * self.transformer.config.patch_size[-1]
        shape = (1, self.channels, 1, 1, 1)
        self.latents_mean = torch.tensor(self.vae.config.latents_mean, device=device).view(shape)
        self.latents_std = torch.tensor(self.vae.config.latents_std, device=device).view(shape)

    def analyse(self, condition: Condition, clip: Clip) -> "WanAnalysis":
        """Encoder: nothing can be said of a GOP before the model has run."""
        return WanAnalysis()

    def condition(self, condition: Condition, side: bytes) -> "ConditionedWan":
        """Show the model its boundary pictures. Raises BitstreamError (side information), PriorError (wrong mode)."""
        if side:
            raise BitstreamError("side information", 0, f"the prior {self.name} has none, so none may be sent")
        if condition.frames == 1 and self.flavour == "flf2v":  # its one picture is the first and the last
            condition = replace(condition, last=condition.first)
        given = (condition.first is not None, condition.last is not None)
        if given != BOUNDARIES[self.flavour]:
            modes = {pictures: flavour for flavour, pictures in BOUNDARIES.items()}
            mode = modes.get(given, "of only a last picture")
            raise PriorError(f"{self.name} cannot code a GOP of mode {mode}; set mode={self.flavour} or another prior")
        return ConditionedWan(self, condition)

    def encode(self, rgb: Tensor) -> Tensor:
        """Return the normalised latent [1, C, T', H/8, W/8] of R'G'B' [1, 3, 4T'-3, H, W] in [-1, 1]."""
        return (self.vae.encode(rgb).latent_dist.mode() - self.latents_mean) / self.latents_std

    def decode(self, latent: Tensor) -> Tensor:
        """Return R'G'B' [1, 3, 4T'-3, H, W] in [-1, 1] of a normalised latent [1, C, T', H/8, W/8]."""
        return self.vae.decode(latent * self.latents_std + self.latents_mean).sample


class WanAnalysis:
    """Implements gvc.priors.base.Analysis: all that Wan is told of a GOP are its boundary pictures."""

    def describe(self, sigma: float) -> bytes:
        """Return no side information."""
        return b""

    def rate_distortion(self, sigma: float) -> None:
        """Predict nothing."""


class ConditionedWan:
    """Wan for one GOP; implements gvc.priors.base.ConditionedPrior with torch tensors on the prior's device.

    The vector is the normalised latent [T', C, H', W'] in C order, so that a block, one latent frame, is contiguous.
    """

    memory = None

    def __init__(self, prior: WanPrior, condition: Condition):
        self.prior, self.format, self.frames = prior, condition.format, condition.frames
        steps = -(-(self.frames - 1) // prior.temporal_stride)
        self.padded_frames = steps * prior.temporal_stride + 1
        height, width = (
            -(-n // prior.pad_multiple) * prior.pad_multiple // prior.scale
            for n in (self.format.height, self.format.width)
        )
        self.shape = (steps + 1, prior.channels, height, width)
        block = prior.channels * height * width
        self.size = (steps + 1) * block
        self.blocks = [slice(start, start + block) for start in range(0, self.size, block)]
        self.inputs = self._boundary_inputs(condition)
        self.text, self.image = _text_embedding(prior), _image_embedding(prior)

    def velocity(self, x: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = x] as float32 [size]."""
        hidden = torch.cat((self._unflatten(x), *self.inputs), dim=1)
        (velocity,) = self.prior.transformer(
            hidden_states=hidden.to(self.prior.dtype),
            timestep=torch.tensor([1000.0 * t], device=self.prior.device),
            encoder_hidden_states=self.text,
            encoder_hidden_states_image=self.image,
            return_dict=False,
        )
        return _flatten(velocity.float())

    def zeros(self) -> Tensor:
        """Return float32 zeros [size] on the prior's device."""
        return torch.zeros(self.size, device=self.prior.device)

    def encode_latent(self, clip: Clip) -> Tensor:
        """Return the clean latent, float32 [size], of planes uint8 [T, H, W]."""
        return _flatten(self.prior.encode(self._video(clip, self.padded_frames)))

    def decode_latent(self, x0: Tensor, realism: float) -> Clip:
        """Return planes uint8 [T, H, W]. `realism` is not used: what was not coded, the trajectory has filled in."""
        rgb = self.prior.decode(self._unflatten(x0))
        return from_rgb(rgb[:, :, : self.frames, : self.format.height, : self.format.width], self.format)

    def _boundary_inputs(self, condition: Condition) -> tuple[Tensor, ...]:
        """Return what the transformer sees beside x: nothing, or mask [1, 4, T', H', W'] and latents of the boundaries.

        The latents are those of a video that is mid-grey except at its boundaries. The four channels of the mask say
        which of the four pictures of a latent frame are given; the first latent frame's one picture fills all four.
        """
        if condition.first is None:
            return ()
        first = self._picture(condition.first)
        video = first.new_zeros(*first.shape[:2], self.padded_frames, *first.shape[3:])
        time, _, height, width = self.shape
        mask = first.new_zeros(1, self.prior.temporal_stride, time, height, width)
        if condition.last is not None:
            video[:, :, -1:], mask[:, -1, -1] = self._picture(condition.last), 1
        video[:, :, :1], mask[:, :, 0] = first, 1
        return mask, self.prior.encode(video)

    def _picture(self, planes: Planes) -> Tensor:
        return self._video(tuple(plane[None] for plane in planes), frames=1)

    def _video(self, clip: Clip, frames: int) -> Tensor:
        return pad_to_multiple(to_rgb(clip, self.format, self.prior.device), frames, self.prior.pad_multiple)

    def _unflatten(self, x: Tensor) -> Tensor:
        """Return [1, C, T', H', W'], the layout of the networks, of a vector [size]."""
        return x.view(self.shape).transpose(0, 1)[None]


def _flatten(latent: Tensor) -> Tensor:
    """Return the vector of a latent [1, C, T', H', W']."""
    return latent[0].transpose(0, 1).reshape(-1)


def _text_embedding(prior: WanPrior) -> Tensor:
    """Return the stand-in [1, 512, text_dim] for the embedding of the empty prompt."""
    return torch.zeros(1, TEXT_TOKENS, prior.transformer.config.text_dim, dtype=prior.dtype, device=prior.device)


def _image_embedding(prior: WanPrior) -> Tensor | None:
    """Return the stand-in [pictures, tokens, image_dim] for CLIP embeddings; None where the model wants none."""
    config = prior.transformer.config
    if config.image_dim is None:
        return None
    pictures, tokens = (2, config.pos_embed_seq_len // 2) if config.pos_embed_seq_len else (1, CLIP_TOKENS)
    return torch.zeros(pictures, tokens, config.image_dim, dtype=prior.dtype, device=prior.device)


def _load(model_class, folder: Path, device: str | torch.device, dtype: torch.dtype):
    """Return a network in inference mode. Raises PriorError."""
    for pattern in ("config.json", "*.safetensors"):
        if not any(folder.glob(pattern)):
            raise PriorError(f"{folder} has no {pattern}; name the folder of a Wan 2.1 model in diffusers' layout")
    try:
        model, info = model_class.from_pretrained(
            folder, torch_dtype=dtype, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # what is wrong with the files surfaces as some library's own type
        raise PriorError(f"cannot load {folder} ({error}); fetch the model again") from error
    absent = [*info["missing_keys"], *info["mismatched_keys"]]
    if absent:
        raise PriorError(f"{folder} lacks the weights {absent[0]} and {len(absent) - 1} more; fetch the model again")
    try:
        model = model.to(device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for CUDA
        raise PriorError(f"the device {device} cannot take {folder} ({error}); name another device") from error
    # Without parameters that ask for a gradient none is recorded; and, unlike results of torch.inference_mode, the
    # vectors that the networks return can be changed in place by the codec.
    return model.requires_grad_(False).eval()


def _flavour(transformer, vae, folder: Path) -> str:
    """Return t2v, i2v or flf2v of the two configurations. Raises PriorError when they are not those of a Wan 2.1."""
    latent = vae.z_dim
    fits = transformer.out_channels == latent and vae.scale_factor_temporal == WanPrior.temporal_stride
    if fits and transformer.in_channels == latent:
        return "t2v"
    if fits and transformer.in_channels == latent + WanPrior.temporal_stride + latent:
        return "flf2v" if transformer.pos_embed_seq_len else "i2v"
    raise PriorError(
        f"{folder} is no Wan 2.1 model (in_channels {transformer.in_channels}, latent channels {latent}); "
        "use a T2V, I2V or FLF2V model of that version"
    )


def _weights_hash(folder: Path) -> bytes:
    """Return the first 8 bytes of the SHA-256 over all weight files, in the order of their paths."""
    digest = hashlib.sha256()
    for path in sorted(path for part in ("transformer", "vae") for path in (folder / part).glob("*.safetensors")):
        with path.open("rb") as file:
            while chunk := file.read(1 << 24):
                digest.update(chunk)
    return digest.digest()[:8]
