# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A crew: workers, wherever they are, and a thread for each that hands it one task after another."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from threading import Condition, Semaphore, Thread
from typing import Protocol

from ..errors import EngineError, sentence
from .failures import is_certain, is_final
from .tasks import OnStep, Task, no_step

TRIES = 3  # How often a task is tried, and how often a worker is opened in a row

Welcome = Callable[[str, bytes], None]  # function that gets a worker's name and its answer to the task "hello"


class Worker(Protocol):
    """Something that does tasks, one at a time.

    name: name for people, such as "worker 2".
    """

    name: str

    def run(self, task: Task, on_step: OnStep = no_step) -> bytes:
        """Do a task and return its result; start the worker before if it does not run.

        Raises WorkerLostError if the worker ends meanwhile, or the error of the task (gvc.fleet.failures).
        """

    def close(self) -> None:
        """End the worker at once, whatever it does; any thread may call this. It is not started again."""


@dataclass
class _Job:
    """A task that was handed in. tries: how often it has failed so far."""

    task: Task
    on_step: OnStep
    future: Future
    tries: int = 0


class Crew:
    """Workers that share the tasks that are handed in; a context manager that ends them.

    Each worker is greeted before its first task, and again after it was lost. One that cannot be opened in TRIES tries
    is left out; an error that each worker would have (gvc.fleet.failures.is_final) ends the crew. A task whose worker
    was lost, or that failed with an error that may pass, is tried again up to TRIES times in all.

    Args:
        workers: workers, which the crew closes at its end.
        hello: first task of each worker, which opens what others need. Default: none.
        welcome: function that gets the name of a worker and its answer to `hello`, in any thread. Its error refuses
            the worker for good. Default: none.
        on_idle: function that is called whenever a worker becomes free, in any thread. Default: none.
        warn: function called with a sentence about each task that is tried again and each worker that is left out, in
            any thread. Default: none.

    Attributes:
        idle: counts free workers. Whoever acquires it before each `submit` never has tasks waiting.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        hello: Task | None = None,
        welcome: Welcome = lambda name, answer: None,
        on_idle: Callable[[], object] = lambda: None,
        warn: Callable[[str], object] = lambda sentence: None,
    ):
        self._workers, self._hello, self._welcome = [*workers], hello, welcome
        self._on_idle, self._warn = on_idle, warn
        self.idle = Semaphore(0)
        self._changed = Condition()  # Guards all below
        self._jobs: deque[_Job] = deque()
        self._error: Exception | None = None  # Why no tasks are done any more
        self._serving = len(self._workers)  # Number of workers that are not left out
        self._threads = [Thread(target=self._serve, args=(worker,), daemon=True) for worker in self._workers]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task, on_step: OnStep = no_step) -> Future:
        """Hand in a task; return the future that gets its result as bytes, or its error (GvcError, OSError)."""
        job = _Job(task, on_step, Future())
        job.future.set_running_or_notify_cancel()  # It cannot be cancelled
        with self._changed:
            if error := self._error:
                job.future.set_exception(error)
            else:
                self._jobs.append(job)
                self._changed.notify()
        return job.future

    def check(self) -> None:
        """Raise the error that has ended the crew, if it has ended."""
        if self._error:
            raise self._error

    def close(self) -> None:
        """End all workers at once; tasks that are not done fail."""
        self._stop(EngineError("the workers were closed"))
        for worker in self._workers:
            worker.close()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self, worker: Worker) -> None:
        """Greet a worker and hand it tasks as long as it can be opened."""
        greeted = self._greeted(worker)
        if greeted:
            self._free()
        while greeted and (job := self._next()):
            if self._tried(worker, job):
                self._free()
            else:  # Opening the worker again may take long, and another one may be free
                self._hand_back(job)
                greeted = self._greeted(worker)

    def _greeted(self, worker: Worker) -> bool:
        """Open a worker; return whether it takes tasks now."""
        error = None
        for _ in range(TRIES if self._hello else 0):
            try:
                answer = worker.run(self._hello)
            except Exception as failure:
                error = failure
                if is_final(failure) or self._error:
                    break
            else:
                return self._welcomed(worker, answer)
        if error:
            self._leave_out(worker, error)
        return not error

    def _welcomed(self, worker: Worker, answer: bytes) -> bool:
        """Return whether a worker's answer is accepted."""
        try:
            self._welcome(worker.name, answer)
        except Exception as error:
            self._leave_out(worker, error)
            return False
        return True

    def _tried(self, worker: Worker, job: _Job) -> bool:
        """Let a worker do a job; return whether it is done, or has failed for good."""
        try:
            task = replace(job.task, tries=job.tries + 1)
            job.future.set_result(worker.run(task, job.on_step))
        except Exception as error:
            job.tries += 1
            if is_final(error):
                self._stop(error)
            if job.tries >= TRIES or is_certain(error) or self._error:
                job.future.set_exception(error)
                return True
            self._warn(f"{job.task.title} is tried again: {sentence(error)}")
            return False
        return True

    def _leave_out(self, worker: Worker, error: Exception) -> None:
        """Go on without a worker, and end the crew if it was the last one or if all others would fail, too."""
        with self._changed:
            self._serving -= 1
        if is_final(error) or not self._serving:
            self._stop(error)
        elif not self._error:
            self._warn(f"{worker.name} is left out: {sentence(error)}")

    def _free(self) -> None:
        """Make known that a worker is free."""
        self.idle.release()
        self._on_idle()

    def _next(self) -> _Job | None:
        """Wait for the next job; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._error)
            return self._jobs.popleft() if self._jobs else None

    def _hand_back(self, job: _Job) -> None:
        """Put a job in the first place for another worker."""
        with self._changed:
            if self._error:
                job.future.set_exception(self._error)
            else:
                self._jobs.appendleft(job)
                self._changed.notify()

    def _stop(self, error: Exception) -> None:
        """Let all tasks that wait, and all later ones, fail with an error."""
        with self._changed:
            self._error = self._error or error
            waiting, self._jobs = [*self._jobs], deque()
            self._changed.notify_all()
        for job in waiting:
            job.future.set_exception(self._error)
        self._free()  # Whoever waits for a free worker learns from the next task that there is none
