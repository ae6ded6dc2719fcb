# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A hostile engine does no harm to libgvc, nor hostile clients to the engine."""

import os

import pytest
from hostile import Engine, client, session
from warm import Server, call, own, served  # noqa: F401

SESSIONS, CLIENTS = 300, 50


@pytest.fixture
def hostile_engine(tmp_path, monkeypatch):
    """Run a hostile engine where libgvc looks for a warm one, and prevent libgvc from starting another."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("GVC_PYTHON", "/bin/false")
    monkeypatch.delenv("GVC_SERVE")
    engine = Engine(tmp_path, seed=0)
    yield engine
    engine.close()


def test_libgvc_survives_a_hostile_engine(hostile_engine):
    """Calls return errors, and no file remains open."""
    session(0)
    before = open_files()
    ended_early = sum(session(seed) for seed in range(SESSIONS))
    assert SESSIONS // 2 < ended_early < SESSIONS
    assert open_files() <= before + 1  # The engine may still hold its end of the last session.


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_a_warm_engine_survives_hostile_clients(own):  # noqa: F811
    """The engine reports no traceback, closes all connections and continues to serve."""
    with Server(own, "--clients", 4) as server:
        assert served()
        server.wait_for("left")
        files = server.open_files()
        for seed in range(CLIENTS):
            with call(server.socket) as line:
                client(line, seed)
            server.wait_for("left")
        assert server.open_files() < files + CLIENTS // 3  # The garbage collector closes the last ones later.
        assert served()
        server.wait_for("left")
        assert "Traceback" not in "".join(server.lines)
