# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The reader of the weights of `neural`. An input is a safetensors file."""

import json
import struct
from random import Random

import torch
from safetensors.torch import save

from gvc.errors import PriorError
from gvc.prior import DEFAULT_OPTIONS
from gvc.priors.neural import NeuralPrior
from gvc.priors.neural.network import Network

LENGTH = struct.Struct("<Q")  # length of the JSON at the beginning of a safetensors file
VALUES = (0, 1, 2, 3, 2**31, 2**40, 2**63 - 1, -1, [], [0], [1], [2, 2**32], "F32", "F64", "BF16", "BOOL", {}, None)


def seeds() -> dict[str, bytes]:
    torch.manual_seed(1)
    return {"network": save({name: tensor.half() for name, tensor in Network((1, 2, 3)).state_dict().items()})}


def run(data: bytes) -> None:
    try:
        NeuralPrior(data, DEFAULT_OPTIONS)
    except PriorError as error:
        assert str(error)


def mutate(data: bytes, chance: Random, scramble) -> bytes:
    if chance.randrange(3) == 0:
        return scramble(data)
    try:
        (size,) = LENGTH.unpack_from(data)
        table = json.loads(data[LENGTH.size :][:size])
        _change(table, chance)
    except (ValueError, TypeError, LookupError, struct.error):  # The table is not valid any more.
        return scramble(data)
    text = json.dumps(table).encode()
    return LENGTH.pack(len(text)) + text + data[LENGTH.size + size :]


def _change(table: dict, chance: Random) -> None:
    """Change a value of a tensor's description, or the tensor's name."""
    name = chance.choice(sorted(table))
    tensor = table[name]
    key = chance.choice(["dtype", "shape", "data_offsets", "name"])
    if key == "name":
        table[chance.choice(sorted(table))] = table.pop(name)
    elif isinstance(tensor[key], list) and tensor[key] and chance.random() < 0.7:
        tensor[key][chance.randrange(len(tensor[key]))] = chance.choice(VALUES[:8])
    else:
        tensor[key] = chance.choice(VALUES)
