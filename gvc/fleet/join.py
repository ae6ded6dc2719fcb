# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The joiner: the results of all chains become one file."""

from collections.abc import Iterator

from ..media import Packet
from .folder import JobFolder
from .plan import Plan


def joined(folder: JobFolder, plan: Plan) -> Iterator[list[Packet]]:
    """Yield the packets of each chain in order. Raises FolderError if the result of a chain is missing."""
    raise NotImplementedError


def shown_digest(folder: JobFolder, plan: Plan) -> str:
    """Return the digest of all pictures as the encoders reconstructed them (gvc.fleet.digest.joined_digest)."""
    raise NotImplementedError
