# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What decides the bytes of a stream, beside the pictures."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..media import VideoFormat


@dataclass(frozen=True)
class Identity:
    """Everything beside the pictures that decides the bytes of a stream.

    options: values of the encoder's options by name, without those that change no byte.
    header: sequence header in hexadecimal; it names the prior and the hash of its weights.
    time_base: seconds in a tick of the packets' times, such as "1/1000".
    versions: versions of GVC and of the libraries that decide bytes, by name.
    """

    options: Mapping[str, int | float | str]
    header: str
    time_base: str
    versions: Mapping[str, str]

    @classmethod
    def of(cls, options: Mapping[str, object], header: bytes, video_format: VideoFormat) -> "Identity":
        """Return the identity of a stream of this process.

        options: values by name (gvc.options.ENCODER_OPTIONS).
        header: sequence header that an encoder with these options has made.
        video_format: format that the encoder was given.
        """
        raise NotImplementedError

    def changes(self, before: "Identity") -> list[str]:
        """Return what differs from an earlier identity, in clauses such as "option quality was 30 and is 40"."""
        raise NotImplementedError
