# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What decides the bytes of a stream, beside the pictures."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av

from ..bitstream import SequenceHeader, parse_sequence_header
from ..bitstream.sequence import MAX_SIZE
from ..errors import BitstreamError, EngineError
from ..machine.lazy import lazy
from ..media import VideoFormat
from ..options import ENCODER_OPTIONS, parse_options
from ..priors import FAMILIES
from .records import Record, is_number, is_text

# Options that change no byte. The header says which prior it is and with which weights, wherever they lie.
NEUTRAL_OPTIONS = {"threads", "device", "offload", "prior", "lora"}
# Packages that decide what a prior computes, by its family, and those that always do.
ALWAYS = ("av", "numpy")
OF_NETWORKS = {"neural": ("torch",)} | dict.fromkeys(FAMILIES, ("torch", "diffusers", "transformers"))
OUTER_ROOMS = {"bench", "cli", "compare", "engine", "fleet", "metrics"}  # Rooms that the encoder does not use
UNKNOWN = "unknown"  # Version of a package that is not installed
LONGEST_SHOWN = 40  # Largest number of characters of a value in a sentence


@dataclass(frozen=True)
class Identity:
    """Everything beside the pictures that decides the bytes of a stream.

    options: values of the encoder's options by name, without those that change no byte.
    header: sequence header in hexadecimal; it names the prior and the hash of its weights.
    time_base: seconds in a tick of the packets' times, such as "1/1000".
    versions: versions of GVC and of the libraries that decide bytes, by name.
    """

    options: Mapping[str, int | float | str]
    header: str
    time_base: str
    versions: Mapping[str, str]

    @classmethod
    def of(cls, options: Mapping[str, object], header: bytes, video_format: VideoFormat) -> "Identity":
        """Return the identity of a stream of this process.

        options: values by name (gvc.options.ENCODER_OPTIONS).
        header: sequence header that an encoder with these options has made.
        video_format: format that the encoder was given.
        """
        values = vars(parse_options(ENCODER_OPTIONS, options))
        family = parse_sequence_header(header).prior.partition("/")[0]
        return cls(
            {name: value for name, value in values.items() if name not in NEUTRAL_OPTIONS},
            header.hex(),
            str(video_format.time_base),
            versions(family),
        )

    @classmethod
    def parse(cls, record: Record) -> "Identity":
        """Return the identity that a JSON object describes (dataclasses.asdict). Raises FolderError."""
        options, versions = record.record("options"), record.record("versions")
        if not all(is_number(value) or is_text(value) for value in options.content.values()):
            options.refuse("a value is neither a number nor text")
        if not all(map(is_text, versions.content.values())):
            versions.refuse("a version is no text")
        header = record.text("header", rf"([0-9a-f]{{2}}){{1,{MAX_SIZE}}}")
        return cls(options.content, header, record.text("time_base", r"\d{1,19}(/\d{1,19})?"), versions.content)

    def changes(self, before: "Identity") -> list[str]:
        """Return what differs from an earlier identity, in clauses such as "option quality was 30 and is 40"."""
        clauses = [
            *_differences("option ", before.options, self.options),
            *_differences("", before.versions, self.versions),
            *_differences("", {"the time base": before.time_base}, {"the time base": self.time_base}),
            *_header_changes(before.header, self.header),
        ]
        return clauses or ["the sequence header changed"] * (self != before)

    def check_versions(self) -> None:
        """Raise EngineError if versions differ from those of this process (`check_versions`)."""
        check_versions(self.versions, _parsed(self.header).prior.partition("/")[0])

    def job_hash(self, *more: object) -> str:
        """Return 32 hexadecimal digits that stand for this identity and further values of JSON."""
        return hashlib.sha256(json.dumps([self._hash, *more], sort_keys=True).encode()).hexdigest()[:32]

    @lazy
    def _hash(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def _differences(prefix: str, before: Mapping[str, object], now: Mapping[str, object]) -> Iterable[str]:
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            yield f"{prefix}{name} was {_shown(before.get(name))} and is {_shown(now.get(name))}"


def _shown(value: object) -> str:
    text = "not there" if value is None else f"{value:g}" if isinstance(value, float) else str(value) or "empty"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _header_changes(before: str, now: str) -> Iterable[str]:
    """Yield what differs in two sequence headers that does not follow from options."""
    try:
        old, new = _parsed(before), _parsed(now)
    except BitstreamError:
        return
    if old.prior != new.prior:
        yield f"the prior was {old.prior} and is {new.prior}"
    elif old.weights_hash != new.weights_hash:
        yield "the weights of the prior changed"
    if old.format != new.format:
        yield "the format of the pictures changed"


def _parsed(header: str) -> SequenceHeader:
    return parse_sequence_header(bytes.fromhex(header))


def versions(family: str = "") -> dict[str, str]:
    """Return the versions of GVC and of the libraries that decide what it computes, by name.

    family: family of the prior, such as wan. Default: none, so that no library of a network counts.
    """
    names = [*ALWAYS, *OF_NETWORKS.get(family, ())]
    libavcodec = ".".join(map(str, av.library_versions["libavcodec"]))
    return {"gvc": f"{_version('gvc')} ({_code()})", "libavcodec": libavcodec} | {n: _version(n) for n in names}


def check_versions(there: Mapping[str, object], family: str = "") -> None:
    """Raise EngineError if versions differ from those of this process; packages that it lacks do not count.

    there, family: result and argument of `versions` in another process.
    """
    differences = [
        f"{name} is {_shown(there.get(name))} there and {version} here"
        for name, version in versions(family).items()
        if version not in (UNKNOWN, there.get(name))
    ]
    if differences:
        raise EngineError(f"{'; '.join(differences)}; install the same versions everywhere")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return UNKNOWN


@cache
def _code() -> str:
    """Return a short hash of the Python code that codes, since two states of it may have the same version."""
    package, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        if name.parts[0] not in OUTER_ROOMS:
            digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:8]
