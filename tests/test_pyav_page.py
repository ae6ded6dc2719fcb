# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The examples of docs/FFMPEG.md for PyAV run with PyPI's wheel, and with a PyAV whose FFmpeg has GVC built in."""

import re
import subprocess
import sys
from pathlib import Path

import av
import pytest
from programs import ROOT, built

PAGE = ROOT / "docs" / "FFMPEG.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
IMPORT = "import gvc.av\n"
FRAMES = 50


@pytest.fixture(scope="module", params=["wheel", *built()], ids=lambda route: getattr(route, "name", route))
def route(request) -> tuple[Path, str]:
    """Return the interpreter of a route, and the page's examples adapted to it."""
    text = "\n\n".join(EXAMPLES)
    assert IMPORT in text
    if request.param == "wheel":
        return Path(sys.executable), text
    python = request.param.prefix / "venv" / "bin" / "python"
    if not python.exists():
        pytest.skip("PyAV was not built for this FFmpeg: make pyav")
    return python, text.replace(IMPORT, "")


def test_the_examples_run(route, tmp_path):
    python, text = route
    with av.open(str(tmp_path / "in.mp4"), "w") as output:
        stream = output.add_stream("mpeg4", 25, width=64, height=48)
        for index in range(FRAMES):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes((5 * index + i // 9) % 256 for i in range(plane.buffer_size)))
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    # The environment of the built PyAV has no Pillow, so this example is left out there.
    text = text.replace('frame.to_image().save("frame.png")', 'print("at", frame.time)')
    done = subprocess.run([python, "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.endswith("(48, 64, 3)")] == [f"{i / 25} (48, 64, 3)" for i in range(FRAMES)]
    assert "at 1.52" in lines
    assert f"[{FRAMES}, {FRAMES}]" in lines
    assert "valid: fast, medium, slow, gvcc" in lines[-1]
