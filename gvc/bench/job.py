# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What is to be measured: passes from `gvc bench` to the process of each side."""

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Job:
    """One side of a measurement."""

    options: dict[str, object] = field(default_factory=dict)  # of the encoder or the decoder
    random: str = ""  # a variant to be made with random weights, instead of the option `prior`
    size: tuple[int, int] | None = None  # width, height; None: that of `source`
    frames: int = 33  # a GOP spans
    gops: int = 1
    source: str = ""  # a video file; "": a synthetic clip
    warmup: int = 0  # passes before the stopwatch starts
    side: str = ""  # encode, decode
    packets: str = ""  # the file between the two sides, .mkv
    started: float = 0.0  # time.monotonic() when the process was asked for

    def pictures(self, mode: str) -> int:
        """Return how many pictures make the GOPs, which share some: I2V and FLF2V begin with one that is known."""
        shared = int(self.options.get("overlap", 0)) if mode == "t2v" else 1
        return self.frames + (self.gops - 1) * (self.frames - shared)

    def as_json(self) -> str:
        """Return what `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Return the job that `as_json` wrote."""
        values = json.loads(text)
        return cls(**values | {"size": values["size"] and tuple(values["size"])})
