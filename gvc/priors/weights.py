# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The identity of models: what a stream says of the weights that it was made with, and what caches go by."""

import hashlib
import json
import re
from pathlib import Path

from ..errors import PriorError
from ..machine.cache import cache_file, keep_note, read_note

SMALL = 1 << 20  # bytes; digests of smaller files are not worth keeping
SHA256 = re.compile("[0-9a-f]{64}")
CONFIGS = ("config.json", "preprocessor_config.json", "processor_config.json")


def weights_hash(folder: Path, components: tuple[str, ...], quantize: str = "none") -> bytes:
    """Return the 8 bytes that a stream carries to tell a model's weights from others.

    folder: of the model. components: the subfolders that decide what a stream decodes to.
    quantize: how the weights are quantised while loading, which makes other ones of them.

    It is the start of a SHA-256 over, for each component in this order, the canonical text of its configuration and
    the SHA-256 of each of its *.safetensors in the order of their names. Raises PriorError.
    """
    digest = hashlib.sha256()
    for part in components:
        for name in CONFIGS:
            if (folder / part / name).is_file():
                digest.update(canonical_json(folder / part / name))
        for path in sorted((folder / part).glob("*.safetensors")):
            digest.update(file_digest(path))
    if quantize != "none":
        digest.update(quantize.encode())
    return digest.digest()[:8]


def canonical_json(path: Path) -> bytes:
    """Return a configuration in one spelling, without the keys that only tell how it was made ("_...").

    Raises PriorError.
    """
    try:
        config = json.loads(path.read_text("utf-8"))
        config = {key: value for key, value in config.items() if not key.startswith("_")}
    except (OSError, ValueError, AttributeError) as error:
        raise PriorError(f"{path} is no configuration ({error}); fetch the model again") from error
    return json.dumps(config, sort_keys=True, separators=(",", ":")).encode()


def folder_digest(folder: Path, components: tuple[str, ...]) -> str:
    """Return the SHA-256, in hexadecimal, over all files of components, by their names. Raises PriorError."""
    digest = hashlib.sha256()
    for part in components:
        for path in sorted(p for p in (folder / part).glob("*") if p.is_file()):
            digest.update(f"{part}/{path.name}\0".encode() + file_digest(path))
    return digest.hexdigest()


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file. That of a large file is kept, and holds as long as its size and time don't change.

    Raises PriorError.
    """
    try:
        path = path.resolve(strict=True)
        status = path.stat()
        if status.st_size < SMALL:
            return hashlib.sha256(path.read_bytes()).digest()
        label = {"path": str(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
        note = cache_file("digests", hashlib.sha256(str(path).encode()).hexdigest() + ".json")
        known = read_note(note, label)
        if not (isinstance(known, str) and SHA256.fullmatch(known)):
            with path.open("rb") as file:
                known = hashlib.file_digest(file, "sha256").hexdigest()
            keep_note(note, label, known)
        return bytes.fromhex(known)
    except OSError as error:
        raise PriorError(f"cannot read {path} ({error.strerror}); fetch the model again") from error
