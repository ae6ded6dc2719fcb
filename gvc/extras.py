# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What a plain `pip install gvc` leaves out: which packages each extra has, and what to say where one is missing."""

import re
from importlib import import_module
from itertools import chain
from types import ModuleType

from .errors import GvcError

EXTRAS = ("neural", "models", "metrics", "cluster")  # those of pyproject.toml that GVC imports something of
REQUIREMENT = re.compile(r"""([\w.-]+)(?:\[([^]]*)\])?[^;]*(?:;.*\bextra == ['"]([\w-]+)['"])?""")


def import_extra(module: str, extra: str, user: str, error: type[GvcError] = GvcError) -> ModuleType:
    """Import a module that comes with an extra, or that imports what comes with it.

    module: absolute name. user: who needs it, the subject of the message.
    Raises `error` with the command that installs the extra.
    """
    try:
        return import_module(module)
    except ImportError as cause:
        if (cause.name or "").partition(".")[0] in ("gvc", "gvc_container"):  # Installing an extra does not mend these
            raise
        raise error(f"{user} needs the extra {extra} ({cause}); run pip install 'gvc[{extra}]'") from cause


def packages(extra: str = "") -> list[str]:
    """Return the packages that an extra adds, by PyPI's names; without one, those that GVC always needs.

    Raises importlib.metadata.PackageNotFoundError where GVC runs without being installed.
    """
    from importlib.metadata import requires  # Not needed to play a file, and takes long to import

    found = []
    for requirement in requires("gvc") or ():
        name, of_others, own = REQUIREMENT.match(requirement).groups(default="")
        if own == extra:
            found += [name] if name != "gvc" else chain(*map(packages, of_others.split(",")))
    return list(dict.fromkeys(found))
