# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc serve`: the warm engine."""

import os
import sys
from pathlib import Path

from ..engine.address import Address
from ..engine.server import Server, log
from ..options import MODEL_OPTIONS, parse_options
from ..prior import ModelOptions
from ..priors import open_prior
from ..priors.lora_files import rooted_loras
from ..priors.model_path import rooted
from ..priors.pool import PriorPool


def serve(preload: list[str], options: dict[str, object], idle: float, clients: int) -> None:
    """Serve clients until a signal or until there has been none for some time, then end the process.

    preload: priors to load at once and keep.
    options: values by name for MODEL_OPTIONS, for the preloaded priors.
    idle: seconds without clients after which the engine ends; 0 = never.
    clients: largest number of clients at a time.

    Raises EngineError and PriorError.
    """
    address = Address()
    from .. import decoder, encoder  # noqa: F401  Loaded once, before the first client comes

    open_prior("gp")
    specs = [rooted(spec, Path.cwd()) for spec in preload]
    options = {**options, "lora": rooted_loras(options.get("lora", ""), Path.cwd())}
    os.fchdir(address.folder)  # This folder holds no models, so a client's relative path finds none by accident
    pool = PriorPool(log)
    for spec in specs:
        pool.keep(spec, ModelOptions.of(parse_options(MODEL_OPTIONS, options)))
    server = Server(address, pool, idle, clients)
    server.stop_at_signals()
    server.run()
    sys.stderr.flush()
    os._exit(0)  # Nothing is left to save, and an ordinary exit would spend time on unloading the models
