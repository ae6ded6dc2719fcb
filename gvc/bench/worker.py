# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m gvc.bench.worker JOB RESULT`: measure one side, in a process of its own so that its peak memory is known.

JOB is a file with a gvc.bench.job.Job in JSON. RESULT is written: a JSON object with the keys of docs/BENCH.md.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..machine.process import configure_process

configure_process()

from gvc_container.demux import Demuxer  # noqa: E402
from gvc_container.mux import Muxer  # noqa: E402

from ..bitstream import read_packet  # noqa: E402
from ..decoder import Decoder  # noqa: E402
from ..encoder import Encoder  # noqa: E402
from ..errors import exit_code, sentence  # noqa: E402
from ..machine.stages import listening  # noqa: E402
from ..media import Packet  # noqa: E402
from ..options import DECODER_OPTIONS, ENCODER_OPTIONS, parse_options  # noqa: E402
from ..prior import ModelOptions, Prior  # noqa: E402
from ..priors import open_prior, open_untrained, prior_for  # noqa: E402
from .job import Job  # noqa: E402
from .material import clip_of_file, synthetic_clip  # noqa: E402
from .memory import peak_device_bytes, peak_host_bytes  # noqa: E402
from .stopwatch import Stage, Stopwatch  # noqa: E402
from .untrained import TypicalPrior  # noqa: E402
from .watch import OF_THE_PRIOR, STAGES, watch_networks, watch_prior  # noqa: E402

CALLS = {"calls_per_gop": "velocity", "lowres_calls_per_gop": "lowres_velocity"}  # key of the result -> stage


def measure(job: Job) -> dict:
    """Measure one side and return its result as in docs/BENCH.md. Raises GvcError."""
    ready = time.monotonic()
    options = parse_options(ENCODER_OPTIONS if job.side == "encode" else DECODER_OPTIONS, job.options)
    prior = _open(job, options.prior, ModelOptions.of(options))
    loaded = time.monotonic()
    stopwatch = Stopwatch(tuple(STAGES), _synchroniser(options.device))
    if "torch" in sys.modules:
        watch_networks(stopwatch)
    code = (_encoding if job.side == "encode" else _decoding)(job, watch_prior(prior, stopwatch), stopwatch)
    with listening(stopwatch.stage):
        for _ in range(job.warmup):
            code()
        stopwatch.reset()
        identity = code()
    return identity | {
        "prior": prior.name,
        "startup_seconds": ready - job.started,
        "load_seconds": loaded - ready,
        "peak_rss_bytes": peak_host_bytes(),
        "peak_device_bytes": peak_device_bytes(options.device),
        **_costs(stopwatch.results, identity["gops"]),
    }


def _open(job: Job, spec: str, options: ModelOptions) -> Prior:
    if job.random:
        return TypicalPrior(open_untrained(job.random, options))
    if job.side == "encode":
        return open_prior(spec, options)
    with Demuxer(job.packets) as demuxer:
        return prior_for(demuxer.sequence, spec, options)


def _synchroniser(device: str) -> Callable[[], None]:
    """Return a function that waits until the accelerator is idle; for the CPU it does nothing."""
    if device == "cpu" or "torch" not in sys.modules:
        return lambda: None
    return partial(sys.modules["torch"].accelerator.synchronize, device)


def _encoding(job: Job, prior: Prior, stopwatch: Stopwatch) -> Callable[[], dict]:
    """Return a function that encodes the clip to the file job.packets and returns facts about the result."""
    default = parse_options(ENCODER_OPTIONS, {}).mode
    mode = job.options.get("mode") or (default if default in prior.modes else prior.modes[0])
    count = job.pictures(mode)
    video, pictures = clip_of_file(job.source, count, job.size) if job.source else synthetic_clip(count, *job.size)
    options = _options(job, prior) | {"mode": mode, "gop": job.frames, "keyint": len(pictures), "scenecut": 0}

    def code() -> dict:
        coder, packets = Encoder(video, options, opener=lambda *_: prior), []
        for picture in [*pictures, None]:
            with stopwatch.stage("rest"):
                packets += coder.encode(picture)
        with Muxer(job.packets, coder.extradata, video) as muxer:
            for packet in packets:
                muxer.write(packet)
        header = {"mode": mode, "transition": coder.header.transition, "width": video.width, "height": video.height}
        return header | _contents(packets)

    return code


def _decoding(job: Job, prior: Prior, stopwatch: Stopwatch) -> Callable[[], dict]:
    """Return a function that decodes the file job.packets and returns facts about it."""
    with Demuxer(job.packets) as demuxer:
        header, packets = demuxer.header, list(demuxer.packets())
    options = _options(job, prior) | {"prior": prior.name}  # A decoder asks for a prior that is not bundled.

    def code() -> dict:
        coder, count = Decoder(header, options, opener=lambda *_: prior), 0
        for packet in [*packets, None]:
            with stopwatch.stage("rest"):
                count += len(coder.decode(packet))
        return _contents(packets) | {"pictures": count}

    return code


def _options(job: Job, prior: Prior) -> dict[str, object]:
    """Return the options of the job; a prior that may work in several threads gets one, where its stages are heard."""
    return job.options | ({"threads": 1} if prior.concurrent else {})


def _contents(packets: list[Packet]) -> dict:
    units = [read_packet(packet.data) for packet in packets]
    return {
        "gops": sum(unit is not None for unit in units),
        "pictures": len(packets),
        "bytes": sum(len(packet.data) for packet in packets),
    }


def _costs(stages: dict[str, Stage], gops: int) -> dict:
    """Return the times of one pass. If no torch module was called, the prior's own work counts as the network."""
    modules = any(stage.network_calls for stage in stages.values())
    if not modules:
        for name in OF_THE_PRIOR:
            stages[name].network_calls, stages[name].network_seconds = stages[name].calls, stages[name].seconds
    total = sum(stage.seconds for stage in stages.values())
    network = sum(stage.network_seconds for stage in stages.values())
    calls = {name: stages[stage].calls / gops for name, stage in CALLS.items()}
    return calls | {
        "network_is": "modules" if modules else "prior",
        "seconds_per_gop": total / gops,
        "network_seconds_per_gop": network / gops,
        "other_seconds_per_gop": (total - network) / gops,
        "network_share": network / total,
        "over_network": total / network - 1 if network else None,
        "stages": {name: vars(stage) for name, stage in stages.items()},
    }


def main(job: str, result: str) -> None:
    try:
        costs = measure(Job.from_json(Path(job).read_text()))
        Path(result).write_text(json.dumps(costs))
    except (Exception, KeyboardInterrupt) as error:
        print(f"gvc: {sentence(error)}", file=sys.stderr)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
