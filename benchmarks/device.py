# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Video models on an accelerator: time, the network's share, memory, drift, and whether atoms are exact there.

    python -m benchmarks.device --device cuda --output device.json

First, codebooks of all sizes are compared with the native ones, and a step's work on atoms is timed in both ways. Then
each model codes a GOP of a synthetic clip; models with random weights take the time and memory of trained ones. It is
measured with codebooks on the device and by the CPU, and decoded with the codebooks of the other kind, too: that must
give the same pictures. Drift is the difference of decoded pictures from those that the encoder saw, with the same
settings and with the network in float32. What would begin after `--seconds` is left out.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import torch

from gvc.bench.material import synthetic_clip
from gvc.bench.memory import peak_device_bytes
from gvc.bench.stopwatch import Stage, Stopwatch
from gvc.bench.untrained import TypicalPrior
from gvc.bench.watch import STAGES, watch_networks, watch_prior
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import GvcError
from gvc.loop import noise
from gvc.loop.codebook import Codebook, log2_size_for
from gvc.loop.codebooks import Codebooks, HostCodebooks
from gvc.loop.on_device import DeviceCodebooks, is_exact
from gvc.loop.on_device.batch import CodebookBatch
from gvc.machine.stages import listening
from gvc.media import Packet, Picture, VideoFormat
from gvc.prior import ModelOptions, Prior
from gvc.priors import open_prior, open_untrained

MODELS = ["wan/t2v-1.3b", "wan/ti2v-5b"]
KINDS = {"device": DeviceCodebooks, "CPU": HostCodebooks}
EXTRAS = (0, 2)  # codebook_extra of the presets fast and medium
RATIO = 0.2  # A typical shift in units of the noise, for a residual of unit variance
REPETITIONS = 5


@dataclass(frozen=True)
class Clock:
    """Wall time of work on a device. limit: time.monotonic() after which nothing new is begun."""

    device: torch.device
    limit: float

    def synchronise(self) -> None:
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)

    def seconds(self, work: Callable[[], object]) -> float:
        """Return the time that a function takes, the device's work included."""
        self.synchronise()
        start = time.perf_counter()
        work()
        self.synchronise()
        return time.perf_counter() - start

    @property
    def over(self) -> bool:
        return time.monotonic() > self.limit


# Atoms


def unequal_sizes(device: torch.device, most: int) -> list[str]:
    """Compare noise and correlations of codebooks of 2^0 to 2^most atoms with the native ones; return what differs."""
    generator, found = np.random.default_rng(0), []
    for log2 in range(most + 1):
        dimension = 1 + int(generator.integers(1 << log2))
        batch = CodebookBatch(dimension, log2, 1, 2, 3, range(4, 6), device)
        books = [Codebook(dimension, log2, 1, 2, 3, block) for block in batch.blocks]
        indices = np.sort(generator.permutation(1 << log2)[: 1 + (1 << log2) // 100]).astype(np.uint32)
        signs = generator.choice(np.array([-1, 1], np.int8), len(indices))
        chosen = torch.zeros(2, 1 << log2, dtype=torch.int8)
        chosen[0, torch.from_numpy(indices.astype(np.int64))] = torch.from_numpy(signs)
        made = batch.noise(chosen.to(device)).cpu().numpy()
        if not np.array_equal(made, np.stack((books[0].synthesize(indices, signs), books[1].dense_noise()))):
            found.append(f"noise of 2^{log2} atoms")
        residual = generator.standard_normal((2, dimension)).astype(np.float32)
        correlations = batch.correlate(torch.from_numpy(residual).to(device)).cpu().numpy()
        if not np.array_equal(correlations, np.stack([b.correlate(r) for b, r in zip(books, residual, strict=True)])):
            found.append(f"correlations of 2^{log2} atoms")
    return found


def step_times(clock: Clock, blocks: int, dimension: int) -> dict:
    """Return the seconds that one step's atoms take in encoder and decoder, by kind of codebooks and extra."""
    prior = SimpleNamespace(
        size=blocks * dimension,
        blocks=[slice(i * dimension, (i + 1) * dimension) for i in range(blocks)],
        zeros=lambda: torch.zeros(blocks * dimension, device=clock.device),
    )
    residual = torch.randn(prior.size, generator=torch.Generator().manual_seed(0)).to(clock.device)
    times = {}
    for kind, codebooks in KINDS.items():
        for extra in EXTRAS:
            header = SimpleNamespace(seed=1, codebook_extra=extra, codebook_limit=0)
            made = codebooks(prior, header, 0)

            def encode(made: Codebooks = made):
                ranked = made.rank(1, residual)
                choice = ranked.take(ranked.matched(RATIO))
                choice.noise()
                return choice

            atoms = encode().atoms()
            steps = {"encode": encode, "decode": lambda made=made, atoms=atoms: made.noise(1, atoms)}
            for side, work in steps.items():
                best = min(clock.seconds(work) for _ in range(REPETITIONS))
                times[f"{side}, 2^{log2_size_for(dimension, extra)} atoms, codebooks by {kind}"] = best
    return times


# Models


@dataclass(frozen=True)
class Coded:
    """A coded clip. shown: its pictures as the encoder saw them. steps: number of network steps."""

    extradata: bytes
    packets: list[Packet]
    shown: list[Picture]
    steps: int


class Subject:
    """A model under test.

    spec: FAMILY/VARIANT for random weights, or a prior as in `gvc encode --prior`.
    """

    def __init__(self, spec: str, options: ModelOptions, video: VideoFormat, pictures: list[Picture], stages: "Stages"):
        self.prior, self.video, self.pictures, self.stages = _opened(spec, options), video, pictures, stages

    def encode(self, quality: float, prior: Prior | None = None) -> Coded:
        """Encode the clip as one GOP. prior: stand-in for the prior, default none."""
        shown, steps = [], []
        options = {"mode": self.prior.modes[0], "gop": len(self.pictures), "quality": quality, "scenecut": 0}
        opener, on_step = lambda *_: prior or self.prior, lambda step, *_: steps.append(step)
        coder = Encoder(self.video, options, shown.extend, opener, on_step)
        packets = [packet for picture in [*self.pictures, None] for packet in coder.encode(picture)]
        return Coded(coder.extradata, packets, shown, len(steps))

    def decode(self, coded: Coded, prior: Prior | None = None) -> list[Picture]:
        decoder = Decoder(coded.extradata, {"prior": self.prior.name}, lambda *_: prior or self.prior)
        return [picture for packet in coded.packets for picture in decoder.decode(packet)]

    def measured(self, work: Callable[[Prior], object]) -> dict:
        """Return times and memory of a side; it runs once undisturbed and once with all stages timed."""
        clock = self.stages.clock
        if clock.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(clock.device)
        seconds = clock.seconds(lambda: work(self.prior))
        peak = peak_device_bytes(str(clock.device))
        with self.stages.watched() as stages:
            work(watch_prior(self.prior, self.stages.stopwatch))
        total = sum(stage.seconds for stage in stages.values())
        network = sum(stage.network_seconds for stage in stages.values())
        atoms = stages["atoms"].seconds + stages["initial_noise"].seconds
        return {
            "seconds": seconds,
            "watched_seconds": total,
            "network_seconds": network,
            "atoms_seconds": atoms,
            "over_network": total / network - 1,
            "atoms_over_network": atoms / network,
            "peak_device_bytes": peak,
            "stages": {name: vars(stage) for name, stage in stages.items() if stage.calls},
        }


class Stages:
    """Times of the codec's stages, with the device's work. Nothing is measured and nothing waits outside `watched`."""

    def __init__(self, clock: Clock):
        self.clock, self._on = clock, False
        self.stopwatch = Stopwatch(tuple(STAGES), lambda: self._on and clock.synchronise())
        watch_networks(self.stopwatch)

    @contextmanager
    def watched(self) -> Iterator[dict[str, Stage]]:
        """Time the stages inside the block; yields their times, by name."""
        self._on = True
        self.stopwatch.reset()
        try:
            with listening(self.stopwatch.stage), self.stopwatch.stage("rest"):
                yield self.stopwatch.results
        finally:
            self._on = False


def _opened(spec: str, options: ModelOptions) -> Prior:
    if "/" not in spec or ":" in spec:
        return open_prior(spec, options)
    return TypicalPrior(open_untrained(spec, options))


def difference(pictures: list[Picture], others: list[Picture]) -> dict:
    """Return the largest difference of two videos' samples, and the PSNR of luma in dB (None if they are equal)."""
    pairs = [(a.planes, b.planes) for a, b in zip(pictures, others, strict=True)]
    largest = max(int(np.abs(a.astype(int) - b).max()) for pair in pairs for a, b in zip(*pair, strict=True))
    error = float(np.mean([np.mean((a[0].astype(float) - b[0]) ** 2) for a, b in pairs]))
    return {"largest": largest, "psnr_y": 10 * math.log10(255**2 / error) if error else None}


def measure(subject: Subject, quality: float) -> dict:
    """Return all figures of a model."""
    clock, result = subject.stages.clock, {}
    subject.encode(0)  # The first calls of an accelerator take longer.
    coded = subject.encode(quality)
    decoded = subject.decode(coded)
    result["steps"], result["bytes"] = coded.steps, sum(len(packet.data) for packet in coded.packets)
    result["drift"] = difference(decoded, coded.shown)
    for kind, codebooks in KINDS.items():
        if clock.over:
            return result | {"left_out": "codebooks by the CPU, float32" if kind == "CPU" else "all times"}
        with patch.object(noise, "codebooks_for", codebooks):
            result[kind] = {
                "encode": subject.measured(lambda prior: subject.encode(quality, prior)),
                "decode": subject.measured(lambda prior: subject.decode(coded, prior)),
                "same_pictures": difference(subject.decode(coded), decoded)["largest"] == 0,
            }
    target = getattr(subject.prior, "target", subject.prior)
    if clock.over or getattr(target, "dtype", torch.float32) == torch.float32:
        return result
    target.network.float()
    target.dtype = torch.float32
    return result | {"drift_float32": difference(subject.decode(coded), coded.shown)}


def lines(model: str, result: dict) -> Iterator[str]:
    """Yield the lines of a model's figures."""
    yield f"{model}: {result['steps']} steps, {result['bytes']} bytes"
    for name, drift in result.items():
        if name.startswith("drift"):
            psnr = "equal" if drift["psnr_y"] is None else f"{drift['psnr_y']:.1f} dB, largest {drift['largest']}"
            yield f"  {name.replace('_', ' in ')}: {psnr}"
    for kind in filter(result.__contains__, KINDS):
        for side in ("encode", "decode"):
            costs = result[kind][side]
            peak = costs["peak_device_bytes"]
            yield (
                f"  {side}, codebooks by {kind}: {costs['seconds']:.2f} s a GOP, "
                f"network {costs['network_seconds']:.2f} s; in % of the network: "
                f"all else {100 * costs['over_network']:.1f}, atoms {100 * costs['atoms_over_network']:.1f}; "
                f"peak {'unknown' if peak is None else f'{peak / 2**30:.1f} GiB'}"
            )
        yield f"  same pictures with codebooks by {kind}: {'yes' if result[kind]['same_pictures'] else 'NO'}"
    if "left_out" in result:
        yield f"  left out for lack of time: {result['left_out']}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="torch device; default: cuda")
    parser.add_argument(
        "--models", nargs="*", default=MODELS, help="priors, or names of the catalogue for random weights"
    )
    parser.add_argument("--size", default="832x480", help="WIDTHxHEIGHT; default: 832x480")
    parser.add_argument("--frames", type=int, default=33, help="pictures in the GOP; default: 33")
    parser.add_argument("--quality", type=float, default=30, help="quality of encoding; default: 30")
    parser.add_argument("--log2", type=int, default=20, help="log2 of the largest codebook to compare; default: 20")
    parser.add_argument("--seconds", type=float, default=480, help="after this nothing new is begun; default: 480")
    parser.add_argument("--output", type=Path, help="file for all figures as JSON; default: none")
    return parser.parse_args()


def _atoms(arguments: argparse.Namespace, clock: Clock, size: tuple[int, int]) -> dict:
    """Compare and time codebooks without any model; print and return the figures."""
    exact, unequal = is_exact(clock.device), unequal_sizes(clock.device, arguments.log2)
    print(f"{clock.device}, torch {torch.__version__}; noise exact in the trial: {'yes' if exact else 'NO'}")
    print(f"codebooks of up to 2^{arguments.log2} atoms that are unequal: {', '.join(unequal) or 'none'}")
    blocks, dimension = (arguments.frames - 1) // 4 + 1, 16 * (size[1] // 8) * (size[0] // 8)
    times = step_times(clock, blocks, dimension)
    for name, seconds in times.items():
        print(f"a step of {blocks} blocks of {dimension} values, {name}: {1e3 * seconds:.2f} ms", flush=True)
    return {"exact": exact, "unequal": unequal, "step_seconds": times}


def main() -> None:
    arguments = _arguments()
    clock = Clock(torch.device(arguments.device), time.monotonic() + arguments.seconds)
    width, height = map(int, arguments.size.split("x"))
    report = {"device": arguments.device, "torch": torch.__version__}
    report |= {"atoms": _atoms(arguments, clock, (width, height)), "models": {}}
    stages, clip = Stages(clock), synthetic_clip(arguments.frames, width, height)
    for model in arguments.models:
        if clock.over:
            print(f"{model}: left out for lack of time", flush=True)
            continue
        try:
            subject = Subject(model, ModelOptions(device=arguments.device), *clip, stages)
        except GvcError as error:
            print(f"{model}: {error}", flush=True)
            continue
        report["models"][model] = measure(subject, arguments.quality)
        print("\n".join(lines(model, report["models"][model])), flush=True)
        del subject  # Its memory is for the next one.
    if arguments.output:
        arguments.output.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
