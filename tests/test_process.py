"""GVC's own processes: memory does not grow with the length of a video."""

import ctypes
import subprocess
import sys

import pytest

# Arrays as large as those of a GOP, and made between them pictures that outlive them.
GOPS = """
from gvc.process import settle
settle()
import os
import numpy as np

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident()
np.ones(24 << 20, np.uint8)  # left to itself, glibc learns from the first large array that is freed
arrays, pictures = [], []
for _ in range(8):
    arrays.append(np.ones(12 << 20, np.uint8))
    pictures.append(np.ones(1 << 20, np.uint8))
held = resident() - before
arrays.clear()
print(held >> 20, (resident() - before) >> 20)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc")
def test_arrays_of_a_gop_go_back_to_the_system_while_its_pictures_are_kept():
    done = subprocess.run([sys.executable, "-c", GOPS], capture_output=True, text=True, check=True)
    held, kept = map(int, done.stdout.split())
    assert held >= 100  # MiB
    assert kept <= 12  # 8 are pictures
