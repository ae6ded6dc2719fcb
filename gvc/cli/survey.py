# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What the models of the catalogue need, what this machine has, and which of them lie in the hub's cache."""

from dataclasses import dataclass

from ..extras import import_extra, packages
from ..machine.memory import main_memory
from ..prior import ModelOptions
from ..priors import NotInstalledError
from ..priors.catalogue import MODELS, Model
from ..priors.hub_cache import Cached, cached, cached_repositories
from ..priors.memory import Machine, fitting
from .version import package_version

ADVICE = "run pip install 'gvc[models]'"


@dataclass(frozen=True)
class Entry:
    """A model on this machine.

    settings: best options with which it fits; None if it does not fit.
    cached: what the cache has of it; None for nothing, or if that is unknown.
    """

    model: Model
    settings: ModelOptions | None
    cached: Cached | None


@dataclass(frozen=True)
class Survey:
    """All models on this machine.

    machine: the machine, with the accelerator that has the most memory.
    accelerator: name of that accelerator; "" without one.
    missing: sentences about what is not installed and so cannot be used or told.
    entries: the models.
    """

    machine: Machine
    accelerator: str
    missing: tuple[str, ...]
    entries: tuple[Entry, ...]


def survey() -> Survey:
    """Look at this machine and its cache, without network."""
    missing, repositories = [], {}
    wanted = packages("models") if package_version("gvc") else ()  # Where GVC is not installed, nothing says them.
    absent = [name for name in wanted if package_version(name) is None]
    if absent:
        missing.append(f"models of other publishers need the extra models, which lacks {', '.join(absent)}; {ADVICE}")
    try:
        repositories = cached_repositories()
    except NotInstalledError as error:
        missing.append(str(error))
    main, device, name, size = main_memory(), "", "", 0
    try:
        found = import_extra(
            "gvc.priors.device", "models", "looking for accelerators", NotInstalledError
        ).accelerators()
        device, name, size = max(found, key=lambda accelerator: accelerator[2], default=("", "", 0))
    except NotInstalledError as error:
        missing.append(str(error))
    machine = Machine(main, device, size)
    entries = (Entry(model, fitting(model, machine), cached(model, repositories)) for model in MODELS)
    return Survey(machine, name, tuple(missing), tuple(entries))
