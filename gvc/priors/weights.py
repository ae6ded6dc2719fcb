"""The identity of a model: what a stream says of the weights that it was made with."""

import hashlib
from pathlib import Path


def weights_hash(folder: Path, components: tuple[str, ...]) -> bytes:
    """Return the first 8 bytes of the SHA-256 over the weight files of a model's components, in order of their paths.

    components: the subfolders that decide what a stream decodes to.
    """
    digest = hashlib.sha256()
    for path in sorted(path for part in components for path in (folder / part).glob("*.safetensors")):
        with path.open("rb") as file:
            while chunk := file.read(1 << 24):
                digest.update(chunk)
    return digest.digest()[:8]
