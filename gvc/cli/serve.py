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
from ..priors.model_path import rooted
from ..priors.pool import PriorPool


def serve(preload: list[str], options: dict[str, object], idle: float, clients: int) -> None:
    """Serve until told to stop or idle for long, then end the process. Raises EngineError, PriorError."""
    address = Address()
    from .. import decoder, encoder  # noqa: F401 - for all clients

    open_prior("gp")
    specs = [rooted(spec, Path.cwd()) for spec in preload]
    os.fchdir(address.folder)  # a client's relative path must find nothing by accident
    pool = PriorPool(log)
    for spec in specs:
        pool.keep(spec, ModelOptions.of(parse_options(MODEL_OPTIONS, options)))
    server = Server(address, pool, idle, clients)
    server.stop_at_signals()
    server.run()
    sys.stderr.flush()
    os._exit(0)  # nothing is left to save, and unloading a model takes a while
