#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Ray 2.60.0 (Linux x86-64, Python 3.11): `ray.init(log_to_driver=False, logging_level=logging.CRITICAL)` says that no
# logs of workers come to the driver, and yet Ray prints what it thinks of a lost worker there, and on standard output.
# A program that writes its result to standard output, for a pipe or a file, gets these lines in the middle of it.
#
# One expects {"answer": 42} and nothing else. What happens instead, after a worker was killed as by a system without
# memory, and Ray has started it again as it was told to:
#   (raylet) A worker died or was killed while executing a task by an unexpected system error. To troubleshoot ...
#   {"answer": 42}
# With RAY_DEDUP_LOGS_SKIP_REGEX=.* set before Ray is imported, nothing is printed. Exits 1 if that changes.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q ray==2.60.0
cat >"$folder/program.py" <<'PYTHON'
import logging
import os
import signal
import sys
import time

import ray

print("Ray", ray.__version__, file=sys.stderr)
ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.CRITICAL)


@ray.remote(max_restarts=-1, max_task_retries=-1)
class Worker:
    def process(self):
        return os.getpid()

    def answer(self):
        time.sleep(2)
        return 42


worker = Worker.remote()
process = ray.get(worker.process.remote())
answer = worker.answer.remote()
time.sleep(1)
os.kill(process, signal.SIGKILL)
print('{"answer": %d}' % ray.get(answer))
time.sleep(2)  # Ray's lines come from another thread
ray.shutdown()
PYTHON
export RAY_USAGE_STATS_ENABLED=0
"$folder/venv/bin/python" "$folder/program.py" >"$folder/as-it-comes"
RAY_DEDUP_LOGS_SKIP_REGEX=.* "$folder/venv/bin/python" "$folder/program.py" >"$folder/silenced"
echo "standard output as it comes:"
cut -c 1-110 "$folder/as-it-comes"
echo "with RAY_DEDUP_LOGS_SKIP_REGEX=.*:"
cat "$folder/silenced"
grep -q raylet "$folder/as-it-comes" && [ "$(cat "$folder/silenced")" = '{"answer": 42}' ]
