# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Wan conditioned on one GOP: how the known pictures and the prompt enter its networks.

The state of the flow and the text enter in the same way in all models (ConditionedWan). Known pictures enter as further
channels beside the state (ConditionedByChannels), as a control beside the network (ConditionedByControl), or as a known
latent frame of the state (ConditionedByTokens).
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ..prior import Condition, KnownLatent
from .diffusion import ConditionedDiffusion, flatten
from .known_frames import ConditionedByFrames
from .low_band import DiffusionLowBand
from .umt5 import text_input

if TYPE_CHECKING:
    from .wan import WanPrior


class ConditionedWan(ConditionedDiffusion):
    """A Wan that is shown a text and no pictures; the other classes derive from it.

    Attributes:
        channels: inputs that follow the state in the channels of the network's input, each [1, *, T', H', W'].
        arguments: further arguments of the network, by name.
    """

    def __init__(self, prior: "WanPrior", condition: Condition):
        super().__init__(prior, condition)
        self.text = text_input(prior, condition.prompt)
        self.channels: tuple[Tensor, ...] = ()
        self.arguments: dict[str, Tensor | None] = {}

    def predict(self, latent: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = latent], both [1, C, T', H', W']."""
        hidden = torch.cat((latent, *self.channels), dim=1)
        (velocity,) = self.prior.network_at(t)(
            hidden_states=hidden.to(self.prior.dtype),
            timestep=torch.full((1,), 1000.0 * t, device=self.prior.device),
            encoder_hidden_states=self.text,
            return_dict=False,
            **self.arguments,
        )
        return velocity

    def _shrink(self, band: DiffusionLowBand) -> None:
        super()._shrink(band)
        self.channels = tuple(map(band.shown, self.channels))

    def _known_video(self, condition: Condition) -> tuple[Tensor, Tensor]:
        """Return the video that is mid-grey except for its known pictures, and which pictures are known.

        The video is R'G'B' [1, 3, T, H, W] in [-1, 1], of padded size. The second tensor, [T], is 1 for known pictures
        and 0 for others.
        """
        video = torch.zeros(1, 3, *self.padded, device=self.prior.device)
        known = video.new_zeros(self.padded[0])
        for place, planes in ((-1, condition.last), (0, condition.first)):
            if planes is not None:
                video[:, :, place], known[place] = self.picture(planes)[:, :, 0], 1
        return video, known

    def _know_first_frame(self, latent: Tensor) -> None:
        """Use the latent of the known pictures [1, C, T', H', W'] for what the codec knows of the clean latent.

        The VAE is causal, so the first latent frame depends on the first picture alone.
        """
        self.known = (KnownLatent(self.blocks[0], flatten(latent[:, :, :1])),)


class ConditionedByChannels(ConditionedWan):
    """A Wan that is shown its first picture, or first and last, as channels and perhaps as CLIP embeddings."""

    def __init__(self, prior: "WanPrior", condition: Condition):
        super().__init__(prior, condition)
        pictures = [planes for planes in (condition.first, condition.last) if planes is not None]
        images = [self.image(planes) for planes in pictures]
        self.arguments = {"encoder_hidden_states_image": prior.embed_pictures(images)}
        video, known = self._known_video(condition)
        latent = prior.encode(video)
        self.channels = (self._mask(known), latent)
        self._know_first_frame(latent)

    def _mask(self, known: Tensor) -> Tensor:
        """Return the mask [1, 4, T', H', W'] that says which pictures are known, 1 or 0 in `known`, [T].

        Each of the four channels stands for one of the four pictures of a latent frame; in the first latent frame,
        which has a single picture, all of them for that one.
        """
        time, _, height, width = self.shape
        stride = self.prior.space.temporal_stride
        by_frame = torch.cat((known[:1].expand(stride - 1), known)).view(time, stride)
        return by_frame.T[None, :, :, None, None].expand(1, stride, time, height, width)


class ConditionedByControl(ConditionedWan):
    """A VACE model, which is shown any known pictures as a control that some of its layers add to their states.

    The scale of the control is 1 in each of these layers, the network's default.
    """

    def __init__(self, prior: "WanPrior", condition: Condition):
        super().__init__(prior, condition)
        video, known = self._known_video(condition)
        inactive = prior.encode(video)
        # Only known pictures are given, so nothing is left of the video where the model is to generate.
        reactive = prior.encode(torch.zeros_like(video))
        control = torch.cat((inactive, reactive, self._mask(known)), dim=1)
        self.arguments = {"control_hidden_states": control.to(prior.dtype)}
        if condition.first is not None:
            self._know_first_frame(inactive)

    def _shrink(self, band: DiffusionLowBand) -> None:
        super()._shrink(band)
        control = self.arguments["control_hidden_states"]
        self.arguments = {"control_hidden_states": band.shown(control.float()).to(control.dtype)}

    def _mask(self, known: Tensor) -> Tensor:
        """Return the mask [1, 64, T', H', W'], 1 for pictures that the model is to generate; `known` is [T].

        It is a mask of full size whose 8x8 samples for each latent value are its channels. In time it is reduced by
        taking the nearest picture. That is never the first or last of several, so known pictures at these places show
        in the control's other channels only. The authors' own code does the same.
        """
        time, _, height, width = self.shape
        unknown = interpolate((1 - known)[None, None], size=time, mode="nearest-exact")
        return unknown.view(1, 1, time, 1, 1).expand(1, self.prior.space.scale**2, time, height, width)


class ConditionedByTokens(ConditionedByFrames):
    """A TI2V model: a known first picture is the first latent frame, and the network is told a time for each token."""

    def __init__(self, prior: "WanPrior", condition: Condition):
        super().__init__(prior, condition)
        self.text = text_input(prior, condition.prompt)

    def predict_frames(self, frames: Tensor, timestep: Tensor) -> Tensor:
        """Return the network's E[eps - x0] for all frames, [1, C, F, H', W']."""
        tokens = frames.shape[3] * frames.shape[4] // self.prior.space.patch**2
        (velocity,) = self.prior.network(
            hidden_states=frames.to(self.prior.dtype),
            timestep=self.token_times(timestep, tokens),
            encoder_hidden_states=self.text,
            return_dict=False,
        )
        return velocity
