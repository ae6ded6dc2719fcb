# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of all families of video models have in common: conditioning, whole streams, and broken folders."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import decode, encode, same
from fresh import digest, digests_in_a_fresh_process
from smooth import condition_of, picture, smooth_clip
from torch import Tensor

from gvc.bitstream import is_show
from gvc.errors import PriorError
from gvc.media import Clip, Picture, VideoFormat
from gvc.prior import ConditionedPrior, Prior
from gvc.priors import open_prior


def conditioned(prior: Prior, mode: str, video_format: VideoFormat, clip: Clip, prompt: str = "") -> ConditionedPrior:
    """Return a prior conditioned on a clip in a mode."""
    return prior.condition(condition_of(mode, video_format, clip, prompt), b"")


def pictures_of(clip: Clip) -> list[Picture]:
    """Return the pictures of a clip, one tick each."""
    return [Picture(picture(clip, i), pts=i, duration=1) for i in range(len(clip[0]))]


def check_shapes(prior: Prior, mode: str, video_format: VideoFormat, frames: int) -> ConditionedPrior:
    """Check latent, velocity and decoded pictures of a clip; return the conditioned prior."""
    clip = smooth_clip(video_format, frames)
    ours = conditioned(prior, mode, video_format, clip)
    x0 = ours.encode_latent(clip)
    decoded = ours.decode_latent(x0, 0.0)
    assert [plane.shape for plane in decoded] == [(frames, *shape) for shape in video_format.plane_shapes]
    assert all(plane.dtype == np.uint8 for plane in decoded)
    assert x0.shape == ours.velocity(ours.zeros(), 0.5).shape == (ours.size,)
    if mode != "t2v":
        assert all(np.array_equal(plane[0], source[0]) for plane, source in zip(decoded, clip, strict=True))
    return ours


def check_velocity(
    prior: Prior, again: Prior, mode: str, video_format: VideoFormat, prompt: str
) -> tuple[Clip, Tensor, Tensor]:
    """Check what a velocity depends on; return (clip, state, velocity at time 0.7).

    again: the same model, opened once more. prompt: text that has an effect.
    """
    clip, other = (smooth_clip(video_format, 9, seed) for seed in (0, 1))
    ours = conditioned(prior, mode, video_format, clip)
    x = torch.randn(ours.size, generator=torch.Generator().manual_seed(1))
    before, velocity = x.clone(), ours.velocity(x, 0.7)
    assert torch.equal(x, before) and velocity.dtype == torch.float32 and velocity.isfinite().all()
    assert torch.equal(velocity, conditioned(again, mode, video_format, clip).velocity(x, 0.7))
    assert not torch.allclose(velocity, ours.velocity(x, 0.3), rtol=1e-3)
    assert not torch.equal(velocity, conditioned(prior, mode, video_format, clip, prompt).velocity(x, 0.7))
    unlike = conditioned(prior, mode, video_format, other)
    assert torch.equal(velocity, unlike.velocity(x, 0.7)) == (mode == "t2v")
    ours.velocity(x, 0.7).add_(1)  # The codec may change the result in place.
    return clip, x, velocity


def check_stream(clip: Clip, **options: object) -> None:
    """Check that a stream of two GOPs, which show 12 pictures, decodes to what its encoder saw.

    options: options of the encoder.
    """
    extradata, packets, seen = encode(pictures_of(clip), **options)
    assert len(packets) == 12 and sum(not is_show(packet.data) for packet in packets) == 2
    assert same(decode(extradata, packets, prior=options["prior"]), seen)


def check_in_a_fresh_process(
    cases: Iterable[tuple[str, str]], video_format: VideoFormat, frames: int, **options: object
) -> None:
    """Check that a new process decodes streams of one GOP to what the encoder saw.

    cases: option `prior` and mode of each stream. options: further options of the encoder.
    """
    streams, expected = [], []
    pictures = pictures_of(smooth_clip(video_format, frames))
    for prior, mode in cases:
        extradata, packets, seen = encode(
            pictures, video_format, prior=prior, mode=mode, gop=frames, preset="fast", **options
        )
        streams.append((extradata, packets, prior))
        expected.append(digest(seen))
    assert digests_in_a_fresh_process(streams) == expected


def rewrite(path: Path, **changes: object) -> None:
    """Change values in a file of JSON."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def remove(path: Path) -> None:
    """Give a file or folder another name, as if it were not there."""
    path.rename(path.with_suffix(".gone"))


def check_broken(family: str, folder: Path, change: Callable[[Path], object], problem: str) -> None:
    """Check that a model's folder is refused in one sentence, which matches `problem`, once a change is made to it."""
    change(folder)
    with pytest.raises(PriorError, match=problem) as caught:
        open_prior(f"{family}:{folder}")
    assert "\n" not in str(caught.value)
