# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The readers of weights. An input is the number of a reader, then a file: a network's safetensors, or a pickle."""

import io
import json
import pickle
import struct
from random import Random

import numpy as np
import torch
from safetensors.torch import save

from gvc.errors import PriorError
from gvc.metrics.errors import MetricError
from gvc.metrics.weights import read_arrays
from gvc.prior import DEFAULT_OPTIONS
from gvc.priors.neural import NeuralPrior
from gvc.priors.neural.network import Network

LENGTH = struct.Struct("<Q")  # of the JSON with which a safetensors file begins
VALUES = (0, 1, 2, 3, 2**31, 2**40, 2**63 - 1, -1, [], [0], [1], [2, 2**32], "F32", "F64", "BF16", "BOOL", {}, None)


def seeds() -> dict[str, bytes]:
    torch.manual_seed(1)
    network = {name: tensor.half() for name, tensor in Network((1, 2, 3)).state_dict().items()}
    tree = {"a": {"b": np.ones((2, 3), np.float32), "c": np.arange(4)}, "e": {"f": np.zeros((0, 2))}}
    return {"network": b"\0" + save(network)} | {
        f"pickle-{protocol}": b"\1" + pickle.dumps(tree, protocol).replace(b"numpy._core", b"numpy.core")
        for protocol in (2, 3, 4)
    }


def run(data: bytes) -> None:
    try:
        if data[:1] == b"\0":
            NeuralPrior(data[1:], DEFAULT_OPTIONS)
        else:
            arrays = read_arrays(io.BytesIO(data[1:]))
            assert all(isinstance(name, str) for name in arrays)
    except (PriorError, MetricError) as error:
        assert str(error)


def mutate(data: bytes, chance: Random, scramble) -> bytes:
    body = data[1:]
    if data[:1] != b"\0" or chance.randrange(3) == 0:
        return data[:1] + scramble(body)
    try:
        (size,) = LENGTH.unpack_from(body)
        table = json.loads(body[LENGTH.size :][:size])
        _change(table, chance)
    except (ValueError, TypeError, LookupError, struct.error):  # its table is one no more
        return data[:1] + scramble(body)
    text = json.dumps(table).encode()
    return data[:1] + LENGTH.pack(len(text)) + text + body[LENGTH.size + size :]


def _change(table: dict, chance: Random) -> None:
    """Change one value of one tensor, or which tensor it is."""
    name = chance.choice(sorted(table))
    tensor = table[name]
    key = chance.choice(["dtype", "shape", "data_offsets", "name"])
    if key == "name":
        table[chance.choice(sorted(table))] = table.pop(name)
    elif isinstance(tensor[key], list) and tensor[key] and chance.random() < 0.7:
        tensor[key][chance.randrange(len(tensor[key]))] = chance.choice(VALUES[:8])
    else:
        tensor[key] = chance.choice(VALUES)
