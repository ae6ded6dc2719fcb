# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The cache folder, in which files are kept between runs."""

from pathlib import Path

import pytest

from gvc.machine.cache import cache_file, keep_note, read_note


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_cache_lies_where_the_variable_says(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "elsewhere"))
    assert cache_file("speed", "a.json") == home / "elsewhere" / "gvc" / "speed" / "a.json"


@pytest.mark.parametrize("variable", ["", "relative/folder", None])
def test_otherwise_it_lies_in_the_home(home, monkeypatch, variable):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if variable is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", variable)
    assert cache_file("speed", "a.json") == home / ".cache" / "gvc" / "speed" / "a.json"


def test_a_user_without_a_home_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # The system does not know the user.
    path = cache_file("speed", "a.json")
    keep_note(path, {"size": 1}, 2.5)
    assert read_note(path, {"size": 1}) is None
    assert not any(Path().iterdir())
