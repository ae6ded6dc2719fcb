#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# diffusers 0.42.1, WanVACEPipeline with a VAE that works on patches, such as an AutoencoderKLWan with patch_size=2.
#
# Expected by many: the pipeline reads the size of a latent value from the VAE's configuration (scale_factor_spatial), as
# WanPipeline and WanImageToVideoPipeline do, so a video of 64x64 is made if one of 64x64 is asked for.
# Seen: it counts the VAE's downsamplings instead, and so takes 4 samples for the 8 of such a VAE. Its mask then has twice
# as many values on each side as the latents, and the call ends with torch's "Sizes of tensors must match".
# Whoever uses such a VAE must set `pipeline.vae_scale_factor_spatial`.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if the pipelines behave otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 diffusers==0.42.1 transformers==5.23.0 ftfy==6.3.1
cat >"$folder/patched.py" <<'P'
import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)

SHAPE = {"num_attention_heads": 2, "attention_head_dim": 12, "ffn_dim": 32, "num_layers": 1, "text_dim": 16}
torch.manual_seed(0)
vae = AutoencoderKLWan(
    base_dim=4, dim_mult=[1, 1, 1], num_res_blocks=1, z_dim=16, temperal_downsample=[True, True], is_residual=True,
    patch_size=2, in_channels=12, out_channels=12, scale_factor_spatial=8,
)  # fmt: skip
common = {"vae": vae, "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0), "tokenizer": None, "text_encoder": None}
usual = WanPipeline(transformer=WanTransformer3DModel(**SHAPE), **common)
vace = WanVACEPipeline(transformer=WanVACETransformer3DModel(**SHAPE, vace_layers=[0]), **common)


def size_of(pipeline):
    """Return width and height of a video for which 64x64 was asked, or the error's first words."""
    pipeline.set_progress_bar_config(disable=True)
    embedding = torch.zeros(1, 512, 16)
    try:
        video = pipeline(
            height=64, width=64, num_frames=5, num_inference_steps=1, guidance_scale=1.0, prompt_embeds=embedding,
            output_type="pt",
        ).frames  # fmt: skip
    except RuntimeError as error:
        return str(error)[:27]
    return f"{video.shape[-1]}x{video.shape[-2]}"


seen = {"WanPipeline": size_of(usual), "WanVACEPipeline": size_of(vace)}
vace.vae_scale_factor_spatial = vae.config.scale_factor_spatial
seen["WanVACEPipeline with the VAE's factor"] = size_of(vace)
for name, found in seen.items():
    print(f"{name}: {found}")
assert [*seen.values()] == ["64x64", "Sizes of tensors must match", "64x64"], "the pipelines behave in another way"
P
"$folder/venv/bin/python" "$folder/patched.py" 2>/dev/null
