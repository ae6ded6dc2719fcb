# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Generated files for FFmpeg and for the protocol with libgvc are current, and the patches apply."""

import shutil
import subprocess
import sys

import pytest
from programs import ROOT

from gvc import options

sys.path.insert(0, str(ROOT / "ffmpeg_bridge" / "tools"))
import make_declarations
import make_patches as patches

RELEASES = sorted(folder.name for folder in patches.PATCHES.iterdir() if folder.is_dir())


def series(release):
    """Return the patches for a release, texts by file name."""
    return {path.name: path.read_text() for path in sorted((patches.PATCHES / release).iterdir())}


@pytest.fixture(params=RELEASES)
def tree(request, tmp_path):
    """Return (release, folder) with the parts of FFmpeg's files that the patches contain, at the right lines."""
    source = patches.source_of_series(patches.PATCHES / request.param)
    for path in {insert.path for patch in patches.SERIES for insert in patch.inserts}:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("".join(f"{line}\n" for line in source[path]))
    return request.param, tmp_path


def apply_by_patch(release, folder):
    for path in sorted((patches.PATCHES / release).iterdir()):
        subprocess.run(["patch", "-p1", "--fuzz=0", "-i", path], cwd=folder, check=True, capture_output=True)


def apply_by_git(release, folder):
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"]
    for arguments in (["init"], ["add", "."], ["commit", "-m", "FFmpeg"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True, capture_output=True)
    files = sorted((patches.PATCHES / release).iterdir())
    subprocess.run([*git, "am", *files], cwd=folder, check=True, capture_output=True)
    log = subprocess.run([*git, "log", "--format=%s"], cwd=folder, check=True, capture_output=True, text=True).stdout
    assert log.splitlines() == [*(patch.subject for patch in reversed(patches.SERIES)), "FFmpeg"]


def test_the_releases_that_are_promised():
    assert {"5.1", "7.1"} < set(RELEASES)
    assert len(RELEASES) > 2


def test_table_of_options_is_current():
    path = ROOT / "ffmpeg_bridge" / "include" / "gvc_options.h"
    assert path.read_text() == options.c_table(), "run: make generate"


@pytest.mark.parametrize("release", RELEASES)
def test_patches_are_current(release):
    made = patches.make_series(patches.source_of_series(patches.PATCHES / release))
    assert series(release) == made, "run: make generate"


@pytest.mark.parametrize(("program", "apply"), [("patch", apply_by_patch), ("git", apply_by_git)])
def test_patches_apply(tree, program, apply):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    release, folder = tree
    before = {path: path.read_text() for path in folder.rglob("*") if path.is_file()}
    apply(release, folder)
    for name in patches.WRAPPER:
        path = folder / "libavcodec" / name
        assert path.read_text() == (patches.BRIDGE / "libavcodec" / name).read_text()
    for patch in patches.SERIES:
        for insert in patch.inserts:
            after = (folder / insert.path).read_text()
            assert f"{insert.text}\n" in after
            assert f"{insert.text}\n" not in before[folder / insert.path]
    assert not list(folder.rglob("*.rej"))


def test_a_place_that_is_not_clear_is_refused():
    insert = patches.Insert("file", "anchor", "text")
    for lines in ([], ["anchor", "anchor"]):
        with pytest.raises(SystemExit, match=f"file has these lines {len(lines)} times"):
            insert.position(lines)


def test_the_declarations_of_the_protocol_are_current():
    written = make_declarations.TARGET.read_text()
    assert written == make_declarations.declarations(), "run make generate"
