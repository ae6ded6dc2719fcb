# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What lies in the cache of the hub's client on this machine. Nothing here uses the network."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..extras import import_extra
from . import NotInstalledError
from .catalogue.model import Model

CONFIG = "config.json"  # configuration of a network
SHARDS = "*.safetensors.index.json"  # list of the files that hold the weights of a large network


@dataclass(frozen=True)
class Cached:
    """A model in the cache.

    folder: its files.
    size: bytes of all files that the cache has of it.
    lacks: folders of it that decoding needs and that are not complete.
    lacks_text: the same of folders that only a new prompt needs.
    """

    folder: Path
    size: int
    lacks: tuple[str, ...]
    lacks_text: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing has to be fetched."""
        return not self.lacks and not self.lacks_text


def cached_repositories() -> dict[str, tuple[Path, int]]:
    """Return the models of the cache: hub id -> (folder of the revision in use, bytes). Raises NotInstalledError."""
    hub = import_extra("huggingface_hub", "models", "looking into the hub's cache", NotInstalledError)
    try:
        repositories = hub.scan_cache_dir().repos
    except hub.CacheNotFound:
        return {}
    found = {}
    for repository in repositories:
        used = [revision for revision in repository.revisions if "main" in revision.refs]
        if repository.repo_type == "model" and used:
            found[repository.repo_id] = (used[0].snapshot_path, repository.size_on_disk)
    return found


def cached(model: Model, repositories: dict[str, tuple[Path, int]]) -> Cached | None:
    """Return what the cache has of a model; None if it has nothing. repositories: those of the cache."""
    if model.hub_id not in repositories:
        return None
    folder, size = repositories[model.hub_id]
    lacks, lacks_text = (tuple(_incomplete(folder, parts)) for parts in (model.parts, model.text_parts))
    index = () if (folder / "model_index.json").is_file() else ("model_index.json",)
    return Cached(folder, size, index + lacks, lacks_text)


def _incomplete(folder: Path, parts: tuple[str, ...]) -> Iterator[str]:
    """Yield the parts of a model that are not whole. Tokenizers and the like have no config.json and no weights."""
    for part in parts:
        names = {path.name for path in (folder / part).glob("*") if path.is_file()}
        is_network = any(name == CONFIG or ".safetensors" in name for name in names)
        if not names or (is_network and not _has_weights(folder / part, names)):
            yield part


def _has_weights(folder: Path, names: set[str]) -> bool:
    """Return whether the configuration of a network and all files of its weights are among the names in its folder."""
    wanted = {name for name in names if name.endswith(".safetensors")}
    for index in folder.glob(SHARDS):
        try:
            wanted |= set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        except (OSError, ValueError, KeyError, AttributeError):
            return False
    return bool(wanted) and wanted | {CONFIG} <= names
