# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""SkyReels-V2 DF through diffusers as a prior of the codec.

A folder or hub repository has the layout of diffusers' SkyReels-V2 pipelines for diffusion forcing. The models descend
from Wan 2.1, whose VAE and text encoder they share, and were trained with a time of its own for each latent frame. So
one set of weights serves all modes: known pictures are known latent frames (gvc.priors.known_frames). A known first
picture is the first latent frame of the video; a known last picture is one more latent frame behind it. There is no
guidance, and all other latent frames have one time.
"""

from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, SkyReelsV2DiffusionForcingPipeline, SkyReelsV2Transformer3DModel
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
from .umt5 import text_input, umt5_prompts
from .weights import weights_hash

COMPONENTS = ("transformer", "vae")  # parts of a model that determine the decoded pictures
MODES = ("t2v", "i2v", "flf2v")
PIPELINES = tuple(f"SkyReelsV2DiffusionForcing{kind}Pipeline" for kind in ("", "ImageToVideo", "VideoToVideo"))
SLOW_RATE = 16  # pictures a second for which the smaller model has an embedding; it has one more for all other rates


class ConditionedSkyReels(ConditionedByFrames):
    """SkyReels-V2 DF conditioned on one GOP."""

    def __init__(self, prior: "SkyReelsPrior", condition: Condition):
        super().__init__(prior, condition)
        self.text = text_input(prior, condition.prompt)
        self.rate = int(self.format.frame_rate != SLOW_RATE)

    def places(self, condition: Condition) -> dict[int, Planes | None]:
        """Return the known pictures by place: the latent frame of the last one follows those of the video."""
        return {0: condition.first, self.shape[0]: condition.last}

    def predict_frames(self, frames: Tensor, timestep: Tensor) -> Tensor:
        """Return the network's E[eps - x0] for all frames, [1, C, F, H', W']."""
        (velocity,) = self.prior.network(
            hidden_states=frames.to(self.prior.dtype),
            timestep=timestep[None],
            encoder_hidden_states=self.text,
            enable_diffusion_forcing=True,
            fps=[self.rate],
            return_dict=False,
        )
        return velocity


class SkyReelsPrior(DiffusionPrior):
    """A SkyReels-V2 DF ready to be conditioned."""

    conditioned = ConditionedSkyReels
    has_low_band = True
    takes_loras = True

    @classmethod
    def from_pretrained(cls, path: str | Path, options: ModelOptions = DEFAULT_OPTIONS) -> "SkyReelsPrior":
        """Load a model.

        path: local folder in diffusers' layout, or hub ID (ORG/NAME).
        options: device, dtype and placement of the networks.
        Raises PriorError if it is no complete SkyReels-V2 DF or cannot be run with these options.
        """
        check_options(options)
        folder = find_model(path)
        pipeline_of(folder, PIPELINES, "a SkyReels-V2 DF")
        transformer = load_denoiser(
            SkyReelsV2Transformer3DModel, folder / "transformer", options, SkyReelsV2DiffusionForcingPipeline
        )
        vae = load_network(AutoencoderKLWan, folder / "vae", torch.float32)
        _check_fit(transformer.config, vae.config, folder)
        return cls(
            "skyreels/df",
            MODES,
            weights_hash(folder, COMPONENTS, options.quantize, loras=parse_loras(options.lora)),
            pipeline=SkyReelsV2DiffusionForcingPipeline(
                transformer=transformer, vae=vae, tokenizer=None, text_encoder=None, scheduler=None
            ),
            space=LatentSpace.of_wan(vae.config, transformer.config.patch_size[-1]),
            prompts=umt5_prompts(folder, path, options),
            options=options,
        )


def _check_fit(transformer, vae, folder: Path) -> None:
    """Raise PriorError unless the transformer takes the VAE's latents and nothing else, all of them in one block."""
    latents = (transformer.in_channels, transformer.out_channels) == (vae.z_dim, vae.z_dim)
    if latents and transformer.image_dim is None and transformer.num_frame_per_block == 1:
        return
    raise PriorError(
        f"{folder} is no SkyReels-V2 DF model (in_channels {transformer.in_channels}, latent channels {vae.z_dim}, "
        f"image_dim {transformer.image_dim}, num_frame_per_block {transformer.num_frame_per_block}); "
        "use a DF model of 1.3B or 14B"
    )
