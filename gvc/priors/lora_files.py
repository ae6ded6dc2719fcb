# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The option `lora`: which files it names. Imports no library of networks, so that checks are quick."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import OptionError, PriorError
from ..machine.file_state import FileState, file_state

HIGH, LOW = "high", "low"  # networks for much and for little noise of models with two


@dataclass(frozen=True)
class Lora:
    """One LoRA and its use.

    path: its file.
    weight: factor of its changes to the weights.
    network: network that it changes, HIGH or LOW; "" for the network of a model with one.
    """

    path: Path
    weight: float = 1.0
    network: str = ""

    def __str__(self) -> str:
        return ":".join(filter(None, (str(self.path), f"{self.weight!r}", self.network)))


def parse_loras(text: str) -> tuple[Lora, ...]:
    """Return the LoRAs of the option, FILE[:WEIGHT][:high|:low] separated by commas. Raises OptionError."""
    return tuple(_parse(item) for item in text.split(",")) if text else ()


def check_loras(text: str) -> None:
    """Raise OptionError or PriorError if the option is wrong, or names a file that is not there."""
    for lora in parse_loras(text):
        if not lora.path.is_file():
            raise PriorError(f"there is no file {lora.path}; name the file of a LoRA, *.safetensors")


def lora_states(loras: Iterable[Lora]) -> list[FileState]:
    """Return the states of the files of LoRAs. Raises OSError."""
    return [file_state(lora.path) for lora in loras]


def _parse(text: str) -> Lora:
    rest, network, weight = text, "", 1.0
    head, _, tail = rest.rpartition(":")
    if head and tail in (HIGH, LOW):
        rest, network = head, tail
    head, _, tail = rest.rpartition(":")
    if head and (number := _number(tail)) is not None:
        rest, weight = head, number
    if not rest or not math.isfinite(weight):
        raise OptionError(
            f"lora={text!r} is no LoRA; write FILE, FILE:WEIGHT, and :high or :low for one of two networks"
        )
    return Lora(Path(rest), weight, network)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def rooted_loras(text: str, folder: str | Path) -> str:
    """Return the option `lora` with its paths made absolute. Raises OptionError.

    folder: folder that relative paths start from.
    """
    return ",".join(str(replace(lora, path=Path(folder, lora.path))) for lora in parse_loras(text))
