# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""LTX-Video through diffusers as a prior of the codec.

A folder or hub repository has the layout of diffusers' LTX pipelines. One set of weights serves several modes: known
pictures are known latent frames (gvc.priors.known_frames), and the network is told a time for each token. A known first
picture fills the first latent frame; a known last picture adds tokens at its position in time. There is no guidance.
"""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLLTX2Video,
    AutoencoderKLLTXVideo,
    LTXConditionPipeline,
    LTXPipeline,
    LTXVideoTransformer3DModel,
)
from torch import Tensor

from ..errors import PriorError
from ..media import Planes
from ..prior import DEFAULT_OPTIONS, Condition, ModelOptions
from .device import check_options
from .diffusion import DiffusionPrior, LatentSpace
from .known_frames import ConditionedByFrames
from .loading import find_model, load_network, pipeline_of
from .lora import load_denoiser
from .lora_files import parse_loras
from .low_band import DiffusionLowBand
from .prompts import Embedding, Prompts, masked_text, text_pipeline
from .weights import weights_hash

NOMINAL_RATE = 25  # pictures a second of a video without a frame rate; diffusers' pipelines assume the same
COMPONENTS = ("transformer", "vae")  # parts of a model that determine the decoded pictures

PIPELINES = ("LTXPipeline", "LTXImageToVideoPipeline", "LTXConditionPipeline")  # pipelines of supported models

# There are two generations: up to 0.9.1, and from 0.9.5 on. The blocks of the VAE tell them apart, since the index of
# some later models names an earlier pipeline. Models of the later generation accept known pictures at any time, embed
# text in another way, and count time from the first picture of the video.
LATER_BLOCK = "LTXVideo095DownBlock3D"
EARLIER, LATER = (LTXPipeline, ("t2v", "i2v")), (LTXConditionPipeline, ("t2v", "i2v", "flf2v"))


class ConditionedLtx(ConditionedByFrames):
    """LTX-Video conditioned on one GOP."""

    def __init__(self, prior: "LtxPrior", condition: Condition):
        super().__init__(prior, condition)
        self.text = masked_text(prior, condition.prompt, prior.text_channels)
        self.coordinates = self.token_coordinates()

    def places(self, condition: Condition) -> dict[int, Planes | None]:
        """Return the known pictures by place: the tokens of the last one come before those of the video."""
        return {0: condition.first, -1: condition.last}

    def predict_frames(self, frames: Tensor, timestep: Tensor) -> Tensor:
        """Return the network's E[eps - x0] for all frames, [1, C, F, H', W']."""
        tokens_of_frame = frames.shape[3] * frames.shape[4]
        velocity, *_ = self.prior.network(
            hidden_states=frames.flatten(2).transpose(1, 2).contiguous().to(self.prior.dtype),
            timestep=self.token_times(timestep, tokens_of_frame),
            video_coords=self.coordinates,
            return_dict=False,
            **self.text,
            **self.further_inputs(timestep),
        )
        return velocity.transpose(1, 2).unflatten(2, frames.shape[2:])

    def _shrink(self, band: DiffusionLowBand) -> None:
        super()._shrink(band)
        self.coordinates = self.token_coordinates()

    def further_inputs(self, timestep: Tensor) -> dict[str, Any]:
        """Return inputs that only later networks take, by name. timestep: 1000 times the time of each frame, [F]."""
        return {}

    def token_coordinates(self) -> Tensor:
        """Return each token's time in seconds, and row and column in pixels, as [1, 3, tokens]."""
        space, (frames, _, height, width) = self.prior.space, self.shape
        pictures = space.temporal_stride * torch.arange(frames, device=self.prior.device)
        if self.prior.counts_from_first:
            pictures = (pictures - space.temporal_stride + 1).clamp(min=0)
        if self.before.shape[2]:
            pictures = torch.cat((pictures.new_tensor([self.padded[0] - 1]), pictures))
        seconds = pictures.float() * (1.0 / float(self.format.frame_rate or NOMINAL_RATE))
        rows, columns = (space.scale * torch.arange(n, device=self.prior.device).float() for n in (height, width))
        return torch.stack(torch.meshgrid(seconds, rows, columns, indexing="ij")).flatten(1)[None]


class LtxPrior(DiffusionPrior):
    """An LTX-Video model ready to be conditioned; its name ends in the last mode of its generation (i2v or flf2v)."""

    conditioned = ConditionedLtx
    has_low_band = True
    takes_loras = True

    @classmethod
    def from_pretrained(cls, path: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "LtxPrior":
        """Load a model.

        path: local folder in diffusers' layout, or hub ID (ORG/NAME).
        options: device, dtype and placement of the networks.
        Raises PriorError if it is no complete LTX-Video model or cannot be run with these options.
        """
        check_options(options)
        folder = find_model(path)
        pipeline_of(folder, PIPELINES, "an LTX-Video")
        transformer = load_denoiser(LTXVideoTransformer3DModel, folder / "transformer", options, LTXPipeline)
        vae = load_network(AutoencoderKLLTXVideo, folder / "vae", torch.float32)
        _check_fit(transformer.config, vae.config, folder)
        _drop_noise(vae.decoder)
        pipeline_class, modes = LATER if LATER_BLOCK in vae.config.down_block_types else EARLIER
        name = f"ltx/{modes[-1]}"
        return cls(
            name,
            modes,
            weights_hash(folder, COMPONENTS, options.quantize, loras=parse_loras(options.lora)),
            pipeline=pipeline_class(
                transformer=transformer, vae=vae, tokenizer=None, text_encoder=None, scheduler=None
            ),
            space=latent_space(vae),
            prompts=Prompts(folder, path, name, lambda where, prompt: _embed(pipeline_class, where, prompt, options)),
            options=options,
        )

    @property
    def counts_from_first(self) -> bool:
        """Whether the first latent frame counts as one picture in time, and not as `temporal_stride` pictures."""
        return "flf2v" in self.modes

    @property
    def text_channels(self) -> int:
        """Channels of a prompt's embedding."""
        return self.network.config.caption_channels

    def decode(self, latent: Tensor) -> Tensor:
        """Decode a normalised latent [1, C, T', H', W'] to R'G'B' [1, 3, T, H, W] in [-1, 1].

        The VAE of some versions is also a denoiser and wants the time of its latent. The codec's latents are clean, so
        that time is 0.
        """
        time = torch.zeros(1, device=self.device) if self.vae.config.timestep_conditioning else None
        return self.vae.decode(latent * self.latents_std + self.latents_mean, time).sample


def _check_fit(transformer, vae, folder: Path) -> None:
    """Raise PriorError unless transformer and VAE use the same latents, with one token for each position."""
    if transformer.in_channels == transformer.out_channels == vae.latent_channels and transformer.patch_size == 1:
        return
    raise PriorError(
        f"{folder} is no LTX-Video model (in_channels {transformer.in_channels}, out_channels "
        f"{transformer.out_channels}, latent channels {vae.latent_channels}, patch {transformer.patch_size}); "
        "use a version from 0.9 to 0.9.8"
    )


def _drop_noise(decoder: torch.nn.Module) -> None:
    """Stop the VAE of some versions from adding torch's random noise, which would differ between two runs."""
    for module in decoder.modules():
        if hasattr(module, "per_channel_scale1"):
            module.per_channel_scale1 = module.per_channel_scale2 = None


def latent_space(vae: AutoencoderKLLTXVideo | AutoencoderKLLTX2Video) -> LatentSpace:
    """Return the geometry and scale of the latents of a VAE."""
    mean, std = vae.latents_mean.tolist(), (vae.latents_std / vae.config.scaling_factor).tolist()
    return LatentSpace(tuple(mean), tuple(std), vae.temporal_compression_ratio, vae.spatial_compression_ratio)


def _embed(pipeline_class: type, folder: Path, prompt: str, options: ModelOptions) -> Embedding:
    """Compute the embedding of a prompt as diffusers' pipelines do; the tensors are on the CPU."""
    with text_pipeline(pipeline_class, folder, options, transformer=None, vae=None, scheduler=None) as pipeline:
        embedding, mask, _, _ = pipeline.encode_prompt(prompt, do_classifier_free_guidance=False)
    return {"prompt_embeds": embedding.cpu(), "prompt_attention_mask": mask.cpu()}
