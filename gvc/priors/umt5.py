# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Prompts of models that read text as Wan does: the output of UMT5 for at most 512 tokens."""

from pathlib import Path

import ftfy  # noqa: F401 - without it diffusers would clean a prompt less, and embed another text
import torch
from torch import Tensor

from ..errors import PriorError
from ..prior import ModelOptions
from .diffusion import DiffusionPrior
from .loading import quietly
from .prompts import Embedding, Prompts, text_pipeline

with quietly():  # Without torchvision this import warns about an image processor that is not used here.
    from diffusers import WanPipeline

TEXT_TOKENS = 512  # tokens of an embedding; diffusers' attention treats all further tokens as the image's


def umt5_prompts(folder: Path, path: str | Path, options: ModelOptions) -> Prompts:
    """Return the embeddings of texts for a model.

    folder: local folder of the model.
    path: that folder, or the hub ID from which the text encoder may have to be fetched.
    options: device and placement of the text encoder.
    """
    return Prompts(folder, path, "wan", lambda where, prompt: _embed(where, prompt, options))


def no_text(channels: int) -> Embedding:
    """Return an embedding of zeros, for models without a text encoder. channels: channels of the embedding."""
    return {"prompt_embeds": torch.zeros(1, TEXT_TOKENS, channels)}


def text_input(prior: DiffusionPrior, prompt: str) -> Tensor:
    """Return the UMT5 embedding [1, 512, text_dim] of a prompt, zeros after its text, as the network takes it.

    prior: prior whose `prompts` come from here.
    Raises PriorError.
    """
    embedding = prior.prompts(prompt).get("prompt_embeds")
    shape = (1, TEXT_TOKENS, prior.network.config.text_dim)
    if embedding is None or embedding.shape != shape:
        raise PriorError(f"the embedding of the prompt {prompt!r} is of another model than {prior.name}; delete it")
    return embedding.to(prior.device, prior.dtype)


def _embed(folder: Path, prompt: str, options: ModelOptions) -> Embedding:
    """Compute the embedding of a prompt as diffusers' pipelines do; the tensors are on the CPU."""
    with text_pipeline(WanPipeline, folder, options, vae=None, scheduler=None) as pipeline:
        embedding, _ = pipeline.encode_prompt(
            prompt, do_classifier_free_guidance=False, max_sequence_length=TEXT_TOKENS, device=torch.device("cpu")
        )
    return {"prompt_embeds": embedding}
