# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding in a new process, to compare its pictures with what an encoder saw."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256

from gvc.media import Packet, Picture

DECODE = """
import pickle, sys
sys.path.insert(0, sys.argv[1])
from gvc.decoder import Decoder
from fresh import digest

for extradata, packets, prior in pickle.load(sys.stdin.buffer):
    decoder = Decoder(extradata, {"prior": prior})
    print(digest(picture for packet in [*packets, None] for picture in decoder.decode(packet)))
"""


def digest(pictures: Iterable[Picture]) -> str:
    """Return the SHA-256 of all planes, in hexadecimal."""
    return sha256(b"".join(bytes(plane) for picture in pictures for plane in picture.planes)).hexdigest()


def digests_in_a_fresh_process(streams: list[tuple[bytes, list[Packet], str]]) -> list[str]:
    """Decode streams in a new process and return the digest of each. streams: extradata, packets, option `prior`."""
    # The new process must use as many threads as this one: on some processors their number affects the last bits.
    variables = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", DECODE, os.path.dirname(__file__)]
    done = subprocess.run(command, input=pickle.dumps(streams), capture_output=True, check=True, env=variables)
    return done.stdout.decode().split()
