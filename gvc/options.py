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
    """One option. `kind` is int, float or str; numbers have an inclusive range, strings may have `choices`.

    Numbers of the unit BITS may be written with a suffix k, M or G.
    """

    name: str
    kind: type
    default: int | float | str
    help: str
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()
    unit: str = ""

    def parse(self, given: object) -> int | float | str:
        """Return the checked value of text or of a number; raise OptionError that names the valid values."""
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
        """The number that is given, as exactly as it is given; None if it is none."""
        if isinstance(given, bool) and (self.low, self.high) != (0, 1):
            return None  # a switch, where a number is wanted
        if isinstance(given, Real):
            return given if math.isfinite(given) else None
        text, factor = given, 1
        if isinstance(text, str) and self.unit == BITS and text[-1:] in MULTIPLES:
            text, factor = text[:-1], MULTIPLES[text[-1]]
        return Decimal(text) * factor if isinstance(text, str) and NUMBER.fullmatch(text) else None

    @property
    def valid(self) -> str:
        """A clause that names the valid values."""
        if self.choices:
            return f"valid: {', '.join(self.choices)}"
        if self.kind is str:
            return "any text"
        return f"valid: {self.low:g} to {self.high:g}" + (", such as 80k or 1.5M" if self.unit == BITS else "")


THREADS = Option("threads", int, 0, "processors that GVC's own search uses at most (-threads); 0: all", 0, 2**31 - 1)
MODEL_OPTIONS = (
    Option("device", str, "cpu", "torch device for priors with a network: cpu, cuda, cuda:1"),
    Option(
        "dtype",
        str,
        "auto",
        "of the network; auto: bfloat16 on an accelerator, float32 on the CPU",
        choices=("auto", "float32", "bfloat16", "float16"),
    ),
    Option(
        "offload",
        str,
        "none",
        "parts of the model wait in main memory: whole networks, single layers, groups of layers",
        choices=("none", "model", "sequential", "group"),
    ),
    Option("tiling", int, 0, "1: pictures pass the VAE in tiles, which takes less memory", 0, 1),
    Option("quantize", str, "none", "weights of the network while loading", choices=("none", "int8", "nf4")),
)

ENCODER_OPTIONS = (
    Option("mode", str, "flf2v", "conditioning of the generative model", choices=tuple(Mode)),
    Option("quality", float, 30.0, "constant quality, higher is better", 0, 100),
    Option("crf", float, -1.0, "constant quality as others name it, 0 best to 63; -1: as quality says", -1, 63),
    Option("bitrate", int, 0, "bits per second of the whole file (-b:v); 0: constant quality", 0, 2**40, unit=BITS),
    Option("maxrate", int, 0, "most bits per second of a GOP (-maxrate); 0: any", 0, 2**40, unit=BITS),
    Option("bufsize", int, 0, "bits that GOPs may exceed maxrate by for a while (-bufsize)", 0, 2**40, unit=BITS),
    Option(
        "gop", int, 0, "frames in a GOP, rounded down to 4k+1; 0: 33, or less by motion if not transition=sde", 0, 129
    ),
    Option("keyint", int, 129, "most frames between keyframes (-g)", 1, 2**31 - 1),
    Option("keyint_min", int, 1, "least frames between keyframes, but for forced ones (-keyint_min)", 1, 2**31 - 1),
    Option("scenecut", float, 0.4, "scene change threshold, 0: off", 0, 1),
    Option("sc_threshold", int, -1, "scenecut times 100, as libx264 names it; -1: as scenecut says", -1, 100),
    Option(
        "preset",
        str,
        "medium",
        "search effort; gvcc: the scheme of the GVCC paper, with transition sde",
        choices=("fast", "medium", "slow", "gvcc"),
    ),
    Option("seed", int, 42, "seed of the codebooks", 0, 2**32 - 1),
    Option(
        "prior",
        str,
        "gp",
        "generative model: gp, neural, auto (neural if this machine plays it), wan:FOLDER, ltx:FOLDER (or a hub id)",
    ),
    Option("transition", str, "ancestral", "step rule: posterior-matched, or the paper's", choices=tuple(Scheme)),
    Option("atoms", int, 64, "atoms a block and step, for transition=sde only", 1, 65536),
    Option(
        "shift", int, 0, "of the time grid, for transition=sde only; 0: 5 for I2V, FLF2V from 720p on, else 3", 0, 255
    ),
    Option(
        "x0_cache", int, 0, "1: spare the network at every other step, about twice as fast and a little worse", 0, 1
    ),
    Option("prompt", str, "", "text about the video, for mode=t2v mostly; it is part of the stream"),
    Option("overlap", int, 0, "pictures that T2V GOPs share and blend", 0, 64),
    Option("tail", int, 1, "1: correct the end of each I2V GOP", 0, 1),
    THREADS,
    *MODEL_OPTIONS,
)

DECODER_OPTIONS = (
    Option("realism", float, 0.0, "0: closest to the source, 1: natural texture", 0, 1),
    Option("prior", str, "", "where the stream's prior lies, if it has weights: wan:FOLDER, ltx:FOLDER"),
    THREADS,
    Option("low_delay", int, 0, "1: each picture comes with its packet (-flags low_delay), like frame_delay=0", 0, 1),
    Option(
        "frame_delay",
        int,
        -1,
        "packets by which a picture may come later than its own, so that the next GOP can be decoded meanwhile; "
        "129: a GOP; -1: a GOP, in FFmpeg as many as its frame threads would take (-threads, -thread_type)",
        -1,
        129,
    ),
    *MODEL_OPTIONS,
)


def parse_options(table: tuple[Option, ...], values: Mapping[str, object]) -> SimpleNamespace:
    """Check `values` against `table` and fill in defaults. Raises OptionError."""
    by_name = {option.name: option for option in table}
    for name in values:
        if name not in by_name:
            raise OptionError(f"option {name!r} is unknown; valid: {', '.join(by_name)}")
    return SimpleNamespace(**{o.name: o.parse(values[o.name]) if o.name in values else o.default for o in table})


def split_options(text: str) -> dict[str, str]:
    """Split `key=value:key=value` (a backslash escapes a colon). Raises OptionError."""
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


# FFmpeg has options of its own for these (-b:v, -g and others); plugin and wrapper pass them on.
_STANDARD_OPTIONS = ("bitrate", "maxrate", "bufsize", "keyint", "keyint_min", "threads")


def _c_row(option: Option) -> str:
    """One row of the table for C. Strings are checked by the engine, so `help` tells the choices."""
    quote = json.dumps
    if option.kind is str:
        choices = f" ({', '.join(option.choices)})" if option.choices else ""
        return f"STRING({option.name}, {quote(option.default)}, {quote(option.help + choices)})"
    kind = "INT" if option.kind is int else "DOUBLE"
    numbers = ", ".join(str(option.kind(n)) for n in (option.default, option.low, option.high))
    return f"{kind}({option.name}, {numbers}, {quote(option.help)})"


def c_table() -> str:
    """The text of ffmpeg_bridge/include/gvc_options.h: for each role a macro that holds all rows."""
    text = """\
/* SPDX-FileCopyrightText: 2026 The GVC contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Generated by `python -m gvc.options`; do not edit. */
/* clang-format off */
#ifndef GVC_OPTIONS_H
#define GVC_OPTIONS_H

/* INT and DOUBLE take (name, default, low, high, help), STRING takes (name, default, help). */
"""
    for role, table in (("ENCODER", ENCODER_OPTIONS), ("DECODER", DECODER_OPTIONS)):
        rows = [_c_row(option) for option in table if option.name not in _STANDARD_OPTIONS]
        text += " \\\n    ".join([f"\n#define GVC_{role}_OPTIONS(INT, DOUBLE, STRING)", *rows]) + "\n"
    return text + "\n#endif\n"


if __name__ == "__main__":
    print(c_table(), end="")
