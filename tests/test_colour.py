# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures to the RGB of video models and back."""

import numpy as np
import pytest
import torch
from smooth import smooth_clip

from gvc.media import VideoFormat
from gvc.pictures.rgb import from_rgb, to_rgb


@pytest.mark.parametrize(
    ("matrix", "color_range", "height", "red"),
    [
        (1, 1, 64, (63, 102, 240)),
        (6, 1, 64, (81, 90, 240)),
        (6, 2, 64, (76, 85, 255)),
        (2, 0, 576, (81, 90, 240)),  # unspecified: BT.601 below 720 lines
        (2, 0, 720, (63, 102, 240)),  # unspecified: BT.709 from 720 lines on
        (9, 1, 64, (74, 97, 240)),
    ],
)
def test_pure_red_has_the_code_values_of_its_standard(matrix, color_range, height, red):
    video_format = VideoFormat(16, height, colorspace=matrix, color_range=color_range)
    clip = tuple(
        np.full((1, *shape), code, np.uint8) for shape, code in zip(video_format.plane_shapes, red, strict=True)
    )
    expected = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1, 1)
    assert (to_rgb(clip, video_format) - expected).abs().max() < 0.02
    for plane, code in zip(from_rgb(expected.expand(1, 3, 1, height, 16), video_format), red, strict=True):
        assert (plane == code).all()


@pytest.mark.parametrize("chroma_location", range(7))
@pytest.mark.parametrize("size", [(64, 48), (33, 17), (1, 1)])
def test_rgb_and_back_keeps_smooth_pictures(size, chroma_location):
    video_format = VideoFormat(*size, chroma_location=chroma_location)
    clip = smooth_clip(video_format, 3)
    back = from_rgb(to_rgb(clip, video_format), video_format)
    for before, after in zip(clip, back, strict=True):
        assert after.dtype == np.uint8
        assert np.abs(before.astype(int) - after.astype(int)).max() <= 2


@pytest.mark.parametrize(("chroma_location", "shift"), [(0, 0.0), (1, 0.0), (2, -0.5), (3, 0.0)])
def test_chroma_lies_where_the_stream_says(chroma_location, shift):
    video_format = VideoFormat(32, 8, chroma_location=chroma_location, color_range=2, colorspace=6)
    ramp = np.broadcast_to(np.arange(110, 142, 2, dtype=np.uint8), (1, 4, 16))
    grey = np.full((1, 8, 32), 128, np.uint8)
    red = to_rgb((grey, np.full_like(ramp, 128), ramp), video_format)[0, 0, 0, 4]
    position = ((red + 1) / 2 * 255 - 128) / 1.402 + 128 - 110  # Cr of each column, in luma samples
    assert torch.allclose(position[1:-2], torch.arange(1.0, 30.0) + shift, atol=1e-3)
