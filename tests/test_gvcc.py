# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The scheme of the GVCC paper (preset gvcc), and rate control, with models that have latent frames."""

import math
from dataclasses import replace

import numpy as np
import pytest
from clips import decode, encode, moving_clip, same, size_of, stack
from tiny_wan import FLAVOURS
from torch.nn import Module

from gvc.bitstream import parse_sequence_header, read_packet
from gvc.encoder import Encoder
from gvc.entropy import RangeDecoder, read_atoms, read_count, set_bits
from gvc.gop.decoder import open_gop
from gvc.gop.rule import rule_of
from gvc.loop.codebook import log2_size_for
from gvc.loop.denoise import finish
from gvc.media import VideoFormat
from gvc.plan.bitrate import FILE_BYTES
from gvc.priors.wan import WanPrior
from gvc.stills.recovery import RecoveringStills

ATOMS, SDE_STEPS, PAPER_ATOMS = 8, 17, 1 << 14
WIDTH, HEIGHT = 128, 96  # so that a latent frame has 3072 values


def code(wan_folders, mode, frames=13, **options):
    """Return (header, extradata, packets, the units, the encoder's reconstruction)."""
    options = {"prior": f"wan:{wan_folders[mode]}", "mode": mode, "gop": 13, "atoms": ATOMS, "preset": "gvcc"} | options
    extradata, packets, shown = encode(moving_clip(frames, WIDTH, HEIGHT), **options)
    units = [unit for unit in (read_packet(packet.data) for packet in packets) if unit]
    return parse_sequence_header(extradata), extradata, packets, units, shown


def counts_of(unit, blocks: int, size: int) -> np.ndarray:
    """Return the number of atoms of each step and block, read by the syntax alone."""
    decoder, counts = RangeDecoder(unit.atoms), np.zeros((SDE_STEPS + 1, blocks), int)
    for step in range(SDE_STEPS):
        for block in range(blocks):
            counts[step, block] = read_count(decoder, int(counts[step - 1, block]))
            indices, _ = read_atoms(decoder, int(counts[step, block]), size)
            assert (indices < size).all()
    decoder.finish()
    return counts[:SDE_STEPS]


@pytest.mark.parametrize("mode", FLAVOURS)
def test_the_paper_s_settings(wan_folders, mode):
    header, extradata, packets, units, shown = code(wan_folders, mode, frames=16)
    assert (header.transition, header.codebook_limit, header.shift) == ("sde", 14, 3)
    size = min(PAPER_ATOMS, 1 << log2_size_for(16 * WIDTH * HEIGHT // 64))
    frames = (units[0].shown - 1) // 4 + 1
    expected = np.full((SDE_STEPS, frames), ATOMS)
    if mode == "i2v":
        expected[:, -2:] *= 2
    assert frames > 2 and (counts_of(units[0], frames, size) == expected).all()
    assert [bool(unit.tail) for unit in units] == [mode == "i2v"] * len(units)
    assert [bool(unit.first) for unit in units] == [mode != "t2v"] + [False] * (len(units) - 1)
    assert all(bool(unit.last) == (mode == "flf2v") for unit in units)
    assert same(decode(extradata, packets, prior=f"wan:{wan_folders[mode]}"), shown)


def test_atoms_cost_what_a_set_costs_and_less_than_the_paper_counts(wan_folders):
    _, _, _, (unit,), _ = code(wan_folders, "t2v", atoms=64)
    sets, size = SDE_STEPS * 4, 4096
    assert 8 * len(unit.atoms) == pytest.approx(sets * set_bits(size, 64), rel=0.03)
    assert 8 * len(unit.atoms) < 0.75 * sets * 64 * (math.log2(size) + 1)


@pytest.mark.parametrize(
    ("size", "mode", "shift"),
    [((1280, 720), "t2v", 3), ((832, 480), "i2v", 3), ((1280, 720), "i2v", 5), ((720, 1280), "flf2v", 5)],
)
def test_the_time_grid_is_the_published_one(size, mode, shift):
    encoder = Encoder(VideoFormat(*size), {"preset": "gvcc", "mode": mode})
    assert encoder.header.shift == shift
    other = Encoder(VideoFormat(*size), {"preset": "gvcc", "mode": mode, "shift": 8})
    assert other.header.shift == 8


@pytest.mark.parametrize("x0_cache", [0, 1])
def test_x0_cache_spares_calls_of_the_network(wan_folders, x0_cache, monkeypatch):
    calls, plain = [], Module.__call__

    def counting(module, *args, **kwargs):
        calls.append(type(module).__name__)
        return plain(module, *args, **kwargs)

    monkeypatch.setattr(Module, "__call__", counting)
    _, extradata, packets, _, shown = code(wan_folders, "t2v", x0_cache=x0_cache)
    assert calls.count("WanTransformer3DModel") == (12 if x0_cache else 20)
    calls.clear()
    assert same(decode(extradata, packets, prior=f"wan:{wan_folders['t2v']}"), shown)
    assert calls.count("WanTransformer3DModel") == (12 if x0_cache else 20)


def test_the_tail_corrects_the_last_latent_frame(wan_folders):
    pictures, prior = moving_clip(13, WIDTH, HEIGHT), WanPrior.from_pretrained(wan_folders["i2v"])
    header, _, _, (unit,), _ = code(wan_folders, "i2v")
    coded, plain = (
        open_gop(prior, header, each, None, RecoveringStills(header.format.coded)).reconstruct()
        for each in (unit, replace(unit, tail=b""))
    )
    source = coded.conditioned.encode_latent(stack(pictures))
    first, last = slice(0, 3 * 3072), slice(3 * 3072, 4 * 3072)
    assert coded.x[first].equal(plain.x[first])
    assert (coded.x - source)[last].square().mean() < 0.001 * (plain.x - source)[last].square().mean()
    assert len(unit.tail) > 2000  # 3072 values of 8 bits, deflated
    assert not code(wan_folders, "i2v", tail=0)[3][0].tail


# The codec's own scheme


@pytest.mark.parametrize("mode", ["i2v", "flf2v"])
def test_no_atoms_are_spent_on_what_is_known(wan_folders, mode):
    """The first latent frame belongs to a picture that the decoder has already."""
    header, _, _, (unit, *_), _ = code(wan_folders, mode, preset="fast", quality=30)
    prior, stills = WanPrior.from_pretrained(wan_folders[mode]), RecoveringStills(header.format.coded)
    coded = open_gop(prior, header, unit, None, stills).reconstruct()
    blocks, decoder = len(coded.conditioned.blocks), RangeDecoder(unit.atoms)
    steps, counts = len(rule_of(header, unit).times), [0] * len(coded.conditioned.blocks)
    spent = np.zeros(blocks, int)
    for _ in range(steps):
        for block in range(blocks):
            counts[block] = read_count(decoder, counts[block])
            read_atoms(decoder, counts[block], 1 << 12 + header.codebook_extra)
            spent[block] += counts[block]
    assert spent[0] == 0 and (spent[1:] > 0).all()
    clean = finish(coded.conditioned, coded.x, coded.t, 0.0)
    (known,) = coded.conditioned.known
    assert clean[known.part].equal(known.values)
    first = coded.conditioned.encode_latent(tuple(plane[:1] for plane in coded.plain))[:3072]
    assert (first - known.values).abs().max() < 1e-4  # The known picture is shown unchanged.


@pytest.mark.parametrize("mode", FLAVOURS)
def test_a_bitrate_is_met(wan_folders, mode):
    options = {"preset": "fast", "bitrate": 80_000, "gop": 9}
    _, extradata, packets, _, shown = code(wan_folders, mode, frames=25, **options)
    aim = 80_000 / 8 - FILE_BYTES - 6 * 25  # bytes of a second without the container's overhead
    assert size_of(packets) == pytest.approx(aim, rel=0.04)
    assert same(decode(extradata, packets, prior=f"wan:{wan_folders[mode]}"), shown)


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "t2v", "overlap": 4},
        {"mode": "t2v", "prompt": "a box"},
        {"mode": "i2v", "tail": 1},
        {"mode": "flf2v", "x0_cache": 1},
    ],
)
def test_all_tools_work_with_a_network(wan_folders, options):
    _, extradata, packets, _, shown = code(wan_folders, frames=20, preset="fast", quality=30, gop=9, **options)
    assert same(decode(extradata, packets, prior=f"wan:{wan_folders[options['mode']]}"), shown)
