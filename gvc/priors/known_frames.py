# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Common part of families whose networks take clean latent frames among noisy ones.

Most such networks are told a time for each token or each latent frame: known frames are clean and at time 0, all
others have the noise and the time of the step. Others are shown a mask of the known frames. Any latent frame of the
video may be known, and so may further frames beside it.
"""

import torch
from torch import Tensor

from ..media import Planes
from ..prior import Condition
from .diffusion import ConditionedDiffusion, DiffusionPrior
from .low_band import DiffusionLowBand


class ConditionedByFrames(ConditionedDiffusion):
    """A model conditioned on one GOP by known latent frames; families implement `predict_frames`.

    A known frame of the video is not in the codec's vector and costs no atoms.

    Attributes:
        before, after: known frames that only the network sees, in front of and behind those of the video, float32
            [1, C, n, H', W'].
        noisy: 1 for each frame with noise and 0 for each known one, for all that the network sees, float32 [F].
    """

    def __init__(self, prior: DiffusionPrior, condition: Condition):
        super().__init__(prior, condition)
        time, channels, height, width = self.shape
        pictures = {place: planes for place, planes in self.places(condition).items() if planes is not None}
        known = {place: prior.encode(self.picture(pictures[place])) for place in sorted(pictures)}
        none = torch.zeros(1, channels, 0, height, width, device=prior.device)
        self.before = torch.cat([none, *(known[place] for place in known if place < 0)], dim=2)
        self.after = torch.cat([none, *(known[place] for place in known if place >= time)], dim=2)
        noisy = [float(place not in known) for place in range(time)]
        noisy = [0.0] * self.before.shape[2] + noisy + [0.0] * self.after.shape[2]
        self.noisy = torch.tensor(noisy, device=prior.device)
        unknown = [place for place in range(time) if place not in known]
        self._lay_out(unknown)
        self._unknown = torch.tensor(unknown, dtype=torch.long, device=prior.device)
        self._clean = torch.zeros(self.shape, device=prior.device)  # the video's known frames, zeros in place of others
        for place in known.keys() & range(time):
            self._clean[place] = known[place][0, :, 0]

    def places(self, condition: Condition) -> dict[int, Planes | None]:
        """Return the known pictures, each by the place of the latent frame that it makes alone.

        The video's latent frames are at places 0 to T' - 1, where T' is self.shape[0]. Places beyond are beside it.
        """
        return {0: condition.first}

    def predict_frames(self, frames: Tensor, timestep: Tensor) -> Tensor:
        """Return the network's E[eps - x0] for all frames, [1, C, F, H', W'].

        frames: states of all frames that the network sees, of which known ones are clean, float32 [1, C, F, H', W'].
        timestep: 1000 times the time of each frame, float32 [F].
        """
        raise NotImplementedError

    def predict(self, latent: Tensor, t: float) -> Tensor:
        """Return E[eps - x0 | x_t = latent], both [1, C, T', H', W']; for known frames it has no meaning."""
        if not self.size:
            return latent
        frames = torch.cat((self.before, latent, self.after), dim=2)
        velocity = self.predict_frames(frames, 1000.0 * t * self.noisy)
        return velocity.narrow(2, self.before.shape[2], latent.shape[2])

    def token_times(self, timestep: Tensor, tokens: int) -> Tensor:
        """Return the time of each token, [1, F * tokens]; [1, 1] without known frames, since it is one for all tokens.

        timestep: time of each frame, [F].
        tokens: number of tokens of a frame.
        """
        if len(self._unknown) == len(self.noisy):
            return timestep[None, :1]  # The network embeds the time only once.
        return timestep.repeat_interleave(tokens)[None]

    def _shrink(self, band: DiffusionLowBand) -> None:
        super()._shrink(band)
        self.before, self.after = band.shown(self.before), band.shown(self.after)
        self._clean = band.shown(self._clean)

    def _unflatten(self, x: Tensor) -> Tensor:
        """Return the latent [1, C, T', H', W'] of a vector [size], with the known frames in their places."""
        frames = x.view(-1, *self.shape[1:])
        return self._clean.index_copy(0, self._unknown, frames).transpose(0, 1)[None]

    def _flatten(self, latent: Tensor) -> Tensor:
        """Return the vector [size] of a latent [1, C, T', H', W'], without its known frames."""
        return super()._flatten(latent.index_select(2, self._unknown))
