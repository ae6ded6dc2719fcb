# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The examples of docs/PYTHON.md and of the README run, those of the page as programs of their own."""

import re
import subprocess
import sys

import av
import numpy as np
import pytest
from programs import ROOT

import gvc
from gvc.options import DECODER_OPTIONS, ENCODER_OPTIONS

PAGE = (ROOT / "docs" / "PYTHON.md").read_text("utf-8")
EXAMPLES = {
    title: re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    for title, section in re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder in which the examples run, one after another."""
    folder = tmp_path_factory.mktemp("page")
    with av.open(str(folder / "film.mp4"), "w") as output:
        video = output.add_stream("mpeg4", 25, width=64, height=48)
        sound = output.add_stream("aac", 48000)
        for index in range(30):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes((5 * index + i // 9) % 256 for i in range(plane.buffer_size)))
            output.mux(video.encode(frame))
            silence = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            silence.sample_rate = 48000
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            output.mux(sound.encode(silence))
        output.mux([*video.encode(None), *sound.encode(None)])
    return folder


def run(folder, title: str, number: int = 0) -> list[str]:
    """The lines that an example prints."""
    program = folder / "example.py"
    program.write_text(EXAMPLES[title][number])
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", program],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_arrays_go_to_a_file_and_come_back(folder):
    assert run(folder, "Arrays to a file") == []
    assert run(folder, "A file to arrays") == ["160 96 25.0", "1.96 (96, 160, 3)", "0.48"]


def test_any_video_goes_to_a_file_with_its_sound(folder):
    assert run(folder, "Any video to a file") == []
    with gvc.open(folder / "film.mkv") as film:
        assert len(list(film)) == 30
        assert film.demuxer.other_tracks == 1


def test_planes_have_times_and_keyframes(folder):
    lines = [line.split() for line in run(folder, "Planes, times, keyframes")]
    assert [line[:3] for line in lines] == [
        ["0", "40", "True"],
        ["40", "40", "False"],
        ["95", "40", "True"],
        ["200", "40", "False"],
    ]
    assert [round((int(line[3]) - 50) / 30) for line in lines] == [0, 1, 2, 3]  # shades are 30 apart


def test_packets_go_round(folder):
    (line,) = run(folder, "Packets")
    count, size, shown = map(int, line.split())
    assert (count, shown) == (20, 1)
    assert 0 < size < 20 * 64 * 48


def test_steps_are_told(folder):
    lines = run(folder, "Steps")
    steps = int(lines[0].split()[5].rstrip(":"))
    assert [line.split(":")[0] for line in lines] == [f"GOP 1, step {step} of {steps}" for step in range(1, steps + 1)]
    times = [[float(time) for time in line.split(": ")[1].split(",")[0].split(" to ")] for line in lines]
    assert times[0][0] == 1 and all(t >= s for t, s in times)


def test_the_table_of_options_is_printed(folder):
    lines = run(folder, "Options")
    assert len(lines) == len(ENCODER_OPTIONS + DECODER_OPTIONS)
    assert any(line.startswith("quality | 30.0 | valid: 0 to 100 | ") for line in lines)


def test_errors_have_the_codes_of_the_page(folder):
    lines = run(folder, "Errors")
    assert [line.split()[:2] for line in lines] == [["OptionError", "-12"], ["PriorError", "-13"]]
    table = dict(re.findall(r"^\| `(\w+Error)` \| (-\d+) \|", PAGE, re.MULTILINE))
    kinds = {name for name in gvc.__all__ if name.endswith("Error")} - {"GvcError"}
    assert table == {name: str(getattr(gvc, name).code) for name in kinds}


def test_threads_share_a_model_and_processes_are_spawned(folder):
    (sizes,) = run(folder, "Threads and processes")
    assert re.fullmatch(r"\[\d+, \d+, \d+\]", sizes)
    assert run(folder, "Threads and processes", 1) == ["['first.mkv', 'second.mkv']"]


def test_the_example_of_the_readme_runs(tmp_path, monkeypatch):
    (example,) = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    names = {"pictures": [np.full((32, 48, 3), shade, np.uint8) for shade in (80, 90)]}
    exec(compile(example, "README.md", "exec"), names)
    assert [round(pixels.mean(), -1) for pixels in names["pictures"]] == [80, 90]


def test_all_examples_have_been_run():
    ran = {"Threads and processes": 2} | dict.fromkeys(
        (
            "Arrays to a file",
            "A file to arrays",
            "Any video to a file",
            "Planes, times, keyframes",
            "Packets",
            "Steps",
            "Options",
            "Errors",
        ),
        1,
    )
    assert {title: len(examples) for title, examples in EXAMPLES.items() if examples} == ran


def test_the_page_names_what_there_is():
    reference = PAGE.partition("## Reference")[2]
    assert set(re.findall(r"`gvc\.(\w+)", reference)) | {"FileReader", "FileWriter"} >= {
        name for name in gvc.__all__ if not name.endswith("Error")
    }
    for module, name in re.findall(r"`(gvc[\w.]*)\.([A-Za-z_]\w*)[`(]", PAGE):
        assert module == "gvc.h" or hasattr(__import__(module, fromlist=[name]), name), f"{module}.{name}"
