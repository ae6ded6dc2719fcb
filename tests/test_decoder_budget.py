# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Limits of what a packet may demand of a decoder: its bytes and pictures bound work, its pictures bound memory."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from clips import decode, encode, moving_clip, same, still_clip, with_last_size
from hypothesis import given, settings
from hypothesis import strategies as st

from gvc.bitstream import GopUnit, SequenceHeader, read_packet, write_gop
from gvc.bitstream.levels import MAX_LEVEL
from gvc.decoder import Decoder
from gvc.entropy import RangeEncoder, write_atoms, write_count
from gvc.errors import BitstreamError, MediaError
from gvc.gop.rule import rule_of
from gvc.loop import budget
from gvc.loop.budget import MAX_SAMPLES, beyond_samples, beyond_steps, beyond_work
from gvc.loop.codebook import Codebook
from gvc.media import Packet, VideoFormat
from gvc.priors.gp import bands, basis
from gvc.priors.gp.array_cache import cached
from gvc.stills.av1 import StillDecoder, encode_still
from gvc.stills.headers import obus

ALL = np.full((3, bands.BANDS + 1), 20)  # levels of a GOP that carries all its coefficients


def side_of(levels: np.ndarray) -> bytes:
    """Side information of a t2v GOP."""
    encoder = RangeEncoder()
    encoder.encode_bits(0, 2)
    encoder.encode_bits(300, 10)
    for _ in range(3):
        encoder.encode_bits(128, 8)
    bands.write_levels(encoder, levels, None)
    return encoder.finish()


def atoms_of(sizes: list[int], steps: int) -> bytes:
    """Return coded atoms in which each block has only the first atom of its codebook at each step."""
    encoder = RangeEncoder()
    for step in range(steps):
        for size in sizes:
            write_count(encoder, 1, min(step, 1))
            write_atoms(encoder, np.zeros(1, np.uint32), np.ones(1, np.int8), size)
    return encoder.finish()


def t2v(width: int, height: int, **fields) -> SequenceHeader:
    return SequenceHeader(format=VideoFormat(width, height), mode="t2v", transition="ancestral", prior="gp/4", **fields)


class Counted:
    """Counts the atoms of all codebooks in use."""

    def __init__(self, monkeypatch):
        self.atoms = 0
        for name in ("synthesize", "dense_noise"):
            monkeypatch.setattr(Codebook, name, self._counting(getattr(Codebook, name)))

    def _counting(self, method):
        def counting(book, *arguments):
            self.atoms += 1 << book.log2_size
            return method(book, *arguments)

        return counting


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (t2v(320, 240, codebook_extra=8), {"shown": 65}),
        (t2v(320, 240), {"shown": 129}),
        (t2v(64, 64, codebook_extra=8, codebook_limit=1), {"shown": 129}),
        (t2v(32, 24, codebook_extra=8), {"shown": 5, "ahead": 129}),
        (replace(t2v(200, 200, codebook_extra=8), transition="sde"), {"shown": 5, "start": 0, "stride": 0}),
    ],
)
def test_few_bytes_cannot_ask_for_much_work(header, fields, monkeypatch):
    counted = Counted(monkeypatch)
    unit = GopUnit(index=0, header=header, side=side_of(ALL), atoms=bytes(64), **{"start": 767, "stride": 1, **fields})
    with pytest.raises(BitstreamError, match="too much"):
        Decoder(None).decode(Packet(write_gop(unit)))
    assert counted.atoms == 0


sizes = st.integers(1, 2**12).flatmap(lambda w: st.tuples(st.just(w), st.integers(1, 2**12 // w)))
sizes |= st.tuples(st.integers(2**13 + 1, 2**14), st.just(2**14))  # too large
levels = st.lists(st.sampled_from([0, 20]), min_size=ALL.size, max_size=ALL.size)


@settings(max_examples=40)
@given(data=st.data())
def test_a_packet_is_refused_at_once_or_is_within_the_budget(data):
    width, height = data.draw(sizes)
    shown, ahead = data.draw(st.integers(1, 129)), data.draw(st.integers(0, 129))
    extra, limit = data.draw(st.integers(0, 8)), data.draw(st.integers(0, 24))
    start = data.draw(st.integers(0, MAX_LEVEL))
    sde = data.draw(st.booleans())
    header = t2v(width, height, codebook_extra=extra, codebook_limit=limit, x0_cache=data.draw(st.integers(0, 15)))
    header = replace(header, transition="sde" if sde else "ancestral")
    unit = GopUnit(
        index=0,
        shown=shown,
        header=header,
        side=side_of(np.reshape(data.draw(levels), ALL.shape)),
        start=start,
        stop=data.draw(st.integers(0, start)),
        stride=0 if sde else data.draw(st.integers(1, 255)),
        atoms=data.draw(st.binary(max_size=60)),
        ahead=ahead,
    )
    samples = (shown + ahead) * width * height
    with pytest.MonkeyPatch.context() as patch:
        counted = Counted(patch)
        try:
            Decoder(None).decode(Packet(write_gop(unit)))
        except BitstreamError as error:
            assert samples <= MAX_SAMPLES or "too much" in str(error)
            assert counted.atoms == 0 or "too much" not in str(error)
    assert counted.atoms <= 2**25 + (54 if sde else 4) * samples + 2**17 * len(unit.atoms)


def test_work_that_bytes_pay_for_is_done(monkeypatch):
    """A GOP of one small picture may have many steps if its atoms have enough bytes."""
    header, shown = t2v(16, 16, codebook_extra=8), 1
    size = 2 ** (9 + 8)  # 2**9 atoms for 384 coefficients, times 2**8
    steps = next(n for n in range(1, 768) if (2 + n) * size > 2**25 + 4 * 256 * shown)
    unit = GopUnit(header=header, index=0, shown=shown, side=side_of(ALL), start=steps - 1, stop=0, stride=1)
    assert beyond_work(header, rule_of(header, replace(unit, start=steps)), [slice(0, 384)], shown, 0)
    counted = Counted(monkeypatch)
    unit = replace(unit, atoms=atoms_of([size], steps))
    assert len(Decoder(None).decode(Packet(write_gop(unit)))) == 1
    assert counted.atoms == (1 + steps) * size
    twice = replace(unit, start=2 * steps - 1, atoms=atoms_of([size], 2 * steps))
    assert len(Decoder(None).decode(Packet(write_gop(twice)))) == 1


@given(st.integers(1, MAX_SAMPLES), st.data())
def test_one_step_fits_however_large_the_latent_and_few_its_bytes(samples, data):
    """A GOP with a single step is always allowed, so that an encoder without bits for atoms can write one."""
    size = data.draw(st.integers(1, 3 * samples // 2))
    rule = rule_of(t2v(1, 1), GopUnit(index=0, shown=1, start=300, stop=300, stride=1))
    assert beyond_work(t2v(1, 1), rule, [slice(0, size)], samples, 0) == ""


@given(st.integers(1, MAX_SAMPLES), st.data())
def test_streams_of_the_paper_s_scheme_fit_however_large_and_few_their_atoms(samples, data):
    """The number of steps is fixed there, and all coefficients may be carried."""
    header = replace(t2v(1, 1, codebook_limit=14), transition="sde")
    size = data.draw(st.integers(1, max(1, 3 * samples // 2)))
    assert beyond_work(header, rule_of(header, GopUnit(index=0, shown=1)), [slice(0, size)], samples, 0) == ""


def test_size_and_steps_are_bounded():
    assert beyond_samples(1, VideoFormat(16384, 8192)) == beyond_samples(128, VideoFormat(1024, 1024)) == ""
    assert "16384x8193" in beyond_samples(1, VideoFormat(16384, 8193))
    rules = [rule_of(t2v(1, 1), GopUnit(index=0, shown=1, start=start, stop=0, stride=1)) for start in (128, 129)]
    assert beyond_steps(rules[0], cheap=False) == beyond_steps(rules[1], cheap=True) == ""
    assert "130 steps" in beyond_steps(rules[1], cheap=False)


def allow(monkeypatch, atoms: int) -> None:
    """Limit the atoms of a GOP to `atoms` for each sample and nothing else."""
    monkeypatch.setattr(budget, "GOP_ATOMS", 0)
    monkeypatch.setattr(budget, "SAMPLE_ATOMS", dict.fromkeys(budget.SAMPLE_ATOMS, atoms))
    monkeypatch.setattr(budget, "BYTE_ATOMS", 0)


@pytest.mark.parametrize("mode", ["t2v", "i2v", "flf2v"])
def test_an_encoder_with_too_few_atoms_takes_larger_steps(mode, monkeypatch):
    options = {"mode": mode, "gop": 9, "preset": "medium", "quality": 30}
    clip = moving_clip(9, 32, 24)
    usual = read_packet(encode(clip, **options)[1][0].data)
    allow(monkeypatch, 4)
    extradata, packets, reconstruction = encode(clip, **options)
    assert read_packet(packets[0].data).stride > usual.stride
    assert same(decode(extradata, packets), reconstruction)


def test_an_encoder_says_what_decoders_would_refuse(monkeypatch):
    allow(monkeypatch, 0)
    for transition in ("ancestral", "sde"):
        with pytest.raises(MediaError, match="more atoms, a lower quality"):
            encode(moving_clip(5, 32, 24), gop=5, preset="fast", transition=transition)


def test_a_bare_gop_has_no_latent():
    unit = GopUnit(header=t2v(16, 16), index=0, shown=2, side=side_of(ALL), stride=1, bare=True)
    with pytest.raises(BitstreamError, match="bare"):
        Decoder(None).decode(Packet(write_gop(unit)))
    empty = replace(unit, side=side_of(0 * ALL))
    assert len(Decoder(None).decode(Packet(write_gop(empty)))) == 1


@pytest.mark.parametrize("size", [(16384, 1), (1, 16384), (16384, 3)])
def test_a_long_thin_picture_takes_little_memory(size):
    unit = GopUnit(header=t2v(*size), index=0, shown=1, side=side_of(ALL), start=300, stop=300, stride=1)
    clip = still_clip(2, *size)
    tracemalloc.start()
    try:
        assert len(Decoder(None).decode(Packet(write_gop(unit)))) == 1
        extradata, packets, reconstruction = encode(clip, mode="t2v", preset="fast")
        assert same(decode(extradata, packets), reconstruction)
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()


def test_transforms_of_long_sides_are_those_of_short_ones(monkeypatch):
    picture = np.random.default_rng(1).standard_normal((20, 33)).astype(np.float32)
    coefficients, corner = basis.corner(picture, 20, 33), basis.corner(picture, 7, 11)
    blurred = basis.picture_of(corner, 20, 33)
    assert np.allclose(corner, coefficients[:7, :11], atol=1e-5)
    for largest in (1, 7 * 20, 20 * 20):
        monkeypatch.setattr(basis, "LARGEST", largest)
        assert np.allclose(basis.corner(picture, 20, 33), coefficients, atol=1e-5)
        assert np.allclose(basis.corner(picture, 7, 11), corner, atol=1e-5)
        assert np.allclose(basis.picture_of(coefficients, 20, 33), picture, atol=1e-5)
        assert np.allclose(basis.picture_of(corner, 20, 33), blurred, atol=1e-5)


def test_the_cache_of_arrays_is_bounded():
    made = []

    @cached(100)
    def array(size):
        made.append(size)
        return np.zeros(size, np.uint8)

    for size in (40, 50, 40, 30, 50, 101, 101, 30):
        assert len(array(size)) == size
    assert made == [40, 50, 30, 50, 101, 101, 30]


def test_a_still_has_few_av1_frames():
    """An empty AV1 frame takes some bytes and as much time as a full one."""
    clip = still_clip(1, 64, 64)
    still, video = with_last_size(encode_still(clip[0].planes, 40, "fast")), VideoFormat(64, 64)
    StillDecoder(video).decode(still)
    *_, (_, payload) = obus(still, "still")
    frame = still[-len(payload) - 2 :]
    with pytest.raises(BitstreamError, match="more than 8 AV1 frames"):
        StillDecoder(video).decode(still + 8 * frame)
    with pytest.raises(BitstreamError):  # Without a size, an OBU has all the rest.
        StillDecoder(video).decode(bytes([still[0] & ~2]) + still[2:])
    with pytest.raises(BitstreamError, match="left"):
        StillDecoder(video).decode(still[:-1])
