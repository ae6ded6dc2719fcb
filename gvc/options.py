# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The one table of options: AVOptions, CLI flags and the engine all read it.

Run `python -m gvc.options` to print the table for C (ffmpeg_bridge/include/gvc_options.h).
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from types import SimpleNamespace

from .errors import OptionError
from .modes import Mode, Scheme

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
MULTIPLES = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
BITS = "bits"


@dataclass(frozen=True)
class Option:
    """One option of the encoder or the decoder.

    name: name of the option, the same everywhere.
    kind: type of its values: int, float or str.
    default: value where none is given.
    help: text about the option for users.
    low, high: inclusive range of numbers.
    choices: valid strings. Default: any string.
    unit: BITS if numbers may have a suffix k, M or G. Default: no unit.
    many: whether the command's flag may be repeated, for text with commas between its parts. Default: not.
    """

    name: str
    kind: type
    default: int | float | str
    help: str
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()
    unit: str = ""
    many: bool = False

    def parse(self, given: object) -> int | float | str:
        """Return the value that text or a number gives. Raises OptionError, which names the valid values."""
        if self.kind is not str:
            return self._number(given)
        value = str(given)
        if self.choices and value not in self.choices:
            raise OptionError(f"option {self.name}={value!r} is unknown; {self.valid}")
        return value

    def _number(self, given: object) -> int | float:
        value = self._exact(given)
        if value is None:
            raise OptionError(f"option {self.name}={given!r} is not a number; {self.valid}")
        if not self.low <= value <= self.high:
            raise OptionError(f"option {self.name}={given} is out of range; {self.valid}")
        if self.kind is int and value != int(value):
            raise OptionError(f"option {self.name}={given} is not a whole number; {self.valid}")
        return self.kind(value)

    def _exact(self, given: object) -> Decimal | Real | None:
        """Return the number without rounding; None if `given` is not a number."""
        if isinstance(given, bool) and (self.low, self.high) != (0, 1):
            return None  # True and False are values of switches only
        if isinstance(given, Real):
            return given if math.isfinite(given) else None
        text, factor = given, 1
        if isinstance(text, str) and self.unit == BITS and text[-1:] in MULTIPLES:
            text, factor = text[:-1], MULTIPLES[text[-1]]
        return Decimal(text) * factor if isinstance(text, str) and NUMBER.fullmatch(text) else None

    @property
    def valid(self) -> str:
        """Return a clause that names the valid values."""
        if self.choices:
            return f"valid: {', '.join(self.choices)}"
        if self.kind is str:
            return "any text"
        return f"valid: {self.low:g} to {self.high:g}" + (", such as 80k or 1.5M" if self.unit == BITS else "")


THREADS = Option(
    "threads", int, 0, "largest number of processors for GVC's own search (-threads); 0 = all", 0, 2**31 - 1
)
MODEL_OPTIONS = (
    Option("device", str, "cpu", "torch device of priors with a network, such as cpu, cuda or cuda:1"),
    Option(
        "dtype",
        str,
        "auto",
        "number format of the network; auto = bfloat16 on an accelerator, float32 on the CPU",
        choices=("auto", "float32", "bfloat16", "float16"),
    ),
    Option(
        "offload",
        str,
        "none",
        "parts of the model that stay in main memory until they are used; "
        "model = whole networks, sequential = single layers, group = groups of layers",
        choices=("none", "model", "sequential", "group"),
    ),
    Option("tiling", int, 0, "VAE in tiles, which takes less memory; 1 = on, 0 = off", 0, 1),
    Option("quantize", str, "none", "quantization of the network's weights", choices=("none", "int8", "nf4")),
    Option(
        "lora",
        str,
        "",
        "LoRAs to add to the network's weights, FILE or FILE:WEIGHT, with :high or :low for one of two networks; "
        "several separated by commas",
        many=True,
    ),
)

ENCODER_OPTIONS = (
    Option(
        "mode",
        str,
        "flf2v",
        "condition of the generative model; t2v = text, i2v = first frame, flf2v = first and last frame",
        choices=tuple(Mode),
    ),
    Option("quality", float, 30.0, "constant quality, 0 to 100 (best)", 0, 100),
    Option("crf", float, -1.0, "constant rate factor like x265's, 0 (best) to 63; -1 = use quality", -1, 63),
    Option(
        "bitrate", int, 0, "average bits per second of the whole file (-b:v); 0 = constant quality", 0, 2**40, unit=BITS
    ),
    Option("maxrate", int, 0, "highest bits per second of any GOP (-maxrate); 0 = no limit", 0, 2**40, unit=BITS),
    Option(
        "bufsize", int, 0, "bits by which GOPs may exceed maxrate for a while (-bufsize); 0 = none", 0, 2**40, unit=BITS
    ),
    Option(
        "gop",
        int,
        0,
        "frames in a GOP, rounded down to 4k+1; 0 = 33, or fewer where motion is strong unless transition=sde",
        0,
        129,
    ),
    Option("keyint", int, 129, "largest distance of keyframes in frames (-g)", 1, 2**31 - 1),
    Option(
        "keyint_min", int, 1, "smallest distance of keyframes in frames, forced ones aside (-keyint_min)", 1, 2**31 - 1
    ),
    Option("scenecut", float, 0.4, "threshold for scene changes, lower values find more; 0 = off", 0, 1),
    Option("sc_threshold", int, -1, "scenecut times 100, as in libx264; -1 = use scenecut", -1, 100),
    Option(
        "resilience",
        int,
        0,
        "limit of what a lost packet costs, for more bytes; 1 = no still refers to every second one, 2 = in long "
        "chains stills depend on the keyframe and on their group of eight only; 0 = none",
        0,
        2,
    ),
    Option(
        "preset",
        str,
        "medium",
        "search effort; gvcc = the scheme of the GVCC paper, with transition=sde",
        choices=("fast", "medium", "slow", "gvcc"),
    ),
    Option("seed", int, 42, "seed of the codebooks", 0, 2**32 - 1),
    Option(
        "prior",
        str,
        "gp",
        "generative model: gp, neural, auto (neural if this machine can play it, else gp); "
        "or a video model as FAMILY:FOLDER or FAMILY:HUB-ID, such as wan:FOLDER",
    ),
    Option(
        "transition",
        str,
        "ancestral",
        "rule of the denoising steps; ancestral = posterior-matched, sde = the GVCC paper's",
        choices=tuple(Scheme),
    ),
    Option("atoms", int, 64, "atoms for each block and step, only with transition=sde", 1, 65536),
    Option(
        "shift",
        int,
        0,
        "shift of the time grid, only with transition=sde; 0 = 5 for I2V and FLF2V from 720p on, otherwise 3",
        0,
        255,
    ),
    Option(
        "x0_cache",
        int,
        0,
        "number of steps in a row without the network, which reuse its last result; 1 = every other step, about twice "
        "as fast and a little worse; 0 = none",
        0,
        15,
    ),
    Option("x0_warmup", int, 0, "number of steps with the network before x0_cache begins", 0, 255),
    Option(
        "lowres_steps",
        int,
        0,
        "number of first steps at low resolution, which are faster; only for video models; 0 = none",
        0,
        255,
    ),
    Option("lowres_size", int, 50, "length of each side at low resolution in percent, only with lowres_steps", 1, 99),
    Option("prompt", str, "", "text about the video, mainly for mode=t2v; the stream contains it"),
    Option("overlap", int, 0, "number of pictures that neighbouring T2V GOPs share and blend; 0 = none", 0, 64),
    Option("tail", int, 1, "correction at the end of each I2V GOP; 1 = on, 0 = off", 0, 1),
    THREADS,
    *MODEL_OPTIONS,
)

DECODER_OPTIONS = (
    Option("realism", float, 0.0, "texture, from 0 (closest to the source) to 1 (most natural)", 0, 1),
    Option(
        "keyframes",
        int,
        0,
        "first picture of each chain only, decoded from its still without the model (in t2v with it), "
        "like -skip_frame nokey; 1 = on, 0 = off",
        0,
        1,
    ),
    Option(
        "prior",
        str,
        "",
        "folder of the stream's prior, if it has weights, as FAMILY:FOLDER, such as wan:FOLDER",
    ),
    THREADS,
    Option(
        "low_delay",
        int,
        0,
        "output of each picture with its own packet (-flags low_delay), like frame_delay=0; 1 = on, 0 = off",
        0,
        1,
    ),
    Option(
        "frame_delay",
        int,
        -1,
        "largest number of packets by which a picture may come after its own packet, while later GOPs are decoded; "
        "129 = no limit, so that a GOP is decoded for each thread; -1 = no limit, in FFmpeg as many as its frame "
        "threads would take (-threads, -thread_type)",
        -1,
        129,
    ),
    *MODEL_OPTIONS,
)


def parse_options(table: tuple[Option, ...], values: Mapping[str, object]) -> SimpleNamespace:
    """Return an attribute for each option of `table`: its checked value, or its default. Raises OptionError."""
    by_name = {option.name: option for option in table}
    for name in values:
        if name not in by_name:
            raise OptionError(f"option {name!r} is unknown; valid: {', '.join(by_name)}")
    return SimpleNamespace(**{o.name: o.parse(values[o.name]) if o.name in values else o.default for o in table})


def split_options(text: str) -> dict[str, str]:
    """Return the values by key of `key=value:key=value`, where a backslash escapes a colon. Raises OptionError."""
    pairs, current = [], ""
    characters = iter(text)
    for c in characters:
        if c == "\\":
            current += next(characters, "")
        elif c == ":":
            pairs.append(current)
            current = ""
        else:
            current += c
    pairs.append(current)
    result = {}
    for pair in filter(None, pairs):
        name, equals, value = pair.partition("=")
        if not equals:
            raise OptionError(f"{pair!r} is no key=value pair; write options as key=value:key=value")
        result[name] = value
    return result


# Options for which FFmpeg has its own (-b:v, -g and others); plugin and wrapper pass those on. A table of their own
# serves other programs.
_STANDARD_OPTIONS = ("bitrate", "maxrate", "bufsize", "keyint", "keyint_min", "threads")
_FFMPEG_NAME = re.compile(r" \(-[\w:]+\)")  # FFmpeg's name of a standard option in the option's help


def _c_row(option: Option) -> str:
    """Return one row of the table for C. C knows no choices of strings, so the help text names them."""
    quote = json.dumps
    help_text = _FFMPEG_NAME.sub("", option.help) if option.name in _STANDARD_OPTIONS else option.help
    if option.kind is str:
        choices = f" ({', '.join(option.choices)})" if option.choices else ""
        return f"STRING({option.name}, {quote(option.default)}, {quote(help_text + choices)})"
    kind = "INT" if option.kind is int else "DOUBLE"
    numbers = ", ".join(str(option.kind(n)) for n in (option.default, option.low, option.high))
    return f"{kind}({option.name}, {numbers}, {quote(help_text)})"


def c_table() -> str:
    """Return the text of ffmpeg_bridge/include/gvc_options.h, with a macro for each role that holds all rows."""
    text = """\
/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Generated by `python -m gvc.options`; do not edit. */
/* clang-format off */
#ifndef GVC_OPTIONS_H
#define GVC_OPTIONS_H

/*
 * INT and DOUBLE take (name, default, low, high, help), STRING takes (name, default, help). FFmpeg has the STANDARD
 * options under names of its own.
 */
"""
    for role, table in (("ENCODER", ENCODER_OPTIONS), ("DECODER", DECODER_OPTIONS)):
        for kind, standard in (("", False), ("STANDARD_", True)):
            rows = [_c_row(option) for option in table if (option.name in _STANDARD_OPTIONS) == standard]
            text += " \\\n    ".join([f"\n#define GVC_{role}_{kind}OPTIONS(INT, DOUBLE, STRING)", *rows]) + "\n"
    return text + "\n#endif\n"


if __name__ == "__main__":
    print(c_table(), end="")
