#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# diffusers 0.42.1, Kandinsky5I2VPipeline: videos of up to 13 pictures.
#
# Expected by many: any number of pictures of the form 4k + 1 gives a video, as in Kandinsky5T2VPipeline.
# Seen: after the last step the first four latent frames are moved to mean and deviation of up to five frames behind
# them. If there are no frames behind them, that is up to 13 pictures, mean and deviation of nothing are NaN, and so is the
# whole video: black pictures, without an error. The latents of all steps are right; from 17 pictures on all is well.
# Whoever needs short videos must take the latents of the last step by `callback_on_step_end` and decode these.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if the pipeline behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 diffusers==0.42.1 transformers==5.23.0 ftfy==6.3.1
cat >"$folder/short.py" <<'P'
import torch
from diffusers import (
    AutoencoderKLHunyuanVideo,
    FlowMatchEulerDiscreteScheduler,
    Kandinsky5I2VPipeline,
    Kandinsky5Transformer3DModel,
)
from PIL import Image

torch.manual_seed(0)
transformer = Kandinsky5Transformer3DModel(
    in_visual_dim=16, out_visual_dim=16, in_text_dim=16, in_text_dim2=8, time_dim=16, model_dim=24, ff_dim=32,
    num_text_blocks=1, num_visual_blocks=1, axes_dims=(4, 4, 4), visual_cond=True,
)  # fmt: skip
vae = AutoencoderKLHunyuanVideo(block_out_channels=(4, 4, 4, 8), layers_per_block=1, norm_num_groups=2)
absent = dict.fromkeys(("text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"))
scheduler = FlowMatchEulerDiscreteScheduler(shift=5.0)
pipeline = Kandinsky5I2VPipeline(transformer=transformer, vae=vae, scheduler=scheduler, **absent)
pipeline.set_progress_bar_config(disable=True)


def finite(pictures):
    """Return whether the latents of the last step and the pictures of a video of this length are finite numbers."""
    steps = []
    video = pipeline(
        image=Image.new("RGB", (32, 32), (90, 120, 60)),
        height=32,
        width=32,
        num_frames=pictures,
        num_inference_steps=2,
        guidance_scale=1.0,
        prompt_embeds_qwen=torch.zeros(1, 4, 16),
        prompt_embeds_clip=torch.zeros(1, 8),
        prompt_cu_seqlens=torch.tensor([0, 4]),
        output_type="pt",
        callback_on_step_end=lambda _pipeline, _step, _t, given: steps.append(given["latents"].clone()) or {},
    ).frames
    return bool(steps[-1].isfinite().all()), bool(video.isfinite().all())


for pictures in (5, 13, 17, 33):
    latents, video = finite(pictures)
    print(f"{pictures} pictures: latents of the last step are numbers: {latents}; all pictures are: {video}")
    assert latents and video == (pictures > 13), "the pipeline behaves in another way"
P
"$folder/venv/bin/python" "$folder/short.py" 2>/dev/null
