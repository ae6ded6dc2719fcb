# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Peak memory of this process."""

import resource
import sys


def peak_host_bytes() -> int:
    """Return the peak resident size of this process."""
    try:
        with open("/proc/self/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):  # Only a fallback, since getrusage may report the parent's peak after a fork.
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def peak_device_bytes(device: str) -> int | None:
    """Return the peak memory that torch has used on an accelerator; None for the CPU or if torch does not know it."""
    torch = sys.modules.get("torch")
    kind = device.partition(":")[0]
    measure = getattr(getattr(torch, kind, None), "max_memory_allocated", None)
    return measure(device) if measure and kind != "cpu" else None
