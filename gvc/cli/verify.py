# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m gvc.cli.verify FILE OPTIONS`: print the digest of all decoded pictures, for `gvc encode --verify`.

OPTIONS: values of the decoder's options by name, as a JSON object.
"""

import json
import sys

from gvc_container.demux import Demuxer

from ..decoder import Decoder
from ..fleet.digest import ShownDigest, joined_digest


def main(path: str, options: str) -> None:
    shown = ShownDigest()
    with Demuxer(path) as demuxer:
        decoder = Decoder(demuxer.header, json.loads(options))
        for packet in demuxer.packets():
            shown.add(decoder.decode(packet))
        shown.add(decoder.decode(None))
    print(joined_digest(shown.parts()))


main(*sys.argv[1:])
