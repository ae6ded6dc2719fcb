# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The page about other programs, and that a wrong picture is noticed when programs are tried."""

import json

import pytest
from programs import STOCK

from tools.compatibility.kit import FRAMES, Kit, TrialError
from tools.compatibility.page import PAGE, RESULTS, page
from tools.compatibility.programs import EDITORS, Program, packets, pictures
from tools.compatibility.table import PROGRAMS

KEPT = json.loads(RESULTS.read_text())


def test_the_page_is_what_was_found():
    assert page(KEPT) == PAGE.read_text(), "write it again: python -m tools.compatibility --page"


def test_each_program_was_tried():
    assert {entry.name for entry in PROGRAMS} == set(KEPT)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    STOCK.require("ffmpeg")
    return Kit(tmp_path_factory.mktemp("kit"))


def tried(kit, command, outcome, out="out.mkv"):
    return Program(EDITORS, "FFmpeg", "ffmpeg", command, outcome, out=out).attempt(kit)


def test_right_pictures_are_called_so(kit):
    assert tried(kit, "gvc ffmpeg -y -i FILM -c:v ffv1 OUT", pictures) == f"all {FRAMES} pictures, all right"


@pytest.mark.parametrize(
    ("command", "outcome", "reason"),
    [
        ("ffmpeg -y -i FILM -c:v ffv1 OUT", pictures, "exit code"),  # without GVC
        (
            "gvc ffmpeg -y -skip_frame nokey -i FILM -vsync 0 -c:v ffv1 OUT",
            pictures,
            "2 pictures, of which 1 are right",
        ),
        ("gvc ffmpeg -y -ss 1.5 -i FILM -c copy OUT", packets, "not the same"),
        ("true FILM", pictures, "no file"),
    ],
)
def test_what_is_wrong_is_told(kit, command, outcome, reason):
    with pytest.raises(TrialError, match=reason):
        tried(kit, command, outcome)
