#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# PyAV 18.1.0 (FFmpeg 8.1.2, Linux x86-64, Python 3.11): OutputContainer.add_stream_from_template refuses tracks that
# libavformat's Matroska muxer writes and reads back. It asks avformat_query_codec at FF_COMPLIANCE_NORMAL, which for
# Matroska knows only the CodecIDs of its own, not the RIFF tags that the muxer takes as A_MS/ACM.
#
# One expects of a copy without decoding what `ffmpeg -i in.wmv -c copy out.mkv` does. What happens instead:
#   template: ValueError 'matroska' format does not support 'wmav2' codec
#   muxer:    wmav2, 22 packets
# The second line is the same track written by the same libavformat, its parameters copied by the filter "null".
# Exits 1 if that changes.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 numpy==2.2.6
"$folder/venv/bin/python" - "$folder" <<'PYTHON' | tee "$folder/said"
import sys

import av
import numpy as np
from av.bitstream import BitStreamFilterContext

source, target = f"{sys.argv[1]}/in.wma", f"{sys.argv[1]}/out.mkv"
with av.open(source, "w", format="asf") as output:
    track = output.add_stream("wmav2", rate=44100, layout="mono", bit_rate=64000)
    for start in range(0, 44100, 2048):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2048), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, start
        output.mux(track.encode(frame))
    output.mux(track.encode(None))

with av.open(source) as given:
    with av.open(target, "w") as output:
        try:
            output.add_stream_from_template(given.streams.audio[0])
            print("template: accepted")
        except ValueError as error:
            print(f"template: ValueError {error}")
    with av.open(target, "w") as output:
        track = output.add_data_stream()
        BitStreamFilterContext("null", given.streams.audio[0], track)
        for packet in given.demux(audio=0):
            if packet.size:
                packet.stream = track
                output.mux(packet)
with av.open(target) as copy:
    packets = sum(1 for packet in copy.demux(audio=0) if packet.size)
    print(f"muxer:    {copy.streams.audio[0].codec_context.name}, {packets} packets")
PYTHON
grep -q "^template: ValueError 'matroska' format does not support 'wmav2' codec" "$folder/said"
grep -q "^muxer:    wmav2, 22 packets" "$folder/said"
