# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The decoder against stored streams: a change here is a change of the format (tests/golden/README.md)."""

import json

import numpy as np
import pytest
from make_golden import (
    COMMON,
    FOLDER,
    FRAMES,
    HEIGHT,
    OLDER,
    SAMPLES,
    VECTORS,
    WIDTH,
    decode_planes,
    describe,
    read_stream,
)

from gvc.bitstream import parse_sequence_header, read_packet, write_gop, write_sequence_header


def folder(prior: str) -> str:
    """Folder of the vectors of an older version of the bundled prior."""
    return prior.replace("/", "")


@pytest.fixture(params=[*VECTORS, *(f"{folder(prior)}/{name}" for prior, names in OLDER.items() for name in names)])
def name(request) -> str:
    """Name of a vector."""
    return request.param


@pytest.fixture
def kind(name) -> str:
    return name.rpartition("/")[2]


def test_the_bytes_say_what_they_said(name):
    found = describe(*read_stream(FOLDER / f"{name}.gvc"))
    assert json.loads(json.dumps(found)) == json.loads((FOLDER / f"{name}.json").read_text())


def test_the_pictures_are_what_they_were(name, kind):
    tolerance = 2 if VECTORS[kind]["mode"] == "i2v" else 1  # its second GOP builds on the pictures of the first
    if kind in SAMPLES:
        tolerance = 12  # one of Y, Cb and Cr each, in RGB of 10 bits
    found = decode_planes(*read_stream(FOLDER / f"{name}.gvc"))
    with np.load(FOLDER / f"{name}.npz") as expected:
        assert set(found) == set(expected)
        for plane in expected:
            assert found[plane].shape == expected[plane].shape
            assert np.abs(found[plane].astype(int) - expected[plane]).max() <= tolerance


def test_the_writers_still_write_these_bytes(name):
    extradata, packets = read_stream(FOLDER / f"{name}.gvc")
    assert write_sequence_header(parse_sequence_header(extradata)) == extradata
    for packet in packets:
        unit = read_packet(packet.data)
        assert unit is None or write_gop(unit) == packet.data


def test_the_vectors_cover_what_they_should(name, kind):
    expected = json.loads((FOLDER / f"{name}.json").read_text())
    header, gops = expected["header"], expected["gops"]
    assert header["prior"] == next((prior for prior in OLDER if name.startswith(folder(prior))), "gp/4")
    assert header["mode"] == VECTORS[kind]["mode"]
    assert header["transition"] == ("sde" if kind in ("sde", "gvcc") else "ancestral")
    assert any(gop["ahead"] for gop in gops) == (kind == "overlap")
    assert any(gop["stills"][2] for gop in gops) == (kind == "tail")
    corrected = header["prior"] in ("gp/3", "gp/4") and kind in ("flf2v", "i2v")
    assert any("corrections_crc32" in gop for gop in gops) >= corrected
    assert header["seed"] == COMMON["seed"]
    assert header["format"]["samples"] == SAMPLES.get(kind, "yuv420p")
    assert (header["format"]["width"], header["format"]["height"]) == (str(WIDTH), str(HEIGHT))
    assert len(gops) > 1 and sum(gop["shown"] for gop in gops) == FRAMES
    atoms = [sum(count for step in gop["atoms"] for count, _, _ in step) for gop in gops]
    assert atoms == [0] * len(gops) if kind == "bare" else min(atoms) > 20
