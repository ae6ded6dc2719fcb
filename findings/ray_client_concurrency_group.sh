#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Ray 2.60.0 (Linux x86-64, Python 3.11): a method of an actor is called in a concurrency group with
# `actor.method.options(concurrency_group="io").remote()`, as Ray's documentation has it. The same program, connected to
# the same cluster through Ray's client (ray://), fails with a ValueError about the decorator @ray.remote, which it does
# not use there. Programs that shall run either way need another means, such as max_concurrency.
#
# One expects 1 both times. What happens instead:
#   a member of the cluster: 1
#   through the client: ValueError: Invalid option keyword: 'concurrency_group'. The @ray.remote decorator must be ...
# Exits 1 if that changes.
set -e
folder=$(mktemp -d) head=
trap 'kill "$head" 2>/dev/null || true; wait || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'ray[client]==2.60.0'
cat >"$folder/program.py" <<'PYTHON'
import logging
import sys

import ray

ray.init(address=sys.argv[1], logging_level=logging.ERROR)


@ray.remote(concurrency_groups={"io": 1})
class Worker:
    def one(self):
        return 1


worker = Worker.remote()
try:
    print(ray.get(worker.one.options(concurrency_group="io").remote()))
except ValueError as error:
    print(f"ValueError: {error}"[:110])
PYTHON
export RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=disabled
"$folder/venv/bin/ray" start --head --block --port 6397 --ray-client-server-port 10003 --min-worker-port 20000 \
    --max-worker-port 20999 --num-cpus 2 --include-dashboard false --temp-dir "$folder/ray" >"$folder/log" 2>&1 &
head=$!
until "$folder/venv/bin/python" -c 'import socket; socket.create_connection(("127.0.0.1", 10003)).close()' 2>/dev/null
do
    kill -0 "$head" || { cat "$folder/log"; exit 2; }
done
member=$("$folder/venv/bin/python" "$folder/program.py" 127.0.0.1:6397 2>/dev/null)
client=$("$folder/venv/bin/python" "$folder/program.py" ray://127.0.0.1:10003 2>/dev/null)
"$folder/venv/bin/python" -c 'import ray; print("Ray", ray.__version__)'
echo "a member of the cluster: $member"
echo "through the client: $client"
case "$member $client" in "1 ValueError: Invalid option keyword: 'concurrency_group'"*) ;; *) exit 1 ;; esac
