# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A model of the size of Wan 2.2 TI2V-5B with random weights, to measure what such a network costs.

It codes videos without known pictures, with a time for each token as the real one has. It is no model of GVC's: no
stream can be decoded with it but its own.
"""

import torch
from diffusers import AutoencoderKLWan, WanPipeline, WanTransformer3DModel
from torch import Tensor

from gvc.prior import Condition, ModelOptions
from gvc.priors.device import check_options
from gvc.priors.diffusion import ConditionedDiffusion, DiffusionPrior, LatentSpace
from gvc.priors.loading import network_dtype
from gvc.priors.untrained import untrained

CHANNELS, TEMPORAL_STRIDE, SCALE, PATCH = 48, 4, 16, 2
TEXT_TOKENS = 512
# The published configuration, as differences from diffusers' defaults.
TRANSFORMER = {
    "num_attention_heads": 24,
    "num_layers": 30,
    "ffn_dim": 14336,
    "in_channels": CHANNELS,
    "out_channels": CHANNELS,
}
VAE = {
    "base_dim": 160,
    "decoder_base_dim": 256,
    "z_dim": CHANNELS,
    "is_residual": True,
    "in_channels": 12,
    "out_channels": 12,
    "patch_size": 2,
    "scale_factor_spatial": SCALE,
    "latents_mean": [0.0] * CHANNELS,
    "latents_std": [1.0] * CHANNELS,
}


class _Conditioned(ConditionedDiffusion):
    """The model for one GOP."""

    def __init__(self, prior: "Ti2vSized", condition: Condition):
        super().__init__(prior, condition)
        frames, _, height, width = self.shape
        self.tokens = frames * (height // PATCH) * (width // PATCH)
        self.text = torch.zeros(1, TEXT_TOKENS, prior.network.config.text_dim, device=prior.device, dtype=prior.dtype)

    def predict(self, latent: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = latent], both [1, C, T', H', W']."""
        (velocity,) = self.prior.network(
            hidden_states=latent.to(self.prior.dtype),
            timestep=torch.full((1, self.tokens), 1000.0 * t, device=self.prior.device),
            encoder_hidden_states=self.text,
            return_dict=False,
        )
        return velocity


class Ti2vSized(DiffusionPrior):
    """The model, ready to be conditioned."""

    conditioned = _Conditioned

    @classmethod
    def made(cls, options: ModelOptions, transformer: dict | None = None, vae: dict | None = None) -> "Ti2vSized":
        """Make the model. Raises PriorError if the device cannot run it.

        transformer, vae: changes of the configurations, for a smaller model, default none.
        """
        check_options(options)
        device = options.device if options.offload == "none" else "cpu"
        dtype = network_dtype(options)
        pipeline = WanPipeline(
            transformer=untrained(WanTransformer3DModel, TRANSFORMER | (transformer or {}), dtype, device, 0),
            vae=untrained(AutoencoderKLWan, VAE | (vae or {}), torch.float32, device, 0),
            tokenizer=None,
            text_encoder=None,
            scheduler=None,
        )
        space = LatentSpace((0.0,) * CHANNELS, (1.0,) * CHANNELS, TEMPORAL_STRIDE, SCALE, PATCH)
        return cls("wan/ti2v-5b", ("t2v",), bytes(8), pipeline=pipeline, space=space, prompts=dict, options=options)
