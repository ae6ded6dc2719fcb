# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Codebooks with torch, here on tensors of the CPU: against the native ones, and in the loop with a model."""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from smooth import smooth_clip
from test_loop import HEADER, SDE, Gaussian, replay, search
from test_wan import decode_stream, encode_stream
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks import device
from gvc.bench import worker
from gvc.bench.job import Job
from gvc.entropy import MAX_COUNT
from gvc.loop import codebooks as choosing
from gvc.loop import noise
from gvc.loop.codebook import Codebook, Ranking, log2_size_for
from gvc.loop.codebooks import HostCodebooks, codebooks_for
from gvc.loop.on_device import DeviceCodebooks, is_exact
from gvc.loop.on_device.batch import CodebookBatch
from gvc.loop.on_device.ranking import RankingBatch
from gvc.loop.on_device.signs import philox4x32_10
from gvc.media import VideoFormat

CPU = torch.device("cpu")
KEY = {"seed": 0xFFFFFFFF, "gop": (1 << 30) - 1, "step": 19}
# Sizes of blocks and codebooks: one block for each power of two, with one row or several of them.
SIZES = [(1 << n, n) for n in range(0, 21, 5)] + [((1 << n) - n // 2, min(n + n % 4, 20)) for n in range(1, 21)]


@pytest.fixture
def on_device(monkeypatch):
    """Let the loop compute codebooks with torch, although the vectors are on the CPU."""
    monkeypatch.setattr(noise, "codebooks_for", DeviceCodebooks)


def made_by_both(dimension, log2, first=0, blocks=2):
    """Return the codebooks of some blocks: all together with torch, and the native ones."""
    batch = CodebookBatch(dimension, log2, **KEY, blocks=range(first, first + blocks), device=CPU)
    return batch, [Codebook(dimension, log2, **KEY, block=block) for block in batch.blocks]


def test_philox_known_answers():
    zeros, ones = torch.zeros(3, dtype=torch.int64), torch.full((3,), 0xFFFFFFFF)
    for word, key, answer in [
        (zeros, 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (ones, 0xFFFFFFFF, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    ]:
        assert [lane.tolist() for lane in philox4x32_10((word,) * 4, (key, key))] == [[a] * 3 for a in answer]


@pytest.mark.parametrize("dimension, log2", SIZES)
def test_noise_and_correlations_are_those_of_the_native_code(dimension, log2):
    batch, books = made_by_both(dimension, log2, first=7)
    generator = np.random.default_rng(log2)
    chosen, wanted = np.zeros((2, 1 << log2), np.int8), []
    for row, book in zip(chosen, books, strict=True):
        count = int(generator.integers(1, 2 ** generator.integers(1, log2 + 2)))
        indices = np.sort(generator.permutation(1 << log2)[:count]).astype(np.uint32)
        row[indices] = generator.choice([-1, 1], len(indices))
        wanted.append(book.synthesize(indices, row[indices]))
    assert np.array_equal(batch.noise(torch.from_numpy(chosen)).numpy(), np.stack(wanted))
    residuals = generator.standard_normal((2, dimension)).astype(np.float32)
    wanted = np.stack([book.correlate(residual) for book, residual in zip(books, residuals, strict=True)])
    assert np.array_equal(batch.correlate(torch.from_numpy(residuals)).numpy(), wanted)


@pytest.mark.parametrize("dimension, log2", [(1, 0), (5, 3), (100, 9), (3000, 12), (5000, 21)])
def test_blocks_without_atoms_get_dense_noise(dimension, log2):
    batch, books = made_by_both(dimension, log2)
    chosen = torch.zeros(2, 1 << log2, dtype=torch.int8)
    chosen[1, -1] = -1
    made = batch.noise(chosen).numpy()
    assert np.array_equal(made[0], books[0].dense_noise())
    assert np.array_equal(made[1], books[1].synthesize(np.array([(1 << log2) - 1], np.uint32), np.array([-1], np.int8)))


@pytest.mark.parametrize("log2", [20, 21])
def test_the_largest_sums_fit(log2):
    """All atoms, with the signs that they have at a place of the block, give almost the largest value there is."""
    batch, (book,) = made_by_both(1, log2, blocks=1)
    chosen = np.where(book.correlate(np.ones(1, np.float32)) < 0, -1, 1).astype(np.int8)
    native = book.synthesize(np.arange(1 << log2, dtype=np.uint32), chosen)
    assert native[0] > 0.7 * 2 ** (log2 / 2)
    assert np.array_equal(batch.noise(torch.from_numpy(chosen[None])).numpy()[0], native)


def by_the_native_ranking(correlations, wants):
    """Return (counts, int8 signs [blocks, K]) of the native ranking."""
    rankings = [Ranking(row) for row in correlations]
    counts = [choosing._matched_count(*both) for both in zip(rankings, wants, strict=True)]
    signs = np.zeros(correlations.shape, np.int8)
    for row, ranking, count in zip(signs, rankings, counts, strict=True):
        indices, values = ranking.take(count)
        row[indices] = values
    return counts, signs


@pytest.mark.parametrize("size", [1, 2, 3, 100, 1 << 12, 1 << 17])
def test_the_same_atoms_are_chosen_as_by_the_native_code(size):
    generator = np.random.default_rng(size)
    correlations = generator.standard_normal((6, size)).astype(np.float32)
    correlations[3] = np.round(correlations[3])  # Many equal magnitudes, which are taken by rising index
    correlations[4] = 0
    correlations[5, ::2] = -0.0
    wants = np.array([0.0, 1.3, 20.0, 2.5, 0.0, 1e9])
    ranking = RankingBatch(torch.from_numpy(correlations))
    counts = ranking.matched(torch.from_numpy(wants)[:, None])
    expected, signs = by_the_native_ranking(correlations, wants)
    assert counts.tolist() == expected
    assert np.array_equal(ranking.take(counts).numpy(), signs)


def test_a_block_takes_no_more_atoms_than_can_be_said():
    correlations = np.ones((1, MAX_COUNT + 8), np.float32)
    ranking = RankingBatch(torch.from_numpy(correlations))
    assert ranking.matched(torch.tensor([[1e9]], dtype=torch.float64)).tolist() == [MAX_COUNT]


class TorchGaussian(Gaussian):
    """The same prior with tensors. cuts: ends of its blocks."""

    def __init__(self, *cuts):
        super().__init__(cuts[-1], cuts[0])
        self.blocks = [slice(a, b) for a, b in zip((0, *cuts), cuts, strict=False)]

    def zeros(self):
        return torch.zeros(self.size)

    def velocity(self, x, t):
        return torch.from_numpy(super().velocity(x.numpy(), t))

    def sample(self, seed=0):
        return torch.from_numpy(super().sample(seed))


@pytest.mark.parametrize("cuts", [(700,), (300, 600, 900), (300, 600, 640, 641, 941)], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"budget": 1500},
        {"header": replace(HEADER, codebook_limit=7)},
        {"header": replace(SDE, x0_cache=1), "fixed": 9},
    ],
    ids=["matched", "budget", "limit", "fixed"],
)
def test_streams_are_the_same_by_both_kinds(monkeypatch, cuts, options):
    prior = TorchGaussian(*cuts)
    native = search(prior, prior.sample(), **options)
    monkeypatch.setattr(noise, "codebooks_for", DeviceCodebooks)
    coded = search(prior, prior.sample(), **options)
    assert coded.atoms == native.atoms and coded.noise.stop == native.noise.stop
    assert coded.noise.bits == native.noise.bits > 0
    header = options.get("header", HEADER)
    for x in (coded.x, replay(prior, native, header=header)[0]):
        assert torch.equal(x, native.x)


def test_large_groups_of_blocks_are_divided(monkeypatch, on_device):
    prior = TorchGaussian(300, 600, 900, 1200, 1500)
    whole = search(prior, prior.sample())
    monkeypatch.setattr("gvc.loop.on_device.codebooks.BATCH_ATOMS", 2 << log2_size_for(300, HEADER.codebook_extra))
    assert [len(group.blocks) for group in DeviceCodebooks(prior, HEADER, 0).groups] == [2, 2, 1]
    assert search(prior, prior.sample()).atoms == whole.atoms


def test_numbers_that_are_not_finite_are_refused(on_device):
    prior = TorchGaussian(300, 600)
    source = prior.sample()
    source[400] = math.nan
    with pytest.raises(ValueError, match="finite"):
        search(prior, source)


def test_nothing_in_a_step_waits_for_values(monkeypatch):
    """Tensors of the device "meta" have no values, so anything that asks for one raises."""
    monkeypatch.setattr("gvc.loop.on_device.codebooks.to_host", lambda tensor: tensor.numpy)
    prior = TorchGaussian(300, 600, 640)
    prior.zeros = lambda: torch.zeros(prior.size, device="meta")
    made = DeviceCodebooks(prior, HEADER, 0)
    ranked = made.rank(1, torch.empty(prior.size, device="meta"))
    counts = ranked.matched(0.3)
    choice = ranked.take(counts)
    for z in (choice.noise(), made.noise(0)):
        assert z.shape == (prior.size,) and z.device == torch.device("meta")
    for waiting in (choice.atoms, lambda: ranked.numbers(counts)):
        with pytest.raises((RuntimeError, TypeError)):
            waiting()


def test_codebooks_are_where_vectors_are():
    prior = TorchGaussian(300)
    assert type(codebooks_for(prior, HEADER, 0)) is type(codebooks_for(Gaussian(), HEADER, 0)) is HostCodebooks
    assert is_exact(CPU)
    assert not is_exact(torch.device("meta"))


def test_a_device_whose_division_is_not_true_leaves_codebooks_to_the_cpu(monkeypatch):
    divide = Tensor.__truediv__
    monkeypatch.setattr(Tensor, "__truediv__", lambda a, b: a * divide(torch.ones_like(b), b))
    assert not is_exact.__wrapped__(CPU)


def test_the_benchmark_of_a_device_finds_everything_equal(monkeypatch, capsys, wan_folders, tmp_path):
    monkeypatch.setattr(torch.nn.Module, "__call__", torch.nn.Module.__call__)  # It is restored after the test.
    model, output = f"wan:{wan_folders['t2v']}", tmp_path / "device.json"
    small = f"--device cpu --size 32x32 --frames 5 --quality 20 --log2 6 --models {model} --output {output}"
    monkeypatch.setattr("sys.argv", ["device", *small.split()])
    device.main()
    report = json.loads(output.read_text())
    assert report["atoms"]["exact"] and report["atoms"]["unequal"] == []
    result = report["models"][model]
    assert result["drift"]["largest"] == 0
    for kind in ("device", "CPU"):
        assert result[kind]["same_pictures"]
        assert result[kind]["encode"]["stages"]["velocity"]["calls"] == result["steps"] + 1
    assert "decode, codebooks by device" in capsys.readouterr().out


def test_a_model_with_random_weights_needs_no_folder_on_either_side(monkeypatch, wan_priors, tmp_path):
    monkeypatch.setattr(torch.nn.Module, "__call__", torch.nn.Module.__call__)  # It is restored after the test.
    monkeypatch.setattr(wan_priors["t2v"], "weights_hash", bytes(8))
    monkeypatch.setattr(worker, "open_untrained", lambda *_: wan_priors["t2v"])
    job = Job(random="wan/t2v-1.3b", size=(32, 32), frames=5, packets=str(tmp_path / "packets.mkv"))
    for side in ("encode", "decode"):
        found = worker.measure(replace(job, side=side, options={"quality": 5} if side == "encode" else {}))
        assert found["prior"] == "wan/t2v" and found["pictures"] == 5 and found["network_is"] == "modules"


def test_a_model_codes_and_decodes_alike_by_both_kinds(monkeypatch, wan_folders):
    video, options = (
        VideoFormat(50, 34),
        {"prior": f"wan:{wan_folders['i2v']}", "mode": "i2v", "gop": 9, "quality": 20, "lowres_steps": 4},
    )
    clip = smooth_clip(video, 9)
    native = encode_stream(clip, video, options)
    decoded = decode_stream(*native[:2], wan_folders["i2v"])
    monkeypatch.setattr(noise, "codebooks_for", DeviceCodebooks)
    other = encode_stream(clip, video, options)
    assert [packet.data for packet in other[1]] == [packet.data for packet in native[1]]
    for pictures in (decode_stream(*native[:2], wan_folders["i2v"]), other[2]):
        pairs = zip(pictures, decoded, strict=True)
        assert all(np.array_equal(a, b) for pair in pairs for a, b in zip(*pair, strict=True))
