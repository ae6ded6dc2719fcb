# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The generative models that GVC can code with.

An encoder names a prior by option (`gp`, `neural`, `wan:FOLDER-OR-HUB-ID`); a stream names it by `Prior.name` and a
hash of its weights. The name in a stream selects a bundled prior or is compared with the prior that the option names.
It is never used as a path.
"""

from collections.abc import Callable, Iterable
from types import ModuleType

from ..bitstream import SequenceHeader
from ..errors import OptionError, PriorError
from ..extras import import_extra
from ..prior import DEFAULT_OPTIONS, ModelOptions, Prior
from .lora_files import check_loras
from .model_path import check_model_path, find_bundled

Opener = Callable[[str, ModelOptions], Prior]  # function with the signature of open_prior
BUNDLED = ("gp", "neural")
# Module of this package -> its class of priors, whose weights are separate files
FAMILIES = {
    "wan": "WanPrior",
    "ltx": "LtxPrior",
    "ltx2": "Ltx2Prior",
    "skyreels": "SkyReelsPrior",
    "kandinsky": "KandinskyPrior",
    "hunyuan": "HunyuanPrior",
    "sana": "SanaPrior",
}


class NotInstalledError(PriorError):
    """A prior whose packages are not installed."""


def has_memory(name: str) -> bool:
    """Return whether the GOPs of a prior may pass a memory (gvc.prior.Anchor) to the next ones of their chain.

    name: name of the prior in a stream. The models of FAMILIES pass none.
    """
    return name.partition("/")[0] not in FAMILIES


def prior_module(kind: str) -> ModuleType:
    """Import the module of a prior with a network: neural, or one of FAMILIES. Raises NotInstalledError."""
    extra = "models" if kind in FAMILIES else kind
    return import_extra(f"{__name__}.{kind}", extra, f"the prior {kind}", NotInstalledError)


def open_prior(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> Prior:
    """Open a prior. Raises PriorError.

    spec: a bundled prior (gp), a version of one (gp/3; older versions can only decode), FAMILY:FOLDER, FAMILY:HUB-ID,
        or FAMILY:NAME of a model that comes with GVC (wan:tiny).
    """
    kind, _, path = spec.partition(":")
    check_loras(options.lora)
    if spec.partition("/")[0] in BUNDLED:
        if options.lora:
            raise PriorError(f"the prior {spec} takes no LoRA; leave out lora")
        return _open_bundled(spec, options)
    if kind not in FAMILIES or not path:
        known = ", ".join([*BUNDLED, *(f"{family}:FOLDER-OR-HUB-ID" for family in FAMILIES)])
        raise PriorError(f"prior {spec!r} is unknown; valid: {known}")
    path = find_bundled(kind, path)
    check_model_path(path)  # Checked before large libraries are imported.
    family = getattr(prior_module(kind), FAMILIES[kind])
    if options.lora and not getattr(family, "takes_loras", False):
        raise PriorError(f"the prior {kind} takes no LoRA; leave out lora")
    return family.from_pretrained(path, options)


def open_untrained(name: str, options: ModelOptions = DEFAULT_OPTIONS) -> Prior:
    """Return a prior of a published model's size with random weights. Raises OptionError, PriorError.

    name: name of the model in the catalogue (gvc.priors.catalogue), which must know its shape.
    """
    from .catalogue import MODELS

    model = next((model for model in MODELS if model.name == name and model.shape), None)
    if model is None:
        known = ", ".join(model.name for model in MODELS if model.shape)
        raise OptionError(f"there is no model {name!r} with random weights; valid: {known}")
    if options.quantize != "none" or options.lora:
        raise PriorError("random weights cannot be quantised and take no LoRA; leave quantize=none and no lora")
    return getattr(prior_module(model.family), FAMILIES[model.family]).from_config(model, options)


def _open_bundled(spec: str, options: ModelOptions) -> Prior:
    kind, _, version = spec.partition("/")
    if kind == "gp":
        from .gp import VERSIONS, GpPrior

        return GpPrior(_version(spec, version, VERSIONS))
    neural = prior_module("neural")
    return neural.NeuralPrior.bundled(options, _version(spec, version, neural.VERSIONS))


def _version(spec: str, version: str, known: Iterable[int]) -> int:
    """Return `version` as a number, or the latest known version if it is empty. Raises PriorError."""
    numbers = {str(number): number for number in sorted(known)}
    latest = [*numbers][-1]
    if (version or latest) not in numbers:
        raise PriorError(f"prior {spec!r} is unknown; the latest version known here is {latest}, so update GVC")
    return numbers[version or latest]


def prior_for(
    header: SequenceHeader, spec: str, options: ModelOptions = DEFAULT_OPTIONS, opener: Opener | None = None
) -> Prior:
    """Open the prior that a stream was made with.

    header: the stream's sequence header, which names the prior.
    spec: prior as for `open_prior`. "" and `auto` = the prior that the stream names, which must then be bundled.
    opener: function that opens the prior, default `open_prior`.
    Raises PriorError if `spec` is not the prior that the stream names.
    """
    if spec in ("", "auto"):
        spec = _bundled_prior(header)
    elif spec in BUNDLED and spec == header.prior.partition("/")[0]:
        spec = header.prior
    prior = (opener or open_prior)(spec, options)
    if prior.name != header.prior:
        raise PriorError(
            f"this stream was made with the prior {header.prior}, but {prior.name} was given; give {header.prior}"
        )
    if prior.weights_hash != header.weights_hash:
        raise PriorError(
            f"this stream was made with other weights of {prior.name} (hash {header.weights_hash.hex()}, "
            f"found {prior.weights_hash.hex()}); give the right folder, and quantize and lora as the encoder did"
        )
    return prior


def _bundled_prior(header: SequenceHeader) -> str:
    """Return the value of the option `prior` for the bundled prior that a stream names. Raises PriorError."""
    kind = header.prior.partition("/")[0]
    if kind in BUNDLED:
        return header.prior
    from .catalogue import bundled, named

    if spec := bundled(header.prior, header.weights_hash):
        return spec
    advice = f"give its weights with prior={kind}:FOLDER" if kind in FAMILIES else "update GVC, which lacks it"
    advice += f" (gvc models {header.prior} says which may have made it)" if named(header.prior) else ""
    raise PriorError(f"this stream was made with the prior {header.prior}; {advice}")
