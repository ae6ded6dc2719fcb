# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What `gvc jobs` shows of a folder of jobs."""

import json
from dataclasses import replace

import pytest
from job_folders import ELSEWHERE, SOURCE, folder, path, plan, results  # noqa: F401
from typer.testing import CliRunner

from gvc.cli.app import app
from gvc.fleet.folder import JobFolder
from gvc.fleet.result import Result


def gvc_jobs(*arguments):
    return CliRunner().invoke(app, ["jobs", *map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def mixed(folder, path, plan, results):
    """A folder with a chain that is done, one that has failed and one that another process works on."""
    (name, data), (failed, _), (running, _) = results.items()
    folder.write_result(name, data)
    folder.fail(failed, "no \x1b[2Jmemory", 3)
    (path / f"{running}.claim").write_text(json.dumps({**ELSEWHERE, "host": "fa\x1br"}))
    return path


def test_jobs_are_shown_as_a_table(mixed):
    done = gvc_jobs(mixed)
    assert done.exit_code == 0 and "\x1b" not in done.stdout
    lines = [line.split() for line in done.stdout.splitlines()]
    size = Result.parse(next(mixed.glob("*.gvcj")).read_bytes()).size
    assert lines[2] == ["0", "0", "6", "done", str(size), "1.5", "somebody"]
    assert lines[3] == ["1", "6", "6", "failed", "no", r"\x1b[2Jmemory", "(3", "tries)"]
    assert lines[4] == ["2", "12", "2", "running", r"fa\x1br", "(process", "1)"]
    summary = f"3 chains: 1 done, 1 failed, 1 running; 6 of 14 pictures coded, {size} bytes, 1.5 s"
    assert done.stdout.splitlines()[-1] == summary


def test_jobs_are_shown_as_json(mixed):
    shown = json.loads(gvc_jobs("--json", mixed).stdout)
    assert (shown["source"], shown["stage"], shown["complete"]) == (SOURCE.path, "encode", True)
    assert shown["options"]["keyint"] == 6
    assert [(c["number"], c["first"], c["pictures"], c["state"]) for c in shown["chains"]] == [
        (0, 0, 6, "done"),
        (1, 6, 6, "failed"),
        (2, 12, 2, "running"),
    ]


def test_looking_at_jobs_changes_nothing(mixed):
    (mixed / ".plan.json.00000000-1-1.0.tmp").write_bytes(b"half")
    before = {file.name: file.read_bytes() for file in mixed.iterdir()}
    gvc_jobs(mixed)
    assert {file.name: file.read_bytes() for file in mixed.iterdir()} == before


def test_a_film_with_a_bitrate_is_analysed_first(path, plan):
    options = {**plan.identity.options, "bitrate": 1000}
    film = replace(plan, identity=replace(plan.identity, options=options), complete=False)
    name = film.job(plan.chains[0], "analyse")
    with JobFolder(path) as folder:
        folder.write_plan(film)
        folder.write_result(name, Result(name, [], {"worker": "w", "seconds": 1.0}).to_bytes())
        text = gvc_jobs(path).stdout
        assert "6 of 14 pictures analysed" in text and "More chains may follow" in text
        folder.write_plan(replace(film, bitrates=(1000, 1000, 1000), complete=True))
        assert "0 of 14 pictures coded" in gvc_jobs(path).stdout


@pytest.mark.parametrize("kind", ["nowhere", "empty", "damaged", "file"])
def test_what_is_no_job_folder_is_one_sentence(tmp_path, kind):
    place = tmp_path / kind
    if kind == "file":
        place.write_text("text")
    elif kind != "nowhere":
        place.mkdir()
    if kind == "damaged":
        (place / "plan.json").write_text('{"format": "gvc plan 1"}')
    done = gvc_jobs(place)
    assert done.exit_code in (1, 3) and done.stderr.count("\n") == 1 and str(place) in done.stderr
