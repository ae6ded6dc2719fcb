# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The description of a measurement, which `gvc bench` passes to the process of each side (encoder and decoder)."""

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Job:
    """One side of a measurement."""

    options: dict[str, object] = field(default_factory=dict)  # encoder or decoder options, default none
    random: str = ""  # model to create with random weights, such as wan/t2v-1.3b; "" = use the option `prior`
    size: tuple[int, int] | None = None  # width, height; None = those of `source`
    frames: int = 33  # pictures in a GOP
    gops: int = 1  # number of GOPs
    source: str = ""  # video file; "" = a synthetic clip
    warmup: int = 0  # number of passes before the measured one
    side: str = ""  # "encode" or "decode"
    packets: str = ""  # path of the coded file, .mkv, which one side writes and the other reads
    started: float = 0.0  # time.monotonic() when the process was started

    def pictures(self, mode: str) -> int:
        """Return the number of pictures in all GOPs. In I2V and FLF2V neighbouring GOPs share a boundary picture."""
        shared = int(self.options.get("overlap", 0)) if mode == "t2v" else 1
        return self.frames + (self.gops - 1) * (self.frames - shared)

    def as_json(self) -> str:
        """Return the job as JSON for `from_json`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Return the job that `as_json` wrote."""
        values = json.loads(text)
        return cls(**values | {"size": values["size"] and tuple(values["size"])})
