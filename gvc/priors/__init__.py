# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The generative models that GVC can code with.

An encoder names a prior by option (`gp`, `neural`, `wan:FOLDER-OR-HUB-ID`); a stream names it by `Prior.name` and a
hash of its weights. What a stream says chooses among the bundled priors or is compared with the prior that the option
names; it is never a place.
"""

from collections.abc import Callable, Iterable
from importlib import import_module

from ..bitstream import SequenceHeader
from ..errors import PriorError
from ..prior import DEFAULT_OPTIONS, ModelOptions, Prior
from .model_path import check_place

Opener = Callable[[str, ModelOptions], Prior]  # open_prior, or another way to what it gives
BUNDLED = ("gp", "neural")
FAMILIES = {"wan": "WanPrior", "ltx": "LtxPrior"}  # module here: class; each has weights, which lie somewhere


def open_prior(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> Prior:
    """Open a prior: one of BUNDLED, such a one with a version (gp/3), FAMILY:FOLDER, or FAMILY:HUB-ID.

    Raises PriorError. Older versions of a prior can only decode.
    """
    kind, _, place = spec.partition(":")
    if spec.partition("/")[0] in BUNDLED:
        return _open_bundled(spec, options)
    if kind not in FAMILIES or not place:
        known = ", ".join([*BUNDLED, *(f"{family}:FOLDER-OR-HUB-ID" for family in FAMILIES)])
        raise PriorError(f"prior {spec!r} is unknown; valid: {known}")
    check_place(place)  # before anything large is imported
    try:
        family = getattr(import_module(f".{kind}", __name__), FAMILIES[kind])
    except ImportError as error:
        raise PriorError(
            f"the prior {kind} needs torch, diffusers and transformers ({error}); pip install them"
        ) from error
    return family.from_pretrained(place, options)


def _open_bundled(spec: str, options: ModelOptions) -> Prior:
    kind, _, version = spec.partition("/")
    if kind == "gp":
        from .gp import VERSIONS, GpPrior

        return GpPrior(_version(spec, version, VERSIONS))
    from .neural import VERSIONS, NeuralPrior

    return NeuralPrior.bundled(options, _version(spec, version, VERSIONS))


def _version(spec: str, version: str, known: Iterable[int]) -> int:
    """Return the number of a version, the latest where none is named. Raises PriorError."""
    numbers = {str(number): number for number in sorted(known)}
    latest = [*numbers][-1]
    if (version or latest) not in numbers:
        raise PriorError(f"prior {spec!r} is unknown; the latest version known here is {latest}, so update GVC")
    return numbers[version or latest]


def prior_for(
    header: SequenceHeader, spec: str, options: ModelOptions = DEFAULT_OPTIONS, opener: Opener | None = None
) -> Prior:
    """Open the prior that a stream was made with.

    spec: where it lies, needed where its weights are not bundled; `auto` is whichever the stream names.
    opener: way to get the prior, default `open_prior`.
    Raises PriorError when it is another one than the stream names.
    """
    kind = header.prior.partition("/")[0]
    if kind in BUNDLED and spec in ("", "auto", kind):
        spec = header.prior
    elif spec in ("", "auto"):
        known = f"give its weights with prior={kind}:FOLDER" if kind in FAMILIES else "update GVC, which lacks it"
        raise PriorError(f"this stream was made with the prior {header.prior}; {known}")
    prior = (opener or open_prior)(spec, options)
    if prior.name != header.prior:
        raise PriorError(
            f"this stream was made with prior {header.prior} and {prior.name} was given; give the right one"
        )
    if prior.weights_hash != header.weights_hash:
        raise PriorError(
            f"this stream was made with other weights of {prior.name} (hash {header.weights_hash.hex()}, "
            f"found {prior.weights_hash.hex()}); give the folder of those, and quantize as the encoder did"
        )
    return prior
