"""The generative models that GVC can code with.

An encoder names a prior by option (`gp`, `wan:FOLDER`); a stream names it by `Prior.name` and a hash of its weights.
"""

from ..bitstream import SequenceHeader
from ..errors import PriorError
from .base import DEFAULT_OPTIONS, ModelOptions, Prior


def open_prior(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> Prior:
    """Open the prior that an option names: `gp`, or `wan:FOLDER`. Raises PriorError."""
    kind, _, place = spec.partition(":")
    if kind == "gp" and not place:
        from .gp import GpPrior

        return GpPrior()
    if kind == "wan" and place:
        from .wan import WanPrior

        return WanPrior(place, device=options.device)
    raise PriorError(f"prior {spec!r} is unknown; valid: gp, wan:FOLDER")


def prior_for(header: SequenceHeader, spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> Prior:
    """Open the prior that a stream was made with. `spec`: where it lies, needed for priors with weights.

    Raises PriorError when it is another one than the stream names.
    """
    if not spec and header.prior.startswith("wan/"):
        raise PriorError(f"this stream was made with {header.prior}; give its weights with prior=wan:FOLDER")
    prior = open_prior(spec or header.prior.partition("/")[0], options)
    if prior.name != header.prior:
        raise PriorError(
            f"this stream was made with prior {header.prior} and {prior.name} was given; give the right one"
        )
    if prior.weights_hash != header.weights_hash:
        raise PriorError(
            f"this stream was made with other weights of {prior.name} (hash {header.weights_hash.hex()}, "
            f"found {prior.weights_hash.hex()}); give the folder of those"
        )
    return prior
