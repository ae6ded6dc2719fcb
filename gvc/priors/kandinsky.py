# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Kandinsky 5 Video through diffusers as a prior of the codec.

A folder or hub repository has the layout of diffusers' Kandinsky 5 pipelines for video. The network sees latents with
the channels last: the state, channels of zeros that no video model uses, and a mask of the known latent frames. Known
frames are clean in the state (gvc.priors.known_frames). Unlike other networks of that kind, this one is told a single
time, that of the frames with noise. Only first pictures were known in training. There is no guidance.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import ftfy  # noqa: F401 - without it diffusers would clean a prompt less, and embed another text
import torch
from diffusers import AutoencoderKLHunyuanVideo, Kandinsky5Transformer3DModel
from torch import Tensor

from ..errors import PriorError
from ..prior import DEFAULT_OPTIONS, Condition, ModelOptions
from .catalogue import Model
from .device import check_options
from .diffusion import DiffusionPrior, LatentSpace
from .known_frames import ConditionedByFrames
from .loading import find_model, load_network, network_dtype, pipeline_of, quietly
from .lora import load_denoiser
from .lora_files import parse_loras
from .low_band import DiffusionLowBand
from .prompts import TWO_ENCODERS, Embedding, Prompts, text_pipeline
from .untrained import untrained
from .weights import weights_hash

with quietly():  # Without torchvision this import warns about an image processor that is not used here.
    from diffusers import Kandinsky5T2VPipeline

# Some norms of the network are computed in float32 whatever its dtype, which torch reports once.
warnings.filterwarnings("ignore", "Mismatch dtype between input and weight")

COMPONENTS = ("transformer", "vae")  # parts of a model that determine the decoded pictures
MODES = {"Kandinsky5T2VPipeline": "t2v", "Kandinsky5I2VPipeline": "i2v"}  # pipeline in a model's index -> its mode

# Tokens lie closer together than one position, as in training with pictures of about 512 and about 1024 lines. As in
# diffusers' pipelines, the first of these holds where both sides of the picture are within a range.
SMALL_SIDES = range(480, 855)
SMALL_TOKENS, LARGE_TOKENS = 2.0, 3.16  # tokens for each position


class ConditionedKandinsky(ConditionedByFrames):
    """Kandinsky 5 conditioned on one GOP."""

    def __init__(self, prior: "KandinskyPrior", condition: Condition):
        _check_positions(prior, condition)
        super().__init__(prior, condition)
        self.text = prior.embed_text(condition.prompt)
        self._describe_frames()
        small = self.format.height in SMALL_SIDES and self.format.width in SMALL_SIDES
        density = SMALL_TOKENS if small else LARGE_TOKENS
        self.density = (1.0, density, density)

    def _describe_frames(self) -> None:
        """Set what the network is told of all latent frames: channels beside the state, and positions of tokens."""
        time, channels, height, width = self.shape
        known = (1 - self.noisy).view(1, time, 1, 1, 1).expand(1, time, height, width, 1)
        self.channels = torch.cat((known.new_zeros(1, time, height, width, channels), known), dim=-1)
        sides = (side // self.prior.space.patch for side in (height, width))
        self.positions = [torch.arange(n, device=self.prior.device) for n in (time, *sides)]

    def _shrink(self, band: DiffusionLowBand) -> None:
        super()._shrink(band)
        self._describe_frames()

    def predict_frames(self, frames: Tensor, timestep: Tensor) -> Tensor:
        """Return the network's E[eps - x0] for all frames, [1, C, F, H', W']."""
        hidden = torch.cat((frames.permute(0, 2, 3, 4, 1), self.channels), dim=-1)
        velocity = self.prior.network(
            hidden_states=hidden.to(self.prior.dtype),
            timestep=timestep[-1:],  # Only the first frame can be a known one.
            visual_rope_pos=self.positions,
            scale_factor=self.density,
            return_dict=False,
            **self.text,
        )
        return velocity.permute(0, 4, 1, 2, 3)


class KandinskyPrior(DiffusionPrior):
    """A Kandinsky 5 Video ready to be conditioned; its name ends in its mode.

    mode: mode that the model was trained for.
    weights_hash: 8 bytes that identify the weights.
    transformer, vae: networks in main memory.
    prompts, options: as for DiffusionPrior.
    Raises PriorError if the device has too little memory for the model.
    """

    conditioned = ConditionedKandinsky
    has_low_band = True
    takes_loras = True

    def __init__(
        self,
        mode: str,
        weights_hash: bytes,
        transformer: Kandinsky5Transformer3DModel,
        vae: AutoencoderKLHunyuanVideo,
        *,
        prompts: Callable[[str], Embedding],
        options: ModelOptions,
    ):
        # diffusers leaves this tensor in main memory, from where each step would have to wait for it.
        transformer.time_embeddings.freqs = transformer.time_embeddings.freqs.to(options.device)
        absent = dict.fromkeys((*TWO_ENCODERS, "scheduler"))
        super().__init__(
            f"kandinsky/{mode}",
            (mode,),
            weights_hash,
            pipeline=Kandinsky5T2VPipeline(transformer=transformer, vae=vae, **absent),
            space=LatentSpace.of_one_scale(vae.config, transformer.config.patch_size[-1]),
            prompts=prompts,
            options=options,
        )

    @classmethod
    def from_pretrained(cls, path: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "KandinskyPrior":
        """Load a model.

        path: local folder in diffusers' layout, or hub ID (ORG/NAME).
        options: device, dtype and placement of the networks.
        Raises PriorError if it is no complete Kandinsky 5 Video or cannot be run with these options.
        """
        check_options(options)
        folder = find_model(path)
        mode = MODES[pipeline_of(folder, MODES, "a Kandinsky 5 Video")]
        transformer = load_denoiser(
            Kandinsky5Transformer3DModel, folder / "transformer", options, Kandinsky5T2VPipeline
        )
        vae = load_network(AutoencoderKLHunyuanVideo, folder / "vae", torch.float32)
        _check_fit(transformer.config, vae.config, folder)
        prompts = Prompts(folder, path, "kandinsky", lambda where, prompt: _embed(where, prompt, options), TWO_ENCODERS)
        identity = weights_hash(folder, COMPONENTS, options.quantize, loras=parse_loras(options.lora))
        return cls(mode, identity, transformer, vae, prompts=prompts, options=options)

    @classmethod
    def from_config(cls, model: Model, options: ModelOptions = DEFAULT_OPTIONS, seed: int = 0) -> "KandinskyPrior":
        """Make a model of full size with random weights, which takes the time and memory of the real one.

        model: entry of the catalogue that has a shape. The text encoders are left out; all embeddings are zero.
        options: device, dtype and placement of the networks; quantize has no effect.
        seed: seed of the random weights, default 0.
        Raises PriorError.
        """
        check_options(options)
        shape, dtype = model.shape, network_dtype(options)
        transformer = untrained(Kandinsky5Transformer3DModel, shape.network, dtype, options, seed)
        vae = untrained(AutoencoderKLHunyuanVideo, shape.vae, torch.float32, options, seed)
        text = {
            "prompt_embeds_qwen": torch.zeros(1, 1, transformer.config.in_text_dim),
            "prompt_embeds_clip": torch.zeros(1, transformer.config.in_text_dim2),
        }
        return cls(model.modes[0], bytes(8), transformer, vae, prompts=lambda prompt: text, options=options)

    def embed_text(self, prompt: str) -> dict[str, Tensor]:
        """Return the network's inputs for a prompt: embeddings [1, L, in_text_dim] and [1, in_text_dim2], places [L].

        Raises PriorError.
        """
        embedding, config = self.prompts(prompt), self.network.config
        text, pooled = (embedding.get(name) for name in ("prompt_embeds_qwen", "prompt_embeds_clip"))
        if (
            text is None
            or pooled is None
            or text.shape[::2] + pooled.shape != (1, config.in_text_dim, 1, config.in_text_dim2)
        ):
            raise PriorError(f"the embedding of the prompt {prompt!r} is of another model than {self.name}; delete it")
        return {
            "encoder_hidden_states": text.to(self.device, self.dtype),
            "pooled_projections": pooled.to(self.device, self.dtype),
            "text_rope_pos": torch.arange(text.shape[1], device=self.device),
        }


def _check_fit(transformer, vae, folder: Path) -> None:
    """Raise PriorError unless the transformer takes the VAE's latents with a mask, and has attention to all tokens."""
    channels = (transformer.in_visual_dim, transformer.out_visual_dim)
    if transformer.attention_type == "nabla":
        raise PriorError(f"{folder} has sparse attention (nabla), which GVC cannot use; use a Lite model of 5 seconds")
    if channels == (vae.latent_channels, vae.latent_channels) and transformer.visual_cond:
        return
    raise PriorError(
        f"{folder} is no Kandinsky 5 Video model (in_visual_dim {transformer.in_visual_dim}, latent channels "
        f"{vae.latent_channels}, visual_cond {transformer.visual_cond}); use a T2V or I2V model"
    )


def _check_positions(prior: KandinskyPrior, condition: Condition) -> None:
    """Raise PriorError if a GOP has more latent frames, or rows or columns of tokens, than the network can place."""
    space, video = prior.space, condition.format
    most = prior.network.visual_rope_embeddings.max_pos
    strides = (space.temporal_stride, space.scale * space.patch, space.scale * space.patch)
    frames, height, width = space.padded(condition.frames, video.height, video.width)
    longest, highest, widest = (stride * n for stride, n in zip(strides, most, strict=True))
    longest -= space.temporal_stride - 1  # The first latent frame holds a single picture.
    if frames > longest or height > highest or width > widest:
        raise PriorError(
            f"{prior.name} codes at most {longest} pictures of {widest}x{highest} at a time, and no "
            f"{condition.frames} of {video.width}x{video.height}; scale the video down or set a smaller gop"
        )


def _embed(folder: Path, prompt: str, options: ModelOptions) -> Embedding:
    """Compute the embedding of a prompt as diffusers' pipelines do; the tensors are on the CPU."""
    others = {"transformer": None, "vae": None, "scheduler": None}
    with text_pipeline(Kandinsky5T2VPipeline, folder, options, TWO_ENCODERS, **others) as pipeline:
        text, pooled, _ = pipeline.encode_prompt(prompt)
    return {"prompt_embeds_qwen": text.cpu(), "prompt_embeds_clip": pooled.cpu()}
