# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Wan 2.1 (T2V, I2V, FLF2V) through diffusers as a prior of the codec.

A folder or hub repository has the layout of diffusers' Wan pipelines. Conditioning is as in these pipelines: pictures
enter as VAE latents with a mask and as CLIP embeddings, the text as UMT5 embedding, the time as 1000 * t. There is no
guidance, so a velocity is one call of the network. The times, the loop and the noise are the codec's own.
"""

from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from PIL import Image
from torch import Tensor
from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

from ..errors import PriorError
from ..media import Planes
from ..pictures.rgb import to_rgb
from ..prior import DEFAULT_OPTIONS, Condition, KnownLatent, ModelOptions
from .device import check_options, one_line
from .diffusion import ConditionedDiffusion, DiffusionPrior, LatentSpace, flatten
from .loading import find_model, load_network, network_dtype, quietly, read_index
from .umt5 import no_text, text_input, umt5_prompts
from .untrained import untrained
from .weights import weights_hash

with quietly():  # Without torchvision these imports warn about an image processor that is not used here.
    from diffusers import WanImageToVideoPipeline, WanPipeline

TEMPORAL_STRIDE = 4
SUPPORTED = {"WanPipeline": WanPipeline, "WanImageToVideoPipeline": WanImageToVideoPipeline}
COMPONENTS = ("transformer", "vae", "image_encoder", "image_processor")  # parts that determine the decoded pictures

# The published configurations, as differences from diffusers' defaults, which describe the 14B text-to-video model.
IMAGE_INPUTS = {"in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120}
VARIANTS = {
    "t2v-1.3b": {"num_attention_heads": 12, "num_layers": 30, "ffn_dim": 8960},
    "t2v-14b": {},
    "i2v-14b": IMAGE_INPUTS,
    "flf2v-14b": {**IMAGE_INPUTS, "pos_embed_seq_len": 2 * 257},
}
CLIP_CONFIG = {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 16,
    "patch_size": 14,
    "projection_dim": 1024,
    "hidden_act": "gelu",
}


class ConditionedWan(ConditionedDiffusion):
    """Wan conditioned on one GOP."""

    def __init__(self, prior: "WanPrior", condition: Condition):
        super().__init__(prior, condition)
        self.text = prior.embed_text(condition.prompt)
        pictures = [planes for planes in (condition.first, condition.last) if planes is not None]
        self.image = prior.embed_pictures([self._rgb(planes) for planes in pictures])
        self.inputs = self._boundary_inputs(condition)

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
        """Return the transformer's inputs beside the state x.

        There are none in t2v. Otherwise they are a mask [1, 4, T', H', W'] and the latent of a video that is mid-grey
        except for its known pictures. Each of the mask's four channels says whether one of the four pictures of a
        latent frame is known; for the first latent frame, which has a single picture, all four are set.
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
        latent = self.prior.encode(video)
        # The VAE is causal, so the first latent frame depends on the first picture alone.
        self.known = (KnownLatent(self.blocks[0], flatten(latent[:, :, :1])),)
        return mask, latent

    def _rgb(self, planes: Planes) -> Image.Image:
        """Convert a picture to the image encoder's input, 8-bit R'G'B' without padding."""
        rgb = to_rgb(tuple(plane[None] for plane in planes), self.format)[0, :, 0]
        return Image.fromarray(((rgb + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy())


class WanPrior(DiffusionPrior):
    """A Wan model ready to be conditioned; `flavour` is its only mode."""

    conditioned = ConditionedWan

    @classmethod
    def from_pretrained(cls, path: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "WanPrior":
        """Load a model.

        path: local folder in diffusers' layout, or hub ID (ORG/NAME).
        options: device, dtype and placement of the networks.
        Raises PriorError if it is no complete Wan 2.1 model or cannot be run with these options.
        """
        check_options(options)
        folder = find_model(path)
        _check_supported(folder)
        transformer = load_network(
            WanTransformer3DModel, folder / "transformer", network_dtype(options), options.quantize
        )
        vae = load_network(AutoencoderKLWan, folder / "vae", torch.float32)
        flavour = _flavour(transformer.config, vae.config, folder)
        image_encoder = _load_image_encoder(folder) if transformer.config.image_dim is not None else {}
        prompts = umt5_prompts(folder, path, options)
        identity = weights_hash(folder, COMPONENTS, options.quantize)
        return cls._of(flavour, identity, prompts, options, transformer=transformer, vae=vae, **image_encoder)

    @classmethod
    def from_config(cls, variant: str, options: ModelOptions = DEFAULT_OPTIONS, seed: int = 0) -> "WanPrior":
        """Make a model of full size with random weights, which takes the time and memory of the real one.

        variant: size and mode, one of VARIANTS. The text encoder is left out; all embeddings are zero.
        options: device, dtype and placement of the networks; quantize must be none.
        seed: seed of the random weights, default 0.
        Raises PriorError.
        """
        check_options(options)
        if variant not in VARIANTS or options.quantize != "none":
            raise PriorError(
                f"there is no untrained Wan {variant!r} with quantize={options.quantize}; "
                f"valid: {', '.join(VARIANTS)} with quantize=none"
            )
        device = options.device if options.offload == "none" else "cpu"
        transformer = untrained(WanTransformer3DModel, VARIANTS[variant], network_dtype(options), device, seed)
        parts = {"transformer": transformer, "vae": untrained(AutoencoderKLWan, {}, torch.float32, device, seed)}
        if transformer.config.image_dim is not None:
            config = {"config": CLIPVisionConfig(**CLIP_CONFIG)}
            parts["image_encoder"] = untrained(CLIPVisionModel, config, torch.float32, device, seed)
            parts["image_processor"] = CLIPImageProcessorPil()
        text = no_text(transformer.config.text_dim)
        return cls._of(variant.partition("-")[0], bytes(8), lambda prompt: text, options, **parts)

    @classmethod
    def _of(cls, flavour: str, identity: bytes, prompts, options: ModelOptions, **parts) -> "WanPrior":
        """Make a prior from its components (`parts`, under diffusers' names); a T2V model has no image encoder."""
        pipeline_class = WanPipeline if flavour == "t2v" else WanImageToVideoPipeline
        pipeline = pipeline_class(tokenizer=None, text_encoder=None, scheduler=None, **parts)
        space = _latent_space(pipeline.transformer.config, pipeline.vae.config)
        name = f"wan/{flavour}"
        return cls(name, (flavour,), identity, pipeline=pipeline, space=space, prompts=prompts, options=options)

    @property
    def flavour(self) -> str:
        """The conditioning that the model was trained for: t2v, i2v or flf2v."""
        return self.modes[0]

    def embed_text(self, prompt: str) -> Tensor:
        """Return the UMT5 embedding [1, 512, text_dim] of a prompt, zeros after its text. Raises PriorError."""
        return text_input(self, prompt)

    def embed_pictures(self, pictures: list[Image.Image]) -> Tensor | None:
        """Return the CLIP embeddings [pictures, tokens, image_dim]; None where the model wants none."""
        if self.network.config.image_dim is None:
            return None
        return self.pipeline.encode_image(pictures, self.device).to(self.dtype)


def _check_supported(folder: Path) -> None:
    """Raise PriorError if a folder holds another model than Wan 2.1."""
    index = read_index(folder)
    kind = index.get("_class_name")
    second = (index.get("transformer_2") or [None])[0] is not None
    if kind in SUPPORTED and not second and not index.get("expand_timesteps"):
        return
    what = f"a {kind}"
    if kind in SUPPORTED:
        what = "a Wan 2.2 with two transformers" if second else "a Wan 2.2 with a time for each token"
    raise PriorError(f"{folder} holds {what}, which GVC cannot use; use a T2V, I2V or FLF2V model of Wan 2.1")


def _load_image_encoder(folder: Path) -> dict:
    """Load the CLIP image encoder (in float32) and its preprocessing, as components of a pipeline.

    Some published models lack the encoder's last projection, and some name a processor with more features. Neither is
    needed here.
    """
    encoder = load_network(CLIPVisionModel, folder / "image_encoder", torch.float32)
    try:
        # transformers' default processor needs torchvision. Pillow's resizing uses integers, so the result is the same
        # on all machines.
        processor = CLIPImageProcessorPil.from_pretrained(folder / "image_processor", local_files_only=True)
    except (OSError, ValueError) as error:
        raise PriorError(f"cannot load {folder / 'image_processor'} ({one_line(error)}); fetch it again") from error
    return {"image_encoder": encoder, "image_processor": processor}


def _latent_space(transformer, vae) -> LatentSpace:
    mean, std = tuple(vae.latents_mean), tuple(vae.latents_std)
    return LatentSpace(mean, std, TEMPORAL_STRIDE, vae.scale_factor_spatial, transformer.patch_size[-1])


def _flavour(transformer, vae, folder: Path) -> str:
    """Return the mode (t2v, i2v or flf2v) that two configurations describe. Raises PriorError if it is no Wan 2.1."""
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
