# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The workers that a command asks for (--workers, --devices, --cluster)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import OptionError

if TYPE_CHECKING:
    from ..fleet.crew import Worker


@dataclass(frozen=True)
class WorkerChoice:
    """Which workers do the work of a command. Without any of these there are none.

    count: number of workers. Default: 0, one for each device, or as many as the cluster has room for.
    devices: torch devices, separated by commas, that workers on this machine use in turns. Default: that of
        the options; several workers share all devices of its kind.
    cluster: Ray cluster whose machines are used (gvc.fleet.cluster.ray_workers). Default: this machine without Ray.

    Raises OptionError for devices of a cluster, which Ray chooses.
    """

    count: int = 0
    devices: str = ""
    cluster: str = ""

    def __post_init__(self):
        if self.devices and self.cluster:
            raise OptionError("--devices names devices of this machine; with --cluster, Ray chooses them")

    def __bool__(self) -> bool:
        return bool(self.count or self.devices or self.cluster)

    @contextmanager
    def opened(self, options: Mapping[str, object]) -> Iterator[list["Worker"]]:
        """Yield the workers; what they need beside themselves ends with the block.

        options: options of the task, of which device and threads say what a worker needs.
        Raises GvcError.
        """
        if self.cluster:
            from ..fleet.cluster import ray_workers

            with ray_workers(self.cluster, self.count, options) as workers:
                yield workers
        else:
            from ..fleet.processes import local_workers, spread

            named = [*filter(None, map(str.strip, self.devices.split(",")))]
            devices = named or spread(options.get("device", "cpu"), self.count)
            yield local_workers(self.count, devices, options.get("threads", 0))
