# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc models`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from ..errors import OptionError
from ..options import MODEL_OPTIONS
from ..prior import DEFAULT_OPTIONS, ModelOptions
from ..priors.catalogue import BUNDLED, MODELS, Bundled, Model, named
from ..priors.memory import Machine, need, number_format, settings
from ..terminal import visible
from .models_page import gibibytes, modes_of
from .survey import Entry, Survey, survey

PREFERRED = ("flf2v", "i2v", "t2v")  # the default mode, and the others in the order in which they stand in for it
ROW = "  {:<40}{:>12}{:>13}  {}"


@dataclass(frozen=True)
class Shown:
    """What is shown: the bundled models, the entries of others, and what is known of this machine."""

    bundled: list[Bundled]
    entries: list[Entry]
    found: Survey


def show_models(name: str, as_json: bool) -> None:
    """Print models that GVC knows, and what this machine can do with them.

    name: bundled model, or text as for gvc.priors.catalogue.named; "" = all models.
    as_json: whether to print one JSON object.
    Raises OptionError if no model is meant by the name.
    """
    bundled = [model for model in BUNDLED if name in ("", model.prior)]
    models = named(name) if name else MODELS
    if not bundled and not models:
        known = ", ".join([*(model.prior for model in BUNDLED), *(model.name for model in MODELS)])
        raise OptionError(f"the model {name!r} is unknown; valid: {known}, a hub id, or a name in streams")
    found = survey()
    shown = Shown(bundled, [entry for entry in found.entries if entry.model in models], found)
    if as_json:
        print(json.dumps(_as_dict(shown), indent=2))
        return
    lines = _details(shown.entries[0], found) if name and len(shown.entries) == 1 else _list(shown)
    print(visible("\n".join(lines), keep="\n"))


def command(prior: str, modes: Iterable[str], options: ModelOptions = DEFAULT_OPTIONS) -> str:
    """Return the command that codes a film in the most usual of some modes.

    prior: value of the option `prior`.
    modes: modes to choose from.
    options: settings with which the model runs; default those of GVC.
    """
    mode = next(mode for mode in PREFERRED if mode in modes)
    words = ["gvc encode film.mp4 film.mkv", f"--prior {prior}", f"--mode {mode}" if mode != PREFERRED[0] else ""]
    for option in MODEL_OPTIONS:
        value = option.kind(getattr(options, option.name))
        words += [f"--{option.name} {value}"] if value != option.default else []
    return " ".join(filter(None, words))


def _list(shown: Shown) -> Iterator[str]:
    """Yield the lines of a list: two for each model, the second one with the command."""
    yield from _head(shown.found)
    for model in shown.bundled:
        yield from ("", f"{model.prior:<28}{modes_of(model.modes):<14}{model.about}; {_extra(model)}")
        yield f"    {command(model.prior, model.modes)}"
    for entry in shown.entries:
        model = entry.model
        yield from ("", f"{model.name:<28}{modes_of(model.modes):<14}{_fits(entry)}; {_cache(entry)}")
        if entry.settings:
            yield f"    {command(model.prior, model.modes, entry.settings)}"
    yield from ("", "gvc models NAME says more about one, also what it needs to fit") if shown.entries else ()


def _details(entry: Entry, found: Survey) -> Iterator[str]:
    """Yield the lines about one model."""
    model, machine = entry.model, found.machine
    networks = f"{model.networks} x " if model.networks > 1 else ""
    facts = {
        "hub id": model.hub_id,
        "modes": ", ".join(model.modes),
        "parameters": f"{networks}{model.network} B, VAE {model.vae} B, text encoder {model.text_encoder} B",
        "trained for": ", ".join(f"{width}x{height}" for width, height in model.sizes),
        "licence": f"{model.licence}, in November 2026; read it before you use the model",
        "in streams": model.stream_name,
        "here": _fits(entry),
        "cache": f"{_cache(entry)}{f': {entry.cached.folder}' if entry.cached else ''}",
    }
    yield model.name
    yield from (f"  {name:<12}{value}" for name, value in facts.items())
    yield from ("", *_head(found), "", ROW.format("needs, in GiB:", "accelerator", "main memory", "").rstrip())
    for device in (machine.device or "cuda", "cpu"):
        yield from (_row(model, options, machine) for options in settings(device))
    yield from ("", "to code in each of its modes:")
    for mode in model.modes:
        yield f"    {command(model.prior, (mode,), entry.settings or DEFAULT_OPTIONS)}"
    yield from ("to fetch it before:", f"    hf download {model.hub_id}")
    if model.shape:
        yield from ("to measure it without its weights:", f"    gvc bench --random {model.name}")


def _head(found: Survey) -> Iterator[str]:
    """Yield lines about this machine."""
    machine, accelerator = found.machine, "no accelerator, so that a step of a model takes minutes"
    if machine.device:
        accelerator = f"{machine.device} ({found.accelerator}) with {gibibytes(machine.accelerator)} GiB"
    yield f"this machine: {gibibytes(machine.main)} GiB of main memory, {accelerator}"
    yield from (f"missing: {sentence}" for sentence in found.missing)


def _extra(model: Bundled) -> str:
    return f"needs the extra {model.extra}" if model.extra else "needs nothing"


def _fits(entry: Entry) -> str:
    return f"fits as {_settings(entry.settings)}" if entry.settings else "does not fit"


def _settings(options: ModelOptions) -> str:
    """Return settings in a few words, such as "bfloat16, offload=group, tiling=1"."""
    offload = f"offload={options.offload}" if options.offload != "none" else ""
    return ", ".join(filter(None, (number_format(options), offload, "tiling=1" if options.tiling else "")))


def _cache(entry: Entry) -> str:
    """Return what the cache has of a model."""
    if entry.cached is None:
        return "not in the cache"
    if entry.cached.complete:
        return f"in the cache, {gibibytes(entry.cached.size)} GiB"
    return f"in the cache without {', '.join(entry.cached.lacks + entry.cached.lacks_text)}"


def _row(model: Model, options: ModelOptions, machine: Machine) -> str:
    """Return the line that says what a model needs with these settings."""
    wanted = need(model, options)
    accelerator = "" if options.device == "cpu" else gibibytes(wanted.accelerator)
    fits = "fits" if machine.holds(wanted) else ""
    return ROW.format(f"{options.device} {_settings(options)}", accelerator, gibibytes(wanted.main), fits).rstrip()


def _as_dict(shown: Shown) -> dict[str, object]:
    """Return the keys of the JSON object, which docs/MODELS.md describes."""
    machine = shown.found.machine
    return {
        "machine": {
            "main_memory": machine.main,
            "device": machine.device or "cpu",
            "accelerator": shown.found.accelerator or None,
            "accelerator_memory": machine.accelerator or None,
        },
        "missing": list(shown.found.missing),
        "bundled": [asdict(model) | {"command": command(model.prior, model.modes)} for model in shown.bundled],
        "models": [_entry(entry) for entry in shown.entries],
    }


def _entry(entry: Entry) -> dict[str, object]:
    model, cached = entry.model, entry.cached
    facts = asdict(model)
    del facts["shape"]
    return facts | {
        "prior": model.prior,
        "settings": asdict(entry.settings) if entry.settings else None,
        "command": command(model.prior, model.modes, entry.settings) if entry.settings else None,
        "cache": cached and asdict(cached) | {"folder": str(cached.folder), "complete": cached.complete},
    }
