# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""docs/ARCHITECTURE.md names files, sections and rooms that there are, and leaves no room out."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "ARCHITECTURE.md").read_text("utf-8")
CODE = re.findall(r"`([^`\n]+)`", PAGE)
PATHS = [code for code in CODE if "/" in code and " " not in code]
MAP = PAGE.partition("\n## Map\n")[2].partition("\n## ")[0]


def test_each_path_is_there():
    assert len(PATHS) > 100
    assert [path for path in PATHS if not (ROOT / path).exists()] == []


def test_each_section_of_the_map_is_one_of_the_specification():
    titles = re.findall(r"^##+ ([\d.]+) ", (ROOT / "docs" / "BITSTREAM.md").read_text("utf-8"), re.MULTILINE)
    named = [row.split("|")[3].split() for row in MAP.splitlines() if row.count("|") == 5]
    sections = {section for cells in named for section in cells if re.fullmatch(r"[\d.]+", section)}
    assert sections <= set(titles)
    informative = {"1", "11.10", "11.11"}
    assert {title.partition(".")[0] for title in titles} - {s.partition(".")[0] for s in sections} <= informative


def test_the_map_names_tests_of_each_row():
    rows = [row.split("|") for row in MAP.splitlines() if row.startswith("| ") and "files" not in row]
    assert all(re.search(r"`tests/test_\w+\.py`", row[-2]) for row in rows)


def test_rooms_are_those_that_the_linter_checks():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    checked = [row.split(" | ") for row in settings["contracts"][0]["layers"]]
    rows = re.findall(r"^\| ((?:`gvc[\w.]*` ?)+) \|", PAGE, re.MULTILINE)
    assert [re.findall(r"`([\w.]+)`", row) for row in rows] == checked


def test_no_room_is_left_out():
    modules = {path.stem for path in (ROOT / "gvc").iterdir() if path.suffix == ".py" and path.name[0] != "_"}
    packages = {path.parent.name for path in (ROOT / "gvc").glob("*/__init__.py")}
    named = {room.partition(".")[2] for room in CODE if re.fullmatch(r"gvc\.\w+", room)}
    assert modules | packages <= named
    folders = {path.name for path in (ROOT / "ffmpeg_bridge").iterdir() if path.is_dir()}
    assert folders <= {path.split("/")[1] for path in PATHS if path.startswith("ffmpeg_bridge/")} - {""}
