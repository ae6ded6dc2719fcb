# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Hashes of a model's files: they identify the weights in a stream, and the entries of caches."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import PriorError
from ..machine.cache import cache_file, keep_note, read_note
from .lora_files import Lora

SMALL = 1 << 20  # bytes; digests of smaller files are computed anew and not cached
SHA256 = re.compile("[0-9a-f]{64}")
CONFIGS = ("config.json", "preprocessor_config.json", "processor_config.json")


def weights_hash(
    folder: Path,
    components: tuple[str, ...],
    quantize: str = "none",
    settings: Mapping[str, float] | None = None,
    loras: Iterable[Lora] = (),
) -> bytes:
    """Return the 8 bytes in a stream that identify a model's weights. Raises PriorError.

    folder: folder of the model.
    components: subfolders that determine the decoded pictures.
    quantize: quantisation applied while loading, which changes the weights; default none.
    settings: values of the model's index that determine the decoded pictures too, by name; default none.
    loras: LoRAs that are added to the weights, default none.

    The result is the start of a SHA-256 over each component in this order: the canonical text of its configuration,
    then the SHA-256 of each of its *.safetensors, in the order of their names; and then over the canonical text of the
    settings, if there are any, the name of the quantisation, if there is one, and for each LoRA the SHA-256 of its file
    and the canonical text of its weight and network.
    """
    digest = hashlib.sha256()
    for part in components:
        for name in CONFIGS:
            if (folder / part / name).is_file():
                digest.update(canonical_json(folder / part / name))
        for path in sorted((folder / part).glob("*.safetensors")):
            digest.update(file_digest(path))
    if settings:
        digest.update(_canonical(settings))
    if quantize != "none":
        digest.update(quantize.encode())
    for lora in loras:
        digest.update(file_digest(lora.path) + _canonical({"network": lora.network, "weight": lora.weight}))
    return digest.digest()[:8]


def canonical_json(path: Path) -> bytes:
    """Return a configuration as canonical JSON, without the keys about its origin ("_..."). Raises PriorError."""
    try:
        config = json.loads(path.read_text("utf-8"))
        config = {key: value for key, value in config.items() if not key.startswith("_")}
    except (OSError, ValueError, AttributeError) as error:
        raise PriorError(f"{path} is no configuration ({error}); fetch the model again") from error
    return _canonical(config)


def _canonical(values: Mapping[str, object]) -> bytes:
    """Return values as JSON in ASCII, with keys sorted and without white space."""
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


def folder_digest(folder: Path, components: tuple[str, ...]) -> str:
    """Return the SHA-256, in hexadecimal, over the names and contents of all files of components. Raises PriorError."""
    digest = hashlib.sha256()
    for part in components:
        for path in sorted(p for p in (folder / part).glob("*") if p.is_file()):
            digest.update(f"{part}/{path.name}\0".encode() + file_digest(path))
    return digest.hexdigest()


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file. Raises PriorError.

    The digest of a large file is cached and reused as long as the file's size and modification time do not change.
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
