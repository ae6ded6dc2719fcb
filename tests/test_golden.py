# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The decoder against stored streams: a change here is a change of the format (tests/golden/README.md)."""

import json

import numpy as np
import pytest
from golden_streams import STREAMS
from golden_values import decoded_gops, pictures_at_fault, values_of
from make_golden import (
    COMMON,
    DAMAGED,
    FOLDER,
    FRAMES,
    HEIGHT,
    LENGTHS,
    OLDER,
    SAMPLES,
    VECTORS,
    WIDTH,
    decode_planes,
    describe,
    describe_packets,
    read_stream,
)

from gvc.bitstream import parse_sequence_header, read_packet, write_gop, write_sequence_header
from gvc.decoder import Decoder
from gvc.errors import BitstreamError, PriorError
from gvc.media import Packet, Planes


def folder(prior: str) -> str:
    """Folder of the vectors of an older version of the bundled prior."""
    return prior.replace("/", "")


OLD = [f"{folder(prior)}/{name}" for prior, names in OLDER.items() for name in names]
WHOLE = [name for name in (*VECTORS, *STREAMS) if name not in DAMAGED]  # none of their packets is damaged
STILL = ("bare", "formats", *DAMAGED)  # nothing in them is floating point
DIFFERENT = 1e-3  # share of samples that may differ at all


@pytest.fixture(params=[*WHOLE, *OLD])
def name(request) -> str:
    """Name of a vector."""
    return request.param


@pytest.fixture
def kind(name) -> str:
    return name.rpartition("/")[2]


def anchors(name: str) -> list[Planes | None]:
    """Return the last picture before each GOP, as it was shown."""
    _, packets = read_stream(FOLDER / f"{name}.gvc")
    with np.load(FOLDER / f"{name}.npz") as stored:
        planes = list(stored.values())
    runs = zip(planes[::3], planes[1::3], planes[2::3], strict=True)
    shown = [picture for run in runs for picture in zip(*run, strict=True)]
    starts = [i for i, packet in enumerate(packets) if read_packet(packet.data)]
    return [shown[i - 1] if i else None for i in starts]


def test_the_bytes_say_what_they_said(name):
    found = describe(*read_stream(FOLDER / f"{name}.gvc"))
    assert json.loads(json.dumps(found)) == json.loads((FOLDER / f"{name}.json").read_text())


@pytest.mark.parametrize("name", WHOLE)
def test_all_on_the_way_to_the_pictures_is_what_it_was(name):
    """With the anchors of the vector: those of another processor may differ."""
    given = [] if name in SAMPLES else anchors(name)
    found = [values_of(gop) for gop in decoded_gops(*read_stream(FOLDER / f"{name}.gvc"), given)]
    assert found == json.loads((FOLDER / f"{name}.values.json").read_text())


def test_the_pictures_are_as_near_as_they_must_be(name):
    """To what binary64 makes of the document's formulas, a GOP at a time."""
    assert not any(pictures_at_fault(gop) for gop in decoded_gops(*read_stream(FOLDER / f"{name}.gvc")))


@pytest.mark.parametrize("name", [*WHOLE, *DAMAGED, *OLD])
def test_the_pictures_are_what_they_were(name, kind):
    anchored = kind in ("i2v", "tail", "gvcc", "hold", "joined")  # these have GOPs that build on others' pictures
    tolerance = 0 if kind in STILL else 12 if kind in SAMPLES else 2 if anchored else 1
    found = decode_planes(*read_stream(FOLDER / f"{name}.gvc"))
    with np.load(FOLDER / f"{name}.npz") as expected:
        assert set(found) == set(expected)
        for plane in expected:
            assert (found[plane].shape, found[plane].dtype) == (expected[plane].shape, expected[plane].dtype)
            differences = np.abs(found[plane].astype(int) - expected[plane])
            assert differences.max() <= tolerance
            assert np.count_nonzero(differences) <= DIFFERENT * differences.size


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_concealed_as_it_was(name):
    found = describe_packets(*read_stream(FOLDER / f"{name}.gvc"))
    assert found == json.loads((FOLDER / f"{name}.json").read_text())
    assert any("error" in event for event in found) and sum(event.get("concealed", False) for event in found) > 3


def raise_error(pictures):
    """Raise the error in spite of which there is a picture."""
    for picture in pictures:
        if picture.error:
            raise picture.error


CASES = json.loads((FOLDER / "refused.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["rule"])
def test_what_breaks_a_rule_is_refused(case):
    """With the element at fault; the packets before it are decoded."""
    *before, last = (Packet(bytes.fromhex(packet)) for packet in case["packets"])
    decoder = Decoder()
    for packet in before:
        decoder.decode(packet)
    foreign = case["element"] in ("prior_name", "weights_hash") and "FAMILY" not in case["rule"]
    with pytest.raises(PriorError if foreign else BitstreamError) as failure:
        raise_error(decoder.decode(last))
    assert foreign or failure.value.element == case["element"]


def test_the_writers_still_write_these_bytes(name):
    extradata, packets = read_stream(FOLDER / f"{name}.gvc")
    assert write_sequence_header(parse_sequence_header(extradata)) == extradata
    for packet in packets:
        unit = read_packet(packet.data)
        assert unit is None or write_gop(unit) == packet.data


@pytest.mark.parametrize("name", [*VECTORS, *OLD])
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
    assert len(gops) > 1 and sum(gop["shown"] for gop in gops) == LENGTHS.get(kind, FRAMES)
    atoms = [sum(count for step in gop["atoms"] for count, _, _ in step) for gop in gops]
    assert atoms == [0] * len(gops) if kind.endswith("bare") else min(atoms) > 20
