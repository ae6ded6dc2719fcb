"""The generative models that GVC can code with.

An encoder names a prior by option (`gp`, `neural`, `wan:FOLDER-OR-HUB-ID`); a stream names it by `Prior.name` and a
hash of its weights.
"""

from collections.abc import Callable
from importlib import import_module

from ..bitstream import SequenceHeader
from ..errors import PriorError
from .base import DEFAULT_OPTIONS, ModelOptions, Prior
from .place import check_place

Opener = Callable[[str, ModelOptions], Prior]  # open_prior, or another way to what it gives
BUNDLED = ("gp", "neural")
FAMILIES = {"wan": "WanPrior", "ltx": "LtxPrior"}  # module here: class; each has weights, which lie somewhere


def open_prior(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> Prior:
    """Open the prior that an option names: one of BUNDLED, FAMILY:FOLDER, or FAMILY:HUB-ID. Raises PriorError."""
    kind, _, place = spec.partition(":")
    if spec == "gp":
        from .gp import GpPrior

        return GpPrior()
    if spec == "neural":
        from .neural import NeuralPrior

        return NeuralPrior.bundled(options)
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


def prior_for(
    header: SequenceHeader, spec: str, options: ModelOptions = DEFAULT_OPTIONS, opener: Opener | None = None
) -> Prior:
    """Open the prior that a stream was made with.

    spec: where it lies, needed where its weights are not bundled; `auto` is whichever the stream names.
    opener: gives the prior; or else open_prior.
    Raises PriorError when it is another one than the stream names.
    """
    kind, spec = header.prior.partition("/")[0], "" if spec == "auto" else spec
    if not spec and kind in FAMILIES:
        raise PriorError(f"this stream was made with {header.prior}; give its weights with prior={kind}:FOLDER")
    if kind in BUNDLED and spec in ("", kind) and (older := _older(header.prior, options)):
        prior = older
    else:
        prior = (opener or open_prior)(spec or kind, options)
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


def _older(name: str, options: ModelOptions) -> Prior | None:
    """Return a bundled prior as it was when a stream was made, or None if it still is that one, or none."""
    kind, _, number = name.partition("/")
    if kind == "gp":
        from .gp import VERSIONS, GpPrior

        return next((GpPrior(version) for version in VERSIONS[:-1] if str(version) == number), None)
    from .neural import VERSIONS, NeuralPrior

    older = (version for version in sorted(VERSIONS)[:-1] if str(version) == number)
    return next((NeuralPrior.bundled(options, version) for version in older), None)
