# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The video half of LTX-2's network, which was made for video and sound together.

Each layer has a stream for video, a stream for sound and attention between the two. Called with `no_sound`, the network
does without that attention, so what it returns for the video doesn't depend on sound.
"""

from typing import Any

import torch
from diffusers import LTX2VideoTransformer3DModel
from torch import Tensor, nn

# Parts of a layer that a network without sound does not need, 30 % of all weights
SOUND_PARTS = ("audio_attn1", "audio_attn2", "audio_ff", "audio_to_video_attn", "video_to_audio_attn")


class Silent(nn.Module):
    """A part of the stream for sound that adds nothing to it."""

    def forward(self, hidden_states: Tensor, **_: Any) -> Tensor:
        """Return zeros."""
        return torch.zeros_like(hidden_states)


class VideoNetwork(LTX2VideoTransformer3DModel):
    """LTX-2's network without those of its weights that it doesn't need when it is called with `no_sound`.

    They are not loaded: diffusers ignores weights in a file that a network has no place for.
    """

    left_out = SOUND_PARTS  # parts that LoRAs may change without effect

    @classmethod
    def from_config(cls, *args: Any, **options: Any) -> "VideoNetwork":
        """Create a network, as diffusers does before it loads the weights; its arguments are those of diffusers."""
        network = super().from_config(*args, **options)
        for layer in network.transformer_blocks:
            for part in SOUND_PARTS:
                setattr(layer, part, Silent())
        return network


def no_sound(config: Any, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Return the inputs with which a network treats the video alone, except the time of sound.

    config: configuration of the network, which insists on a token of sound and one of its text.
    device, dtype: those of the result.
    """
    text_channels = config.caption_channels if config.use_prompt_embeddings else config.audio_cross_attention_dim
    return {
        "isolate_modalities": True,
        "use_cross_timestep": True,  # It takes the time for the unused attention from one token instead of from all.
        "audio_hidden_states": torch.zeros(1, 1, config.audio_in_channels, device=device, dtype=dtype),
        "audio_encoder_hidden_states": torch.zeros(1, 1, text_channels, device=device, dtype=dtype),
        "audio_num_frames": 1,
    }
