"""Wan 2.1 (T2V, I2V, FLF2V) through diffusers as a prior of the codec.

A folder holds what diffusers' Wan pipelines hold: `transformer/` and `vae/`, each config.json and *.safetensors.
Conditioning follows the model's training: pictures enter as VAE latents with a mask, the time as 1000 * t, no guidance.
The text is always the empty prompt; its embedding is zeros here, as are the CLIP embeddings of the boundary pictures,
because neither encoder is loaded yet.
"""

from pathlib import Path

from ..errors import PriorError
from .base import DEFAULT_OPTIONS, Condition, ModelOptions

try:
    import torch
    from diffusers import AutoencoderKLWan, WanTransformer3DModel
    from torch import Tensor
except ImportError as error:
    raise PriorError(f"a Wan prior needs the packages torch and diffusers ({error}); pip install them") from error

from .diffusion import ConditionedDiffusion, DiffusionPrior, LatentSpace
from .loading import load_network, network_dtype
from .weights import weights_hash

TEMPORAL_STRIDE = 4
TEXT_TOKENS = 512  # diffusers' Wan attention takes all tokens beyond these for the image's
CLIP_TOKENS = 257  # of one picture


class ConditionedWan(ConditionedDiffusion):
    """Wan for one GOP."""

    def __init__(self, prior: "WanPrior", condition: Condition):
        super().__init__(prior, condition)
        self.inputs = self._boundary_inputs(condition)
        self.text, self.image = _text_embedding(prior), _image_embedding(prior)

    def predict(self, latent: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = latent], both [1, C, T', H', W']."""
        hidden = torch.cat((latent, *self.inputs), dim=1)
        (velocity,) = self.prior.network(
            hidden_states=hidden.to(self.prior.dtype),
            timestep=torch.tensor([1000.0 * t], device=self.prior.device),
            encoder_hidden_states=self.text,
            encoder_hidden_states_image=self.image,
            return_dict=False,
        )
        return velocity

    def _boundary_inputs(self, condition: Condition) -> tuple[Tensor, ...]:
        """Return what the transformer sees beside x: nothing, or mask [1, 4, T', H', W'] and latents of the boundaries.

        The latents are those of a video that is mid-grey except at its boundaries. The four channels of the mask say
        which of the four pictures of a latent frame are given; the first latent frame's one picture fills all four.
        """
        if condition.first is None:
            return ()
        first = self.picture(condition.first)
        video = first.new_zeros(*first.shape[:2], *self.padded)
        time, _, height, width = self.shape
        mask = first.new_zeros(1, TEMPORAL_STRIDE, time, height, width)
        if condition.last is not None:
            video[:, :, -1:], mask[:, -1, -1] = self.picture(condition.last), 1
        video[:, :, :1], mask[:, :, 0] = first, 1
        return mask, self.prior.encode(video)


class WanPrior(DiffusionPrior):
    """A Wan model ready to be conditioned; `flavour` is its one mode."""

    conditioned = ConditionedWan

    @classmethod
    def from_pretrained(cls, place: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "WanPrior":
        """Load from a local directory with `transformer/` and `vae/`; nothing is ever downloaded.

        Raises PriorError when it holds no complete Wan 2.1 model.
        """
        folder, dtype = Path(place), network_dtype(options)
        transformer = load_network(WanTransformer3DModel, folder / "transformer", options.device, dtype)
        vae = load_network(AutoencoderKLWan, folder / "vae", options.device, torch.float32)
        flavour = _flavour(transformer.config, vae.config, folder)
        return cls(
            f"wan/{flavour}",
            (flavour,),
            weights_hash(folder, ("transformer", "vae")),
            network=transformer,
            vae=vae,
            space=_latent_space(transformer.config, vae.config),
            device=options.device,
            dtype=dtype,
        )

    @property
    def flavour(self) -> str:
        """The conditioning that the model was trained for: t2v, i2v or flf2v."""
        return self.modes[0]


def _text_embedding(prior: WanPrior) -> Tensor:
    """Return the stand-in [1, 512, text_dim] for the embedding of the empty prompt."""
    return torch.zeros(1, TEXT_TOKENS, prior.network.config.text_dim, dtype=prior.dtype, device=prior.device)


def _image_embedding(prior: WanPrior) -> Tensor | None:
    """Return the stand-in [pictures, tokens, image_dim] for CLIP embeddings; None where the model wants none."""
    config = prior.network.config
    if config.image_dim is None:
        return None
    pictures, tokens = (2, config.pos_embed_seq_len // 2) if config.pos_embed_seq_len else (1, CLIP_TOKENS)
    return torch.zeros(pictures, tokens, config.image_dim, dtype=prior.dtype, device=prior.device)


def _latent_space(transformer, vae) -> LatentSpace:
    mean, std = tuple(vae.latents_mean), tuple(vae.latents_std)
    return LatentSpace(mean, std, TEMPORAL_STRIDE, vae.scale_factor_spatial, transformer.patch_size[-1])


def _flavour(transformer, vae, folder: Path) -> str:
    """Return t2v, i2v or flf2v of the two configurations. Raises PriorError when they are not those of a Wan 2.1."""
    latent = vae.z_dim
    fits = transformer.out_channels == latent and vae.scale_factor_temporal == TEMPORAL_STRIDE
    if fits and transformer.in_channels == latent:
        return "t2v"
    if fits and transformer.in_channels == latent + TEMPORAL_STRIDE + latent:
        return "flf2v" if transformer.pos_embed_seq_len else "i2v"
    raise PriorError(
        f"{folder} is no Wan 2.1 model (in_channels {transformer.in_channels}, latent channels {latent}); "
        "use a T2V, I2V or FLF2V model of that version"
    )
