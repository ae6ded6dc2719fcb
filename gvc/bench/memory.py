# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""High-water marks of memory."""

import resource
import sys


def peak_host_bytes() -> int:
    """Return the most main memory that this process ever held (resident)."""
    try:
        with open("/proc/self/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):  # getrusage is second choice: it may tell of the parent's memory
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peak_device_bytes(device: str) -> int | None:
    """Return the most memory that torch ever had in use on an accelerator; None on the CPU or where it can't tell."""
    torch = sys.modules.get("torch")
    kind = device.partition(":")[0]
    measure = getattr(getattr(torch, kind, None), "max_memory_allocated", None)
    return measure(device) if measure and kind != "cpu" else None
