# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Embeddings of prompts. They are kept in the cache, since text encoders are large.

A prompt is embedded once on a machine. Later its embedding comes from the cache, and the text encoder, 11 GB for Wan,
is not read at all. A model's folder may contain the embedding of one prompt (EMBEDDING_FILE); for this prompt no text
encoder is needed.
"""

import gc
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers
from diffusers import DiffusionPipeline
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import PriorError
from ..machine.cache import cache_file, keep
from ..prior import ModelOptions
from .device import one_line
from .loading import INDEX, find_model, load_network, network_call, place_on_device, read_index
from .weights import folder_digest

if TYPE_CHECKING:
    from .diffusion import DiffusionPrior

EMBEDDING_FILE = "gvc_prompt_embedding.safetensors"
ENCODER_PARTS = ("text_encoder", "tokenizer")
TWO_ENCODERS = (*ENCODER_PARTS, "text_encoder_2", "tokenizer_2")
KEPT = 8  # number of latest embeddings that stay in memory; each keyframe of a stream may have another prompt
Embedding = dict[str, Tensor]  # tensors by the names that diffusers' pipelines give them


class Prompts:
    """The embeddings of texts for one model.

    folder: local folder of the model.
    path: that folder, or the hub ID from which the text encoder may have to be fetched.
    kind: name in the cache, different for families that process the same text encoder's output differently.
    encode: function (folder, prompt) -> embedding on the CPU; it loads the text encoder and frees it again.
    parts: subfolders of text encoders, tokenizers and all else that makes an embedding, default ENCODER_PARTS.
    """

    def __init__(
        self,
        folder: Path,
        path: str | Path,
        kind: str,
        encode: Callable[[Path, str], Embedding],
        parts: tuple[str, ...] = ENCODER_PARTS,
    ):
        self._folder, self._path, self._kind, self._encode, self._parts = folder, path, kind, encode, parts
        self._known: dict[str, Embedding] = {}

    def __call__(self, prompt: str) -> Embedding:
        """Return the embedding of a prompt. Raises PriorError if the model has no text encoder to compute it."""
        if prompt not in self._known:
            self._known[prompt] = self._bundled(prompt) or self._kept(prompt)
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
        return self._known[prompt]

    def _bundled(self, prompt: str) -> Embedding | None:
        """Return the embedding in the model's folder; None if there is none or it belongs to another prompt."""
        path = self._folder / EMBEDDING_FILE
        if not path.is_file():
            return None
        try:
            return _read(path, prompt)
        except (OSError, SafetensorError) as error:
            raise PriorError(f"{path} cannot be read ({one_line(error)}); delete it or fetch it again") from error

    def _kept(self, prompt: str) -> Embedding:
        """Return the embedding from the cache; compute and store it if it is not there."""
        folder = find_model(self._path, text_encoder=True)
        for part in self._parts:
            if not (folder / part).is_dir():
                raise PriorError(
                    f"{folder} has neither {part}/ nor an embedding of the prompt {prompt!r} ({EMBEDDING_FILE}); "
                    f"fetch {part}/ of the model too"
                )
        text = f"{self._kind}\0{folder_digest(folder, self._parts)}\0{prompt}"
        path = cache_file("prompts", hashlib.sha256(text.encode()).hexdigest() + ".safetensors")
        try:
            found = _read(path, prompt)
        except (OSError, SafetensorError):
            found = None
        if found is None:
            with network_call(f"the text encoder of {folder}"):
                found = self._encode(folder, prompt)
            keep(path, save({name: tensor.contiguous() for name, tensor in found.items()}, {"prompt": prompt}))
        return found


def masked_text(prior: "DiffusionPrior", prompt: str, channels: int) -> dict[str, Tensor]:
    """Return a network's inputs for a prompt: embedding [1, L, channels] and its mask [1, L]. Raises PriorError.

    prior: prior whose `prompts` gives both.
    """
    embedding = prior.prompts(prompt)
    text, mask = (embedding.get(name) for name in ("prompt_embeds", "prompt_attention_mask"))
    if text is None or mask is None or text.shape != (*mask.shape, channels):
        raise PriorError(f"the embedding of the prompt {prompt!r} is of another model than {prior.name}; delete it")
    return {
        "encoder_hidden_states": text.to(prior.device, prior.dtype),
        "encoder_attention_mask": mask.to(prior.device),
    }


@contextmanager
def text_pipeline(
    pipeline_class, folder: Path, options: ModelOptions, parts: tuple[str, ...] = ENCODER_PARTS, **others
) -> Iterator[DiffusionPipeline]:
    """Yield a pipeline of diffusers with tokenizers and text encoders; all are freed at the end of the block.

    A text encoder computes in bfloat16, in which T5 was trained; in float16 it overflows.

    pipeline_class: class of the pipeline.
    folder: folder of the model.
    options: device and placement of the text encoders.
    parts: subfolders of text encoders and tokenizers, default ENCODER_PARTS.
    others: further components of the pipeline that have no default.
    Raises PriorError.
    """
    loaded = {part: _load_encoder(folder, part) for part in parts}
    pipeline = pipeline_class(**loaded, **others)
    place_on_device(pipeline, options)
    try:
        yield pipeline
    finally:
        pipeline.remove_all_hooks()
        del pipeline, loaded
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _load_encoder(folder: Path, part: str):
    """Load a text encoder or tokenizer. part: its subfolder in the model's folder. Raises PriorError."""
    if part.startswith("tokenizer"):
        try:
            return transformers.AutoTokenizer.from_pretrained(folder / part, local_files_only=True)
        except Exception as error:  # Several libraries take part, each with its own exception types.
            raise PriorError(f"cannot load {folder / part} ({one_line(error)}); fetch the model again") from error
    _, class_name = read_index(folder).get(part) or (None, None)
    encoder_class = getattr(transformers, class_name or "", None)
    if encoder_class is None:
        raise PriorError(f"{folder / INDEX} names no {part} of transformers; fetch the model again")
    return load_network(encoder_class, folder / part, torch.bfloat16)


def _read(path: Path, prompt: str) -> Embedding | None:
    """Return the tensors of a file; None if it belongs to another prompt. Raises OSError, SafetensorError."""
    with safe_open(path, framework="pt") as file:
        if (file.metadata() or {}).get("prompt") != prompt:
            return None
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - safe_open gives no mapping
