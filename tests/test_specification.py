# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""docs/BITSTREAM.md and the parser name the same elements, in the same order; its values to test with are right."""

import ast
import re
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from golden_streams import header
from golden_values import decoded_gops, trajectory
from gvc._native import local_velocity
from make_golden import FOLDER, read_stream

from gvc.bitstream import GopUnit, packet, read_packet, sequence, write_gop, write_sequence_header
from gvc.bitstream.fields import FieldReader
from gvc.bitstream.levels import level_sigma, level_time, matched_levels, shifted_times
from gvc.entropy import RangeDecoder, read_atoms, read_count
from gvc.loop.codebook import Codebook, log2_size_for
from gvc.loop.transition import Step, ancestral, euler_maruyama, ode
from gvc.priors.gp.bands import level_variances
from gvc.priors.gp.mean import SMOOTHNESS

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "BITSTREAM.md").read_text("utf-8")
FIELD = re.compile(r"^\| (?:\d* ?\| )?`(\w+)` \| `?([\w\[\]]+)`? \|", re.MULTILINE)  # [offset,] element, type
SIZES = {"u8": 1, "u16": 2, "u32": 4, "crc32": 4}
NO_ELEMENTS = {"budget", "still"}  # bounds of the document, and a still that is decoded outside of a stream


def section(title: str) -> str:
    """Return the text of a section without its subsections."""
    return TEXT.partition(f"\n{title}\n")[2].partition("\n#")[0]


def rows(title: str) -> list[tuple[str, str]]:
    """Return (element, type) of the syntax table of a section."""
    return FIELD.findall(section(title))


@pytest.fixture
def reads(monkeypatch) -> list[tuple[str, int | str]]:
    """What the parser reads, in order: (element, bytes or type)."""
    reads = []

    class Recorder(FieldReader):
        def uint(self, element, size, *bounds):
            reads.append((element, size))
            return super().uint(element, size, *bounds)

        def raw(self, element, size):
            if not reads or reads[-1][0] != element:
                reads.append((element, size))
            return super().raw(element, size)

        def sized(self, element):
            reads.append((element, "sized"))
            return super().sized(element)

    monkeypatch.setattr(sequence, "FieldReader", Recorder)
    monkeypatch.setattr(packet, "FieldReader", Recorder)
    return reads


def as_read(fields: list[tuple[str, str]], sizes: dict[str, int]) -> list[tuple[str, int | str]]:
    """Return what reading the fields of a table looks like. sizes: of the elements whose type does not say it."""
    return [(name, sizes.get(name) or SIZES.get(kind, kind)) for name, kind in fields]


def test_the_sequence_header_is_read_as_its_table_says(reads):
    full = header("t2v", shift=5, codebook_limit=3, prompt="a dog", x0_cache=2, lowres_steps=8)
    sequence.parse_sequence_header(write_sequence_header(full))
    assert reads == as_read(rows("## 3 Sequence header"), {"magic": 4, "weights_hash": 8, "prior_name": 4})


def test_a_packet_is_read_as_its_table_says(reads):
    fields = {"first": b"1", "last": b"2", "tail": b"3", "side": b"4", "atoms": b"5", "ahead": 2}
    read_packet(write_gop(GopUnit(header=header("t2v"), index=0, shown=1, **fields)))
    own = [read for read in reads if read not in as_read(rows("## 3 Sequence header"), {})]
    table = as_read(rows("## 4 Packets"), {})
    assert [read for read in own if read in table] == table


def test_a_compact_packet_is_read_as_its_table_says(reads):
    fields = {"first": b"1", "last": b"2", "tail": b"3", "side": b"4", "ahead": 2, "checked": True, "compact": True}
    table = [name for name, _ in rows("### 4.2 Compact packets") if name not in ("atoms", "atoms_checksum")]
    for key in (header("t2v"), None):
        del reads[:]
        read_packet(write_gop(GopUnit(header=key, index=0, number=0 if key else 1, shown=1, **fields)))
        own = [name for name, _ in reads[: len(table) - 1]]
        assert own == [name for name in table if name != ("gop_number" if key else "sequence_header")]


def test_errors_name_elements_of_the_document():
    """All that the code names, and all that section 5.1 lists as what its steps find."""
    tables = set(re.findall(r"^\| (?:\d* ?\| )?`(\w+)` \|", TEXT, re.MULTILINE))
    named = set()
    for path in [*(ROOT / "gvc").rglob("*.py")]:
        for call in filter(lambda node: isinstance(node, ast.Call), ast.walk(ast.parse(path.read_text("utf-8")))):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            reader = path.parent.name == "bitstream" and name in ("uint", "raw", "sized", "part", "varint", "fail")
            position = {"RangeDecoder": 1, "BitstreamError": 0}.get(name, 0 if reader else None)
            if position is not None and len(call.args) > position and isinstance(call.args[position], ast.Constant):
                named.add(call.args[position].value)
    named = {name for name in named if isinstance(name, str)}
    assert {"shown", "sar_den", "level", "side", "atoms"} <= named
    assert named - tables <= NO_ELEMENTS
    steps = re.findall(r"^\| \d* \| .* \| (.*) \|$", section("### 5.1 State and steps"), re.MULTILINE)
    listed = {name for step in steps for name in re.findall(r"`(\w+)`", step)}
    assert listed <= tables
    assert {"tail", "stride", "boundary_flags", "first", "last", "mean", "step", "level", "count", "ramp"} <= listed


def test_noise_has_the_values_of_the_document():
    book = Codebook(5, 3, 42, 3, 1, 0)
    annex = section("## Annex B: values to test with (informative)").replace("\n", " ")
    atoms = [np.rint(book.synthesize(np.array([j], np.uint32), np.ones(1, np.int8)) * 8**0.5) for j in (0, 1, 6)]
    text = [", ".join(f"{value:g}" for value in atom).replace("-0,", "0,") for atom in atoms]
    assert f"atom 0 is {text[0]}; atom 1 is {text[1]}; atom 6 is {text[2]}." in annex
    pair = np.array([1, 6], np.uint32), np.array([1, -1], np.int8)

    def values(noise: np.ndarray) -> str:
        return ", ".join(f"{value:g}" for value in noise + 0.0)

    assert f"give z = {values(book.synthesize(*pair))}; no atoms give z = {values(book.dense_noise())}." in annex
    other = Codebook(5, 3, 42, 3, 1, 1)
    assert f"instead of 0: {values(other.synthesize(*pair))} and {values(other.dense_noise())}." in annex
    assert f"in step 0 of block 0: {values(Codebook(5, 3, 42, 3, 0, 0).dense_noise())}." in annex


def crc_of(values: list[float]) -> str:
    """Return the CRC-32 of numbers as binary64."""
    return f"{zlib.crc32(np.array(values, '<f8').tobytes()):08x}"


def coefficients(rule: Callable[[float, float], Step], times: list[float]) -> list[float]:
    """Return keep, pull and sigma of the steps from each time to the next."""
    steps = [rule(t, s) for t, s in pairwise(times)]
    return [value for step in steps for value in (step.keep, step.pull, step.sigma)]


def test_times_and_transitions_have_the_values_of_the_document():
    sde = shifted_times(20, 3)
    assert f"s[10] = {sde[11].hex()}, s[17] = {sde[18].hex()}, s[18] =\n{sde[19].hex()}" in TEXT
    assert f"{crc_of(sde[1:])} with shift 3, {crc_of(shifted_times(20, 5)[1:])} with shift 5" in TEXT
    levels = [*map(level_time, matched_levels(767, 0, 8))]
    noisy, silent = coefficients(euler_maruyama, sde[:18]), coefficients(ode, sde[17:])
    assert f"on to time(0): {crc_of(coefficients(ancestral, levels))}; sde" in TEXT
    assert f"with noise: {crc_of(noisy)}, and the three of ode: {crc_of(silent)}\n" in TEXT


def test_codebooks_have_the_sizes_of_the_document():
    sizes = ", ".join(str(log2_size_for(values, 8)) for values in (1, 5, 65536, 65537, 2**24))
    assert f"blocks of 1, 5, 65536, 65537 and 2^24 values have n = {sizes}." in TEXT


def test_velocity_has_the_values_of_the_document():
    text, even = TEXT.replace("\n", " "), [0, 0, 0, 0, 0, 0]
    tied = np.array([521, 523, 539, 541, 557, 559]) / 1024
    for x, bands, variances in ((np.arange(1, 7) / 4, [0, 0, 1] * 2, (4, 0.25)), (tied, even, (2,))):
        numbers = np.array(bands, np.uint8).reshape(2, 3)
        found = local_velocity(x[None].astype(np.float32), numbers, np.array(variances, float), 0.5)
        assert " ".join(f"{bits:08x}" for bits in found[0].view(np.uint32)) + "." in text
    t, x = level_time(349), 0.6328125
    r = level_variances()[35] - level_sigma(300) ** 2
    signal = (1 - t) * ((1 - t) * r)
    everything = signal + t * t
    share = signal / everything
    for name, value in (("r", r), ("signal", signal), ("all", everything), ("share", share)):
        assert f"{name} = {value.hex()}, " in text
    assert f"share / all = {(share / everything).hex()}, " in text
    assert f"65536 times {((x * x - t * t) * (share / everything)).hex()}, " in text
    assert f"is {((1 - t) * r / ((1 - t) * ((1 - t) * r) + t * t)).hex()}." in text


def test_activity_has_the_value_of_the_document():
    assert f"w before `f32` is {np.sqrt(101 * 1900.0 / 50021.0).item().hex()}." in TEXT


def test_range_coded_strings_have_the_values_of_the_document():
    decoder, counts, found = RangeDecoder(bytes.fromhex("d96ba3cc")), [0, 0], []
    for _ in range(2):
        for block, size in enumerate((8, 4)):
            counts[block] = read_count(decoder, counts[block])
            found.append([part.tolist() for part in read_atoms(decoder, counts[block], size)])
    decoder.finish()
    assert found == [[[1, 6], [1, -1]], [[], []], [[0, 2, 7], [-1, -1, 1]], [[3], [1]]]
    assert "`d96ba3cc`" in TEXT
    decoder = RangeDecoder(bytes.fromhex("e6154088f4c2"))
    assert read_count(decoder, 0) == 5
    assert decoder.decode_subset(5, 32).tolist() == [3, 7, 8, 20, 31]
    assert decoder.decode_signs(5).tolist() == [1, -1, 1, 1, -1]
    assert read_count(decoder, 5) == 1000


def test_a_gop_has_the_values_of_the_document():
    gop = next(decoded_gops(*read_stream(FOLDER / "flf2v.gvc")))
    condition = gop.reconstruction.condition
    for planes in (condition.first, condition.last):
        assert ", ".join(f"{zlib.crc32(plane):08x}" for plane in planes) in TEXT
    for row in condition.motion(SMOOTHNESS[4])[0]:
        assert " ".join(f"({x},{y})" for x, y in row) in TEXT
    states = list(trajectory(gop))
    for state in (states[0], states[1], states[2], states[-1]):
        assert " | ".join(f"{bits:08x}" for bits in state[:4].view(np.uint32)) in TEXT
    assert " ".join(f"{bits:08x}" for bits in gop.activity[0][0, :4].view(np.uint32)) in TEXT.replace("\n  ", " ")


MATRICES = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
SITED_ON = {2: (False, False), 3: (True, True), 4: (True, False)}  # by chroma_location: (vertical, horizontal)


def doubled(plane: np.ndarray, on: bool) -> np.ndarray:
    """Double the rows of a plane, as section 2.5 has it."""
    before, after = np.concatenate([plane[:1], plane[:-1]]), np.concatenate([plane[1:], plane[-1:]])
    rows = (plane, (plane + after) / 2) if on else ((before + 3 * plane) / 4, (3 * plane + after) / 4)
    return np.stack(rows, 1).reshape(-1, plane.shape[1])


def converted(planes: tuple[np.ndarray, ...], video) -> list[np.ndarray]:
    """Convert 8-bit 4:2:0 planes by the steps of section 5.5, in binary32."""
    code, rgb, bits = video.samples.code, video.samples.code in (3, 6), 8 if video.samples.code < 4 else 10
    if code == 1:
        return list(planes)

    def quantised(bits: int, full: bool) -> list[tuple[np.float32, np.float32]]:
        luma = (0, 2**bits - 1) if full else (16 << bits - 8, 219 << bits - 8)
        chroma = (128 << bits - 8, 2**bits - 1 if full else 224 << bits - 8)
        return [tuple(map(np.float32, pair)) for pair in (luma, chroma, chroma)]

    full = video.color_range == 2
    y, cb, cr = (
        (plane.astype(np.float32) - z) / s for plane, (z, s) in zip(planes, quantised(8, full or rgb), strict=True)
    )
    if code != 4:
        vertical, horizontal = SITED_ON.get(video.chroma_location, (False, True))
        cb, cr = (doubled(doubled(c, vertical).T, horizontal).T[: video.height, : video.width] for c in (cb, cr))
    if not rgb:
        values = [v * s + z for v, (z, s) in zip((y, cb, cr), quantised(bits, full), strict=True)]
    else:
        matrix = 5 if video.colorspace == 6 else video.colorspace
        kr, kb = MATRICES.get(matrix, MATRICES[5 if video.height < 720 else 1])
        red, blue = y + np.float32(2 * (1 - kr)) * cr, y + np.float32(2 * (1 - kb)) * cb
        green = (y - np.float32(kr) * red - np.float32(kb) * blue) / np.float32(1 - kr - kb)
        values = [v * np.float32(2**bits - 1) for v in (green, blue, red)]
    return [np.clip(np.rint(v), 0, 2**bits - 1).astype(int) for v in values]


def test_sample_formats_are_converted_as_the_document_says():
    with np.load(FOLDER / "formats.npz") as stored:
        arrays = list(stored.values())
    shown = [tuple(plane) for run in zip(*[iter(arrays)] * 3, strict=True) for plane in zip(*run, strict=True)]
    gops = list(decoded_gops(*read_stream(FOLDER / "formats.gvc")))
    assert len(gops) == len(shown) > 20
    for gop, planes in zip(gops, shown, strict=True):
        coded = tuple(plane[0] for plane in gop.reconstruction.plain)
        found = converted(coded, gop.header.format)
        assert all(np.array_equal(a, b) for a, b in zip(found, planes, strict=True))
