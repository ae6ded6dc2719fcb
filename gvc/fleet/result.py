# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The result of a job: packets and a log, in one small file."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..media import Packet


@dataclass(frozen=True)
class Result:
    """The result of a job.

    name: name of the job (gvc.fleet.plan.Plan.job).
    packets: packets of the chain in order, each with a pts; none for an analysis.
    log: notes in JSON's types, such as worker, seconds, tries, shown (gvc.fleet.digest.ShownDigest.parts).
    """

    name: str
    packets: list[Packet]
    log: Mapping[str, object] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the content of the result's file."""
        raise NotImplementedError

    @classmethod
    def parse(cls, data: bytes) -> "Result":
        """Read what `to_bytes` wrote. Raises FolderError for anything else, such as a file that was cut short."""
        raise NotImplementedError
