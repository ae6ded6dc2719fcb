#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# torch 2.13.0 on the CPU: a 3D convolution of two clips at once, and of one after the other.
#
# Expected by many: clips of a batch do not know of each other, so the bits are the same.
# Seen: they differ in the last places (about 2e-6 of values of order 1): the order of summation depends on the
# batch. What must be the same in encoder and decoder, as in compression with a network,
# must be computed with the same batch on both sides. Which shapes differ depends on the processor's instructions.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if no shape differs.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.2.6
"$folder/venv/bin/python" - <<'P'
import torch

torch.manual_seed(0)
print("torch", torch.__version__, torch.backends.cpu.get_cpu_capability())
differing = 0
for channels, filters, size in ((16, 96, (3, 30, 52)), (3, 16, (5, 64, 64)), (48, 32, (4, 32, 32))):
    layer, clips = torch.nn.Conv3d(channels, filters, 3, padding=1), torch.randn(2, channels, *size)
    with torch.inference_mode():
        together, apart = layer(clips), torch.cat([layer(clips[:1]), layer(clips[1:])])
        again = layer(clips)
    assert torch.equal(together, again)  # it is not chance
    print(f"{channels} -> {filters}, {size}: greatest difference {(together - apart).abs().max():.1e}")
    differing += not torch.equal(together, apart)
raise SystemExit(not differing)
P
