# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m gvc.cli.verify FILE OPTIONS`: print the hash of all decoded pictures, for `gvc encode --verify`.

OPTIONS: values of the decoder's options by name, as a JSON object.
"""

import json
import sys

from gvc_container.demux import Demuxer

from ..decoder import Decoder
from .encode import PictureHash


def main(path: str, options: str) -> None:
    total = PictureHash()
    with Demuxer(path) as demuxer:
        decoder = Decoder(demuxer.header, json.loads(options))
        for packet in demuxer.packets():
            total.add(decoder.decode(packet))
        total.add(decoder.decode(None))
    print(total.digest())


main(*sys.argv[1:])
