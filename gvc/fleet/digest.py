# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Digests of pictures: they tell whether a chain's source has changed, and whether a stream decodes as it should."""

import hashlib
from collections.abc import Iterable

import numpy as np

from ..media import Picture


class SourceDigest:
    """SHA-256 of the samples, the times and the durations of pictures, as an encoder gets them."""

    def __init__(self):
        self._hash = hashlib.sha256()

    def add(self, picture: Picture) -> None:
        """Add the next picture."""
        self._hash.update(f"{picture.pts} {picture.duration} {picture.key}\n".encode())
        for plane in picture.planes:
            self._hash.update(np.ascontiguousarray(plane))

    def hexdigest(self) -> str:
        """Return the digest in hexadecimal."""
        return self._hash.hexdigest()


class ShownDigest:
    """SHA-256 of the samples of pictures as decoders show them, one for each keyframe and the pictures after it.

    Since chains begin with keyframes, the digests of chains that were coded apart are those of the whole stream, one
    after another.
    """

    def __init__(self):
        self._hashes = []

    def add(self, pictures: Iterable[Picture]) -> None:
        """Add the next pictures."""
        for picture in pictures:
            if picture.key or not self._hashes:
                self._hashes.append(hashlib.sha256())
            for plane in picture.planes:
                self._hashes[-1].update(np.ascontiguousarray(plane))

    def parts(self) -> list[str]:
        """Return the digest of each keyframe and the pictures after it, in hexadecimal."""
        return [part.hexdigest() for part in self._hashes]


def joined_digest(parts: Iterable[str]) -> str:
    """Return one digest, in hexadecimal, for the parts of all chains of a stream in order (ShownDigest.parts)."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
