# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How close decoded pictures are to their source: one table of metrics for `gvc compare` and the benchmarks.

    scores = measure(pairs("source.mp4", "decoded.mkv"))
    scores.means()["lpips_alex"], scores.frames["psnr_y"][17], scores.missing

`pip install 'gvc[metrics]'` installs what the metrics need beyond NumPy and PyAV. A metric that cannot be measured here
is left out, `missing` gives the reason in a sentence, and the others go on.
"""

from .frames import Frames, pairs, read_frames
from .source import SourceMemory
from .table import METRICS, Measurement, Metric, Scores, measure

__all__ = ["METRICS", "Frames", "Measurement", "Metric", "Scores", "SourceMemory", "measure", "pairs", "read_frames"]
