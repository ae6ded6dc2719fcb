# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Write golden vectors (tests/golden/README.md): `python tests/make_golden.py [NAME ...]`, all if none is named."""

import hashlib
import json
import struct
import sys
import zlib
from contextlib import suppress
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import numpy as np
from clips import encode, in_samples, moving_clip, stack
from golden_refused import write_refused
from golden_streams import STREAMS, stream
from golden_values import DecodedGop, decoded_gops, values_of

from gvc.bitstream import GopUnit, SequenceHeader, parse_sequence_header
from gvc.decoder import Decoder
from gvc.entropy import RangeDecoder, read_atoms, read_count
from gvc.errors import BitstreamError
from gvc.gop import tail
from gvc.gop.rule import rule_of
from gvc.loop.codebook import log2_size_for
from gvc.media import Packet, Planes
from gvc.stills.av1 import decode_still

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
    "checked": {"mode": "flf2v", "quality": 70},
    "compact": {"mode": "flf2v", "quality": 70},
    "compact_bare": {"mode": "flf2v", "gop": 0, "preset": "medium", "quality": 12, "scenecut": 0},
}
LENGTHS = {"checked": 13, "compact": 13}  # numbers of pictures; the others have FRAMES
LATER = ("checked", "compact", "compact_bare")  # written with gp/4 only
OLDER = {  # those that there are
    "gp/1": [name for name in VECTORS if name not in ("bare", *LATER)],
    "gp/2": [name for name in VECTORS if name not in LATER],
    "gp/3": [name for name in VECTORS if name not in LATER],
}
SAMPLES = {"gbrp10": "gbrp10le"}  # the others are yuv420p
DAMAGED = ("concealed", "damaged")


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


def _fields(header: SequenceHeader) -> dict:
    fields = asdict(header) | {"weights_hash": header.weights_hash.hex()}
    fields["format"] = {name: str(value) for name, value in fields["format"].items()}
    fields["format"]["samples"] = header.format.samples.pix_fmt
    later = {"x0_warmup": header.x0_warmup, "lowres_steps": header.lowres_steps, "lowres_size": header.lowres_steps}
    return {name: value for name, value in fields.items() if later.get(name, True)}


def describe(extradata: bytes, packets: list[Packet]) -> dict:
    """Return all that is exact about a stream whose packets are all decoded, as JSON can hold it."""
    header, gops = parse_sequence_header(extradata), []
    described = {"header": _fields(header), "header_crc32": zlib.crc32(extradata), "gops": gops}
    for gop in decoded_gops(extradata, packets):
        if gop.header != header:
            header = gop.header
            gops.append({"header": _fields(header)} | _describe_gop(gop))
        else:
            gops.append(_describe_gop(gop))
    return described


def _describe_gop(gop: DecodedGop) -> dict:
    unit, reconstruction = gop.unit, gop.reconstruction
    known, blocks = reconstruction.condition, reconstruction.conditioned.blocks
    tail = decode_still(unit.tail[1:], known.format) if unit.tail[1:] else None
    fields = np.array(reconstruction.conditioned.motion_mean.corrections)
    return {
        **{name: getattr(unit, name) for name in ("index", "shown", "ahead", "key", "start", "stop", "stride")},
        **({"number": unit.number, "last_check": unit.last_check} if unit.checked else {}),
        "stills": [
            _hash(known.first) if unit.first else None,
            _hash(known.last) if unit.last else None,
            _hash(tail) if tail else None,
        ],
        "side_crc32": zlib.crc32(unit.side),
        **({"corrections_crc32": zlib.crc32(fields.astype("<i2").tobytes())} if fields.any() else {}),
        "block_sizes": [block.stop - block.start for block in blocks],
        "atoms": _atom_sets(gop.header, unit, blocks),
    }


def describe_packets(extradata: bytes, packets: list[Packet]) -> list[dict]:
    """Return what a player makes of each packet of a damaged stream.

    error: the element at fault. picture: number of the picture, counted from 0. concealed: whether it stands in.
    """
    decoder, events, count = Decoder(extradata), [], 0
    for packet in packets:
        try:
            pictures = decoder.decode(packet)
        except BitstreamError as error:
            events.append({"error": error.element})
            continue
        event = {"picture": count, "concealed": pictures[0].concealed} if pictures else {}
        if pictures and pictures[0].error:
            event["error"] = pictures[0].error.element
        events.append(event)
        count += len(pictures)
    return events


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
    """Decode a whole stream, [T, H, W] by plane; G, B, R of RGB are called y, cb, cr.

    After each change of size or depth there are further planes: y1, cb1, cr1, ....
    """
    decoder, pictures = Decoder(extradata), []
    for packet in packets:
        with suppress(BitstreamError):
            pictures += decoder.decode(packet)
    planes = {}
    for number, (_, alike) in enumerate(groupby(pictures, lambda p: [(x.shape, x.dtype) for x in p.planes])):
        for name, plane in zip(("y", "cb", "cr"), stack(list(alike)), strict=True):
            planes[f"{name}{number or ''}"] = plane
    return planes


def values_text(extradata: bytes, packets: list[Packet]) -> str:
    """Return what is computed on the way as JSON, a line for each value of each GOP."""
    gops = [
        ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in values_of(gop).items())
        for gop in decoded_gops(extradata, packets)
    ]
    return "[\n" + ",\n".join(f" {{\n{gop}\n }}" for gop in gops) + "\n]\n"


def encoded(name: str) -> tuple[bytes, list[Packet]]:
    """Return (extradata, packets) of one of VECTORS, from the encoder."""
    tail.CHAIN_WEIGHT = 1e4  # pictures as small as these hardly ever earn a tail
    pictures, video = in_samples(moving_clip(LENGTHS.get(name, FRAMES), WIDTH, HEIGHT), SAMPLES.get(name, "yuv420p"))
    extradata, packets, _ = encode(pictures, video, **COMMON | VECTORS[name])
    return extradata, packets


def write_vector(name: str, extradata: bytes, packets: list[Packet]) -> None:
    """Write all files of a vector."""
    write_stream(FOLDER / f"{name}.gvc", extradata, packets)
    known = describe_packets if name in DAMAGED else describe
    (FOLDER / f"{name}.json").write_text(json.dumps(known(extradata, packets), indent=1) + "\n")
    if name not in DAMAGED:
        (FOLDER / f"{name}.values.json").write_text(values_text(extradata, packets))
    np.savez_compressed(FOLDER / f"{name}.npz", **decode_planes(extradata, packets))


def main() -> None:
    """Write the vectors that are named, or all."""
    for name in sys.argv[1:] or (*VECTORS, *STREAMS, "refused"):
        if name == "refused":
            write_refused(FOLDER / "refused.json")
        else:
            write_vector(name, *(encoded(name) if name in VECTORS else stream(name)))


if __name__ == "__main__":
    main()
