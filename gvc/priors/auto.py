# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The choice of a prior for the option `prior=auto`.

The same command must write the same file, however busy the machine is. So the time that the network takes is measured
only once for each machine and class of picture sizes, as processor time, and kept in the cache folder.
"""

import hashlib
import json
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from ..errors import PriorError
from ..machine.cache import cache_file, keep_note, read_note
from ..machine.processors import processors
from ..media import VideoFormat
from ..prior import ModelOptions, Prior
from . import BUNDLED, NotInstalledError, Opener, prior_module

PLAYING_SHARE = 0.5  # largest share of a picture's display time for the network; the rest of decoding needs time too
NOMINAL_RATE = 25  # pictures a second of a video without a frame rate
SIDES = (64, 128, 256, 512, 1024)  # sides of the square pictures that are measured; other sizes are scaled by area
NAMES_OF_PROCESSORS = ("model name", "CPU implementer", "CPU part")  # fields of /proc/cpuinfo; the last two are Arm's

# Measured seconds by cache file. They are also kept in memory, so that one process always decides alike, even where no
# file can be written.
_measured: dict[Path, float] = {}


@dataclass(frozen=True)
class Chosen:
    """An opened prior. reason: sentence on why it was chosen; "" if the option named the prior itself."""

    prior: Prior
    reason: str = ""


def open_chosen(spec: str, video_format: VideoFormat, options: ModelOptions, opener: Opener) -> Chosen:
    """Open the prior for an encoder.

    spec: prior as for `gvc.priors.open_prior`, or `auto`: neural if its packages are installed and this machine can
        play the video with it in real time, and gp if not.
    Raises PriorError, also for a version of a bundled prior (gp/3), which can only decode.
    """
    kind, _, version = spec.partition("/")
    if kind in BUNDLED and version:
        raise PriorError(f"prior {spec!r} is only for decoding; valid: {kind}")
    if spec != "auto":
        return Chosen(opener(spec, options))
    samples = video_format.width * video_format.height
    side = next((side for side in SIDES if side * side >= samples), SIDES[-1])
    try:
        label = _label(side, options)
    except NotInstalledError as error:
        return Chosen(opener("gp", options), f"prior gp: {error}")
    path = cache_file("speed", hashlib.sha256(json.dumps(label).encode()).hexdigest() + ".json")
    seconds, network = _kept(path, label), None
    if seconds is None:
        network = opener("neural", options)
        seconds = _keep(path, label, network.seconds(side))
    seconds *= samples / side**2
    allowed = PLAYING_SHARE / float(video_format.frame_rate or NOMINAL_RATE)
    name = "neural" if seconds <= allowed else "gp"
    prior = network if network and name == "neural" else opener(name, options)
    kept = f"kept in {path}" if path.is_file() else f"which cannot be kept in {path.parent}"
    return Chosen(
        prior,
        f"prior {name}: for each picture the network of neural takes {1000 * seconds:.3g} ms on this machine and may "
        f"take {1000 * allowed:.3g} ms ({kept})",
    )


def kept_speeds() -> Iterator[tuple[dict, float]]:
    """Yield the measurements of this machine: (label, seconds for a square picture with the side label["side"])."""
    for path in sorted(cache_file("speed", "").glob("*.json")):
        try:
            label = json.loads(path.read_bytes())["label"]
            here = label["machine"] == _machine() and label["processors"] == processors()
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if here and (seconds := _kept(path, label)) is not None:
            yield label, seconds


def _label(side: int, options: ModelOptions) -> dict:
    """Return everything that the network's time depends on.

    Raises NotInstalledError, and PriorError if the device cannot be used.
    """
    versions = prior_module("neural").VERSIONS
    import torch

    from .device import accelerator_name, check_options

    check_options(options)
    return {
        "machine": _machine(),
        "processors": processors(),
        "threads": torch.get_num_threads(),
        "torch": str(torch.__version__),
        "prior": f"neural/{max(versions)}",
        "device": options.device,
        "accelerator": accelerator_name(options),
        "dtype": options.dtype,
        "side": side,
    }


def _machine() -> str:
    """Return the model of the processors, since machines of different kinds may share a cache folder."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    facts = [line.partition(":")[::2] for line in lines]
    names = [next((value.strip() for fact, value in facts if fact.strip() == name), "") for name in NAMES_OF_PROCESSORS]
    return " ".join(filter(None, (platform.machine(), *names)))


def _kept(path: Path, label: dict) -> float | None:
    """Return the seconds that were measured before for a label; None if there are none."""
    if path not in _measured:
        seconds = read_note(path, label)
        if not (isinstance(seconds, float) and isfinite(seconds) and seconds > 0):
            return None
        _measured[path] = seconds
    return _measured[path]


def _keep(path: Path, label: dict, seconds: float) -> float:
    """Store a measurement, unless another process stored one first; return the stored value."""
    if (theirs := _kept(path, label)) is not None:
        return theirs
    keep_note(path, label, seconds)
    _measured[path] = seconds
    return seconds
