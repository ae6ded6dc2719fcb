# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The seeds and former findings of `make fuzz`, and some mutations of both, are handled correctly."""

from random import Random

import pytest
from fuzz import TARGETS, inputs, target
from fuzz.pieces import scrambled, split

from gvc.bitstream import is_show, read_packet
from gvc.errors import BitstreamError

MUTATIONS = {"stream": 60, "neural": 8, "still": 300, "file": 40, "weights": 200, "messages": 40, "jobs": 2000}


def mutations(name: str, count: int):
    """Yield mutated inputs; they are the same in each run."""
    chance, mutate, known = Random(f"{name} 1"), target(name).mutate, list(inputs(name).values())
    for _ in range(count):
        data = chance.choice(known)
        for _ in range(chance.randint(1, 3)):
            data = mutate(data, chance, lambda part: scrambled(part, chance))
        yield data


@pytest.mark.parametrize("name", TARGETS)
def test_inputs_and_mutations_of_them(name):
    run = target(name).run
    for data in (*inputs(name).values(), *mutations(name, MUTATIONS[name])):
        run(data)


def test_mutated_streams_reach_the_decoder():
    """Mutations have valid checksums; otherwise no code behind the first check would be tested."""
    packets = [packet for data in mutations("stream", 60) for packet in split(data)[2:] if not is_show(packet)]
    assert sum(map(is_whole, packets)) > 0.8 * len(packets) > 40


def is_whole(packet: bytes) -> bool:
    try:
        return read_packet(packet) is not None
    except BitstreamError as error:
        return "checksum" not in error.element
