# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the catalogue says of a published model. No library is needed to read it."""

from dataclasses import dataclass, field

from ...modes import Mode

ALL_MODES = tuple(str(mode) for mode in Mode)
# Billions of parameters of encoders of text, most of which several families share
UMT5, T5, QWEN_VL, QWEN, CLIP_TEXT, BYT5, GEMMA = 5.68, 4.76, 8.29, 7.07, 0.123, 0.219, 12.19


@dataclass(frozen=True)
class Shape:
    """The shape of a model's networks, for random weights in the place of the published ones.

    network: configuration of its denoising networks, as differences from the defaults of diffusers.
    vae: configuration of its VAE, likewise.
    vae_class: class of its VAE in diffusers; default "", for families that have a single one.
    boundary: time below which the second network computes; default None, for models with one network.
    """

    network: dict = field(default_factory=dict)
    vae: dict = field(default_factory=dict)
    vae_class: str = ""
    boundary: float | None = None


@dataclass(frozen=True)
class Model:
    """A published model in diffusers' layout.

    name: name in commands, FAMILY/SIZE. The family is a key of gvc.priors.FAMILIES.
    hub_id: its repository, ORG/NAME.
    stream_name: name in streams, as in gvc.prior.Prior.
    modes: modes that it was trained for.
    network, vae, text_encoder: billions of parameters of a denoising network, of the VAE, of all encoders of text.
    sizes: sizes of the pictures that it was trained with, (width, height) in samples, the smallest one first.
    pictures: most pictures that its pipeline makes at a time unless it is told a number.
    licence: its licence in words.
    shift: shift of the time grid by which the publisher samples, in words; default "", for one that is computed.
    networks: number of denoising networks; default 1.
    float32: billions of parameters of a denoising network that stay in float32 with any dtype and quantize; default 0.
    image_encoder: billions of parameters of its image encoder; default 0, for models without one.
    parts: folders that decoding needs; default transformer and vae.
    text_parts: folders that a new prompt needs besides; default text_encoder and tokenizer.
    shape: shape of its networks; default None, for models that cannot be made with random weights.
    """

    name: str
    hub_id: str
    stream_name: str
    modes: tuple[str, ...]
    network: float
    vae: float
    text_encoder: float
    sizes: tuple[tuple[int, int], ...]
    pictures: int
    licence: str
    shift: str = ""
    networks: int = 1
    float32: float = 0.0
    image_encoder: float = 0.0
    parts: tuple[str, ...] = ("transformer", "vae")
    text_parts: tuple[str, ...] = ("text_encoder", "tokenizer")
    shape: Shape | None = None

    @property
    def family(self) -> str:
        """The key of gvc.priors.FAMILIES."""
        return self.name.partition("/")[0]

    @property
    def prior(self) -> str:
        """The value of the option `prior` that names the model."""
        return f"{self.family}:{self.hub_id}"


@dataclass(frozen=True)
class Bundled:
    """A model that comes with GVC.

    prior: value of the option `prior`.
    about: description in a few words.
    extra: extra that it needs (gvc.extras); default "", for none.
    modes: modes that it was made for; default all.
    stream_name: name in streams, if its weights are files like those of other models; default "".
    weights_hash: hash of these weights in streams, in hexadecimal; default "".
    """

    prior: str
    about: str
    extra: str = ""
    modes: tuple[str, ...] = ALL_MODES
    stream_name: str = ""
    weights_hash: str = ""
