# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How near decoded pictures are to their source: one table of metrics for `gvc compare` and the benchmarks.

    scores = measure(pairs("source.mp4", "decoded.mkv"))
    scores.means()["lpips_alex"], scores.frames["psnr_y"][17], scores.missing

What a metric needs beyond NumPy and PyAV comes with `pip install 'gvc[metrics]'`; a metric that cannot be had here is
left out with a sentence in `missing`, and the others go on.
"""

from .frames import Frames, pairs, read_frames
from .source import SourceMemory
from .table import METRICS, Measurement, Metric, Scores, measure

__all__ = ["METRICS", "Frames", "Measurement", "Metric", "Scores", "SourceMemory", "measure", "pairs", "read_frames"]
