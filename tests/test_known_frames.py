# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Known latent frames at any place: the network sees them clean at time 0, and the codec's vector leaves them out."""

import numpy as np
import pytest
import torch
from smooth import picture, smooth_clip
from tiny_ltx import LATENT_CHANNELS, build_tiny_ltx

from gvc.media import VideoFormat
from gvc.prior import Condition
from gvc.priors.ltx import ConditionedLtx, LtxPrior

FORMAT, PICTURES, FRAMES, PLANE = VideoFormat(64, 32), 17, 3, 2
FRAME = LATENT_CHANNELS * PLANE


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    return LtxPrior.from_pretrained(build_tiny_ltx(tmp_path_factory.mktemp("ltx"), "0.9.5"))


def conditioned(prior, places):
    """Condition a model on one picture, which is known at all of these places."""
    known = picture(smooth_clip(FORMAT, 1, seed=1), 0)

    class Placed(ConditionedLtx):
        def places(self, condition):
            return dict.fromkeys(places, known)

    with torch.no_grad():
        ours = Placed(prior, Condition(FORMAT, PICTURES))
        return ours, prior.encode(ours.picture(known))[0, :, 0]


@pytest.mark.parametrize("places", [(), (0,), (1,), (2,), (0, 2), (-1, 1), (0, 1, 2), (-1, 0, 1, 2)])
def test_known_frames_are_clean_at_time_0_and_not_in_the_vector(prior, places):
    ours, known = conditioned(prior, places)
    unknown = [place for place in range(FRAMES) if place not in places]
    assert ours.size == len(unknown) * FRAME
    assert ours.blocks == [slice(i * FRAME, (i + 1) * FRAME) for i in range(len(unknown))]
    assert [s.start for s in ours.tail] == ([*range(ours.size - FRAME, ours.size, PLANE)] if 2 in unknown else [])
    calls = []
    hook = prior.network.register_forward_pre_hook(lambda _, _args, given: calls.append(given), with_kwargs=True)
    with hook:
        velocity = ours.velocity(torch.full((ours.size,), 3.0), 0.25)
    assert velocity.shape == (ours.size,)
    if not unknown:
        assert not calls  # There is nothing to ask the network.
        return
    tokens = calls[0]["hidden_states"][0].unflatten(0, (-1, PLANE))  # [frames, H' * W', C]
    for place, frame in zip([*(p for p in places if p < 0), *range(FRAMES)], tokens, strict=True):
        expected = known.flatten(1).T if place in places else torch.full_like(frame, 3.0)
        assert torch.equal(frame, expected)
    times = [0.0 if place in places else 250.0 for place in [*(p for p in places if p < 0), *range(FRAMES)]]
    assert calls[0]["timestep"].tolist() == [[t for t in times for _ in range(PLANE)] if places else [250.0]]


@pytest.mark.parametrize("places", [(1,), (0, 2)])
def test_latents_and_pictures_have_the_known_frames_in_their_places(prior, places):
    (whole, _), (ours, known) = conditioned(prior, ()), conditioned(prior, places)
    clip = smooth_clip(FORMAT, PICTURES)
    frames = whole.encode_latent(clip).view(FRAMES, FRAME)
    unknown = [place for place in range(FRAMES) if place not in places]
    assert torch.equal(ours.encode_latent(clip).view(-1, FRAME), frames[unknown])
    frames[list(places)] = known.flatten()
    for a, b in zip(
        ours.decode_latent(frames[unknown].flatten(), 0.0), whole.decode_latent(frames.flatten(), 0.0), strict=True
    ):
        assert np.array_equal(a, b)
