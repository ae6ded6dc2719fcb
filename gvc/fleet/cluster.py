# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Workers on a Ray cluster.

A worker is an actor, which Ray starts again when its process or its machine is lost. A task that was lost with it is
not repeated by Ray but by the crew (gvc.fleet.crew), which greets the new process first: it may run on another machine.
Ray exchanges Python objects with pickle, so a cluster has to belong to whoever uses it; GVC itself passes plain types
only, and what comes back is parsed as what comes from any other worker.
"""

import logging
import os
import signal
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from types import ModuleType
from uuid import uuid4

from ..errors import EngineError, OptionError
from ..extras import import_extra
from ..machine.process import variable
from ..machine.processors import processors
from .actor import Actor
from .coding import format_of
from .failures import TaskError, WorkerLostError, rebuilt
from .plan import Chain
from .reading import piece_of
from .tasks import OnStep, Task, no_step

EXTRA = "cluster"
AUTO, LOCAL, CLIENT = "auto", "local", "ray://"  # Values of --cluster; the last one is the beginning of an address
HINTS = {AUTO: "start one with ray start --head", LOCAL: "its logs in /tmp/ray say more"}
SECONDS_BETWEEN_STEPS = 0.5  # Time after which a worker is asked how far it is
SECONDS_TO_ANSWER = 60.0  # Time for Ray to find a machine for a worker and to start it there
# Ray's settings for its silence: it sends its makers no statistics, and prints nothing of machines and processes that
# were lost, which it would do on standard output (findings/ray_errors_on_stdout.sh).
SILENCE = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": ".*"}
THREADS = 2  # One for the task, one to answer meanwhile


class RayWorker:
    """A worker on a Ray cluster (gvc.fleet.crew.Worker).

    ray: the package, connected to a cluster.
    name: name of the worker for people, and of the actor.
    local: options that the worker decides itself (threads, device).
    place: Ray's options for the actor: namespace, num_cpus, num_gpus.

    Attributes:
        actor: Ray's handle of gvc.fleet.actor.Actor.
    """

    def __init__(self, ray: ModuleType, name: str, local: Mapping[str, object], place: Mapping[str, object]):
        self.name, self.local, self.ray = name, local, ray
        actor = ray.remote(Actor).options(
            name=name, max_restarts=-1, max_task_retries=-1, max_concurrency=THREADS, **place
        )
        self.actor = actor.remote(name, dict(local))

    def run(self, task: Task, on_step: OnStep = no_step) -> bytes:
        """Let the worker do a task and return its result.

        Raises WorkerLostError if the worker is lost or finds no machine, or the error of the task
        (gvc.fleet.failures). After an error that GVC has no class for, another process does the next task.
        """
        try:
            error, result = self._answer(self._with_source(task), on_step)
        except (self.ray.exceptions.RayError, ConnectionError) as failure:
            raise WorkerLostError(f"{self.name} was lost: {_reason(failure)}") from None
        if error is None:
            return result
        failure = rebuilt(error)
        if isinstance(failure, TaskError):
            self._kill(restart=True)
        raise failure

    def _with_source(self, task: Task) -> Task:
        """Return a task, with the pictures that it needs where the worker does not have their file."""
        path = str(task.terms.get("source", os.devnull))
        state = os.stat(path)
        sees = self.actor.sees.remote(path, state.st_size, state.st_mtime_ns)
        if self.ray.get(sees, timeout=SECONDS_TO_ANSWER) or "source" not in task.terms:
            return task
        chain, video = Chain(**task.terms["chain"]), format_of(task.terms["format"])
        return replace(task, data=piece_of(path, chain, video))

    def _answer(self, task: Task, on_step: OnStep) -> tuple[Mapping[str, str] | None, bytes]:
        """Return the actor's answer to a task. Raises RayError, ConnectionError, WorkerLostError."""
        content = {"kind": task.kind, "title": task.title, "terms": dict(task.terms), "tries": task.tries}
        # The crew repeats what is lost, after it has greeted the new process.
        run = self.actor.run.options(name=task.title, max_task_retries=0)
        answer = run.remote(content, task.data)
        while not self.ray.wait([answer], timeout=SECONDS_BETWEEN_STEPS)[0]:
            if step := self.step():
                on_step(*step)
        match self.ray.get(answer):
            case (dict() | None as error, bytes(result)):
                return error, result
        raise WorkerLostError(f"{self.name} has answered as no worker of GVC does")

    def step(self) -> tuple[int, int, int] | None:
        """Return where the worker is; None if it does not say."""
        step = self.actor.step.remote()
        try:
            return self.ray.get(step, timeout=SECONDS_TO_ANSWER)
        except self.ray.exceptions.RayError:  # The answer to the task will tell the same
            return None

    def close(self) -> None:
        """End the worker at once, whatever it does; any thread may call this. It is not started again."""
        self._kill()

    def _kill(self, restart: bool = False) -> None:
        with suppress(self.ray.exceptions.RayError, ConnectionError):  # A cluster that is gone has ended it
            self.ray.kill(self.actor, no_restart=not restart)


def _reason(error: Exception) -> str:
    """Return a clause that tells why a worker is lost."""
    if isinstance(error, TimeoutError):
        return f"no machine of the cluster has taken it in {SECONDS_TO_ANSWER:.0f} s"
    if type(error).__name__ == "ActorUnavailableError":
        return "its process or its machine has ended"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


@contextmanager
def ray_workers(address: str, count: int, options: Mapping[str, object]) -> Iterator[list[RayWorker]]:
    """Open workers on a Ray cluster; they and the connection end with the block.

    address: "auto" = the cluster that this machine belongs to, "local" = a new one of this machine alone,
        "ray://HOST:PORT" = that of another machine. A connection that this process has already is used instead.
    count: number of workers; 0 = as many as the cluster has room for.
    options: the options of the task, of which device and threads say what each worker needs.

    Raises GvcError where Ray is not installed, OptionError for another address, EngineError if there is no cluster.
    """
    if address not in (AUTO, LOCAL) and not address.startswith(CLIENT):
        raise OptionError(f"{address!r} is no cluster; give {AUTO}, {LOCAL} or {CLIENT}HOST:PORT")
    with connected(address, max(processors(), count * (options.get("threads") or 1))) as ray:
        local, needs, room = shares(ray, count, options)
        place = {"namespace": f"gvc-{uuid4().hex}", **needs}
        names = (f"worker {number + 1}" for number in range(count or room))
        try:
            workers = [RayWorker(ray, name, local, place) for name in names]
        except ImportError as error:  # Of a cluster of another machine, which makes the actors
            raise EngineError(f"{address} lacks GVC ({error}); install the same version on all machines") from error
        yield workers


@contextmanager
def connected(address: str, processors_here: int) -> Iterator[ModuleType]:
    """Connect this process to a cluster and yield Ray's package; `processors_here` are those of a local cluster."""
    with ExitStack() as settings:
        for name, value in SILENCE.items():
            settings.enter_context(variable(name, value))
        if address.startswith(CLIENT):
            import_extra("grpc", EXTRA, "a cluster of another machine")
        ray = import_extra("ray", EXTRA, "coding on a cluster")
        connected_before = ray.is_initialized()
        if not connected_before:
            _connect(ray, address, processors_here)
    try:
        yield ray
    finally:
        if not connected_before:
            ray.shutdown()


def _connect(ray: ModuleType, address: str, processors_here: int) -> None:
    options = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address == LOCAL:
        options |= {"include_dashboard": False, "num_cpus": processors_here}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with warnings.catch_warnings(action="ignore"):  # The errors say the same
            ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        hint = HINTS.get(address, "see whether it runs there and wants a token (RAY_AUTH_MODE=token)")
        raise EngineError(f"there is no Ray cluster at {address} ({_reason(error)}); {hint}") from error
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)  # Ray puts its own in their place


def shares(
    ray: ModuleType, count: int, options: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object], int]:
    """Divide a cluster among workers.

    Returns (options that each worker decides itself, Ray's options for what it needs, number of workers).
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    kind = str(options.get("device", "cpu")).partition(":")[0]
    resource = "CPU" if kind == "cpu" else "GPU"
    amounts = [int(machine.get(resource, 0)) for machine in machines]
    if not sum(amounts):
        raise EngineError(f"no machine of the cluster has a {resource} for Ray")
    if resource == "GPU":
        share = min(machine.get("CPU", 0) // machine["GPU"] for machine in machines if machine.get("GPU"))
        threads = options.get("threads") or max(1, int(share))
        return {"device": kind, "threads": threads}, {"num_gpus": 1, "num_cpus": 0}, sum(amounts)
    threads = options.get("threads") or (max(1, sum(amounts) // count) if count else 1)
    threads = min(threads, max(amounts))
    return {"threads": threads}, {"num_cpus": threads}, sum(amount // threads for amount in amounts)
