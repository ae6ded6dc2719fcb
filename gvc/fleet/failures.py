# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Errors of workers, and how an error passes from a worker to its driver: as a name and a sentence, never pickled."""

from ..errors import (
    BitstreamError,
    EngineError,
    GvcError,
    MediaError,
    MismatchError,
    OptionError,
    PriorError,
    RateError,
    sentence,
)


class WorkerLostError(EngineError):
    """A worker that has ended, or whose answers are no answers; what it worked on can be tried again."""


class TaskError(EngineError):
    """An error in a worker that GVC has no class for."""


_NAMED = {kind.__name__: kind for kind in (OptionError, PriorError, RateError, MediaError, MismatchError, EngineError)}
_NAMED[BitstreamError.__name__] = MediaError  # Its text has the offset already.


def described(error: BaseException) -> dict[str, str]:
    """Return an error as JSON has it: the name of its class and its sentence."""
    kinds = (kind.__name__ for kind in type(error).__mro__)
    name = next((kind for kind in kinds if kind in _NAMED), TaskError.__name__)
    return {"kind": name, "text": sentence(error)}


def rebuilt(description: dict[str, str]) -> GvcError:
    """Return the error that `described` has described; a TaskError for a name that is unknown."""
    return _NAMED.get(str(description.get("kind")), TaskError)(str(description.get("text")))


def is_final(error: BaseException) -> bool:
    """Return whether each worker would fail in the same way with each task, so that trying on is pointless."""
    return isinstance(error, (OptionError, PriorError))


def is_certain(error: BaseException) -> bool:
    """Return whether the same task would fail in the same way again."""
    return is_final(error) or isinstance(error, (RateError, MismatchError))
