# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write the golden vectors (tests/golden/README.md): `python tests/make_golden.py`."""

import hashlib
import json
import struct
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
from clips import encode, in_samples, moving_clip, stack

from gvc.bitstream import GopUnit, SequenceHeader, parse_sequence_header, read_packet
from gvc.decoder import Decoder
from gvc.entropy import RangeDecoder, read_atoms, read_count
from gvc.gop import tail
from gvc.gop.decoder import decode_gop
from gvc.gop.rule import rule_of
from gvc.loop.codebook import log2_size_for
from gvc.media import Packet, Planes
from gvc.priors import prior_for
from gvc.stills.av1 import StillDecoder, decode_still

FOLDER = Path(__file__).with_name("golden")
FRAMES, WIDTH, HEIGHT = 8, 50, 38
COMMON = {"gop": 5, "preset": "fast", "quality": 45, "seed": 2026}
VECTORS = {
    "t2v": {"mode": "t2v"},
    "i2v": {"mode": "i2v", "tail": 0},
    "flf2v": {"mode": "flf2v"},
    "sde": {"mode": "flf2v", "transition": "sde", "atoms": 12},
    "overlap": {"mode": "t2v", "overlap": 2, "x0_cache": 1, "prompt": "waves and a box"},
    "tail": {"mode": "i2v", "quality": 40},
    "gvcc": {"mode": "i2v", "preset": "gvcc", "atoms": 12, "shift": 5},
    "gbrp10": {"mode": "flf2v", "quality": 60},
    "bare": {"mode": "flf2v", "gop": 0, "preset": "medium", "quality": 12, "scenecut": 0},
}
OLDER = {  # those that there are
    "gp/1": [name for name in VECTORS if name != "bare"],
    "gp/2": list(VECTORS),
    "gp/3": list(VECTORS),
}
SAMPLES = {"gbrp10": "gbrp10le"}  # the others are yuv420p


def write_stream(path: Path, extradata: bytes, packets: list[Packet]) -> None:
    """Write a header and packets, each after its length."""
    path.write_bytes(b"".join(struct.pack("<I", len(d)) + d for d in (extradata, *(p.data for p in packets))))


def read_stream(path: Path) -> tuple[bytes, list[Packet]]:
    """Read what `write_stream` wrote; packets are numbered by pts."""
    data, pieces = path.read_bytes(), []
    while data:
        (size,) = struct.unpack_from("<I", data)
        pieces.append(data[4 : 4 + size])
        data = data[4 + size :]
    return pieces[0], [Packet(piece, pts, 1) for pts, piece in enumerate(pieces[1:])]


def describe(extradata: bytes, packets: list[Packet]) -> dict:
    """Return all that is exact about a stream, as JSON can hold it."""
    header = parse_sequence_header(extradata)
    fields = asdict(header) | {"weights_hash": header.weights_hash.hex()}
    fields["format"] = {name: str(value) for name, value in fields["format"].items()}
    fields["format"]["samples"] = header.format.samples.pix_fmt
    return {"header": fields, "header_crc32": zlib.crc32(extradata), "gops": _describe_gops(header, packets)}


def _describe_gops(header: SequenceHeader, packets: list[Packet]) -> list[dict]:
    prior, anchor, gops = prior_for(header, ""), None, []
    for unit in filter(None, (read_packet(packet.data) for packet in packets)):
        if unit.key:
            anchor, stills = None, StillDecoder(header.format.coded)
        reconstruction = decode_gop(prior, header, unit, anchor, stills)
        known = reconstruction.condition
        tail = decode_still(unit.tail[1:], header.format.coded) if unit.tail[1:] else None
        blocks = reconstruction.conditioned.blocks
        fields = np.array(reconstruction.conditioned.motion_mean.corrections)
        gops.append(
            {
                **{name: getattr(unit, name) for name in ("index", "shown", "ahead", "key", "start", "stop", "stride")},
                "stills": [
                    _hash(known.first) if unit.first else None,
                    _hash(known.last) if unit.last else None,
                    _hash(tail) if tail else None,
                ],
                "side_crc32": zlib.crc32(unit.side),
                **({"corrections_crc32": zlib.crc32(fields.astype("<i2").tobytes())} if fields.any() else {}),
                "block_sizes": [block.stop - block.start for block in blocks],
                "atoms": _atom_sets(header, unit, blocks),
            }
        )
        anchor = reconstruction.anchor()
    return gops


def _hash(planes: Planes) -> str:
    return hashlib.sha256(b"".join(plane.tobytes() for plane in planes)).hexdigest()


def _atom_sets(header: SequenceHeader, unit: GopUnit, blocks: list[slice]) -> list[list[list[int]]]:
    """Return [count, CRC-32 of the indices, CRC-32 of the signs] by step and block, read by the syntax alone."""
    rule, decoder, counts = rule_of(header, unit), RangeDecoder(unit.atoms), [0] * len(blocks)
    steps = []
    for _ in range(len(rule.times) - rule.silent):
        steps.append([])
        for i, block in enumerate(blocks):
            size = 1 << log2_size_for(block.stop - block.start) + header.codebook_extra
            size = min(size, 1 << header.codebook_limit) if header.codebook_limit else size
            counts[i] = read_count(decoder, counts[i])
            indices, signs = read_atoms(decoder, counts[i], size)
            steps[-1].append([counts[i], zlib.crc32(indices.astype("<u4").tobytes()), zlib.crc32(signs.tobytes())])
    decoder.finish()
    return steps


def decode_planes(extradata: bytes, packets: list[Packet]) -> dict[str, np.ndarray]:
    """Decode a whole stream, [T, H, W] by plane; G, B, R of RGB are called y, cb, cr."""
    decoder = Decoder(extradata)
    pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    return dict(zip(("y", "cb", "cr"), stack(pictures), strict=True))


def main() -> None:
    """Write all vectors."""
    tail.CHAIN_WEIGHT = 1e4  # pictures as small as these hardly ever earn a tail
    for name, options in VECTORS.items():
        pictures, video = in_samples(moving_clip(FRAMES, WIDTH, HEIGHT), SAMPLES.get(name, "yuv420p"))
        extradata, packets, _ = encode(pictures, video, **COMMON | options)
        write_stream(FOLDER / f"{name}.gvc", extradata, packets)
        expected = json.dumps(describe(extradata, packets), indent=1)
        (FOLDER / f"{name}.json").write_text(expected + "\n")
        np.savez_compressed(FOLDER / f"{name}.npz", **decode_planes(extradata, packets))


if __name__ == "__main__":
    main()
