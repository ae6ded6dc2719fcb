#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# diffusers 0.42.1, WanVACEPipeline: a mask that keeps only the first or the last picture of a video.
#
# Expected by many: the first latent frame holds the first picture alone, so a mask that keeps this picture reaches the
# network as "keep" in that latent frame, as in WanImageToVideoPipeline.
# Seen: the mask is resized in time with "nearest-exact", which for T pictures takes picture 1 for the first latent frame
# and picture T - 2 for the last one. So the network gets the same mask as if nothing were kept; it sees a picture that
# is kept alone only in the latents beside the mask. VACE's own code resizes in the same way.
# Whoever wants the mask to say so must keep the first two pictures, or the last two.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if the pipeline behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 diffusers==0.42.1 transformers==5.23.0 ftfy==6.3.1
cat >"$folder/masks.py" <<'P'
import torch
from diffusers import AutoencoderKLWan, WanVACEPipeline, WanVACETransformer3DModel

transformer = WanVACETransformer3DModel(
    num_attention_heads=2, attention_head_dim=12, text_dim=16, freq_dim=32, ffn_dim=32, num_layers=1, vace_layers=[0]
)
vae = AutoencoderKLWan(base_dim=4, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True])
pipeline = WanVACEPipeline(tokenizer=None, text_encoder=None, scheduler=None, vae=vae, transformer=transformer)


def kept_latent_frames(pictures, kept):
    """Return the latent frames in which the mask says that something is kept."""
    mask = torch.ones(1, 3, pictures, 32, 32)
    mask[:, :, kept] = 0
    prepared = pipeline.prepare_masks(mask, [[]])
    return [i for i in range(prepared.shape[2]) if not prepared[0, :, i].all()]


for pictures in (5, 33, 81):
    last = (pictures + 3) // 4 - 1
    for kept in ([0], [-1], [0, -1], [0, 1], [-2, -1]):
        found = kept_latent_frames(pictures, kept)
        print(f"{pictures} pictures, kept {kept}: latent frames with a mask: {found}")
        expected = [0] if kept == [0, 1] else [last] if kept == [-2, -1] else []
        assert found == expected, "the pipeline behaves in another way"
P
"$folder/venv/bin/python" "$folder/masks.py"
