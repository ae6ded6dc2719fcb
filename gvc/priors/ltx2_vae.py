# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding with the VAE of LTX-2, which other models use too."""

from diffusers import AutoencoderKLLTX2Video
from torch import Tensor
from torch.nn.functional import pad


def decode_latent(vae: AutoencoderKLLTX2Video, latent: Tensor) -> Tensor:
    """Decode a latent [1, C, T', H', W'], as the VAE scales it, to R'G'B' [1, 3, T, H, W] in [-1, 1].

    Some decoders continue a latent beyond its edges by reflection, for which each side of it needs two values, and so
    does each of its tiles. Where there would be one, its row or column is repeated.
    """
    height, width = latent.shape[-2:]
    rows, columns = _extension(vae, height), _extension(vae, width)
    if rows or columns:
        latent = pad(latent, (0, columns, 0, rows, 0, 0), mode="replicate")
    scale = vae.spatial_compression_ratio
    return vae.decode(latent).sample[..., : height * scale, : width * scale]


def _extension(vae: AutoencoderKLLTX2Video, side: int) -> int:
    """Return by how many values a side of a latent must be extended, 0 or 1."""
    if vae.config.decoder_spatial_padding_mode != "reflect":
        return 0
    tile = vae.tile_sample_stride_height // vae.spatial_compression_ratio  # The stride is the same in both directions.
    return int(side % tile == 1 if vae.use_tiling else side == 1)
