# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""OBS Studio, which records a scene that has nothing but the film, on a screen that nobody sees."""

import json
from pathlib import Path

from .kit import FRAMES, RATE, SIZE, Kit, TrialError
from .programs import Program

SECONDS = 25  # Time in which OBS starts and plays the film at least once
WIDTH, HEIGHT = SIZE.split("x")
SETTINGS = f"""\
[General]
Name=Untitled
[Output]
Mode=Simple
[SimpleOutput]
FilePath=FOLDER
RecQuality=Lossless
[Video]
BaseCX={WIDTH}
BaseCY={HEIGHT}
OutputCX={WIDTH}
OutputCY={HEIGHT}
FPSCommon={RATE} PAL
"""
START = """\
[General]
FirstRun=true
[Basic]
Profile=Untitled
ProfileDir=Untitled
SceneCollection=Untitled
SceneCollectionFile=Untitled
"""


def _scene(film: Path) -> str:
    """Return a collection of scenes with one scene, which shows the film again and again."""
    media = {"local_file": str(film), "is_local_file": True, "looping": True}
    item = {"name": "film", "id": 1, "visible": True}
    sources = [
        {"id": "ffmpeg_source", "versioned_id": "ffmpeg_source", "name": "film", "settings": media},
        {"id": "scene", "versioned_id": "scene", "name": "Scene", "settings": {"id_counter": 1, "items": [item]}},
    ]
    scene = {"name": "Untitled", "current_scene": "Scene", "scene_order": [{"name": "Scene"}], "sources": sources}
    return json.dumps(scene | {"current_program_scene": "Scene"})


def _recorded(program: Program, kit: Kit, film: Path) -> set[str]:
    """Return the MD5s of the pictures that OBS shows of a film."""
    home = kit.folder / f"obs-{film.stem}"
    files = {
        "global.ini": START,
        "basic/profiles/Untitled/basic.ini": SETTINGS.replace("FOLDER", str(home)),
        "basic/scenes/Untitled.json": _scene(film),
    }
    for name, text in files.items():
        path = home / "obs-studio" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = ["timeout", "--signal=INT", str(SECONDS), "xvfb-run", "-a", *program.words(film.name)]
    variables = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "QT_QPA_PLATFORM": "xcb",
    }
    done = kit.run(command, check=False, **variables)
    recordings = [*home.glob("*.avi")]
    if len(recordings) != 1:
        raise TrialError(f"no recording: {done.stderr.strip()[-200:]}")
    return set(kit.hashes(recordings[0]))


def records(program: Program, kit: Kit) -> str:
    """Compare recordings of both films. OBS starts before the film does, so other pictures may come first."""
    right = _recorded(program, kit, kit.film) & _recorded(program, kit, kit.lossless)
    if len(right) < FRAMES:
        raise TrialError(f"{len(right)} of {FRAMES} pictures are right")
    return f"all {FRAMES} pictures, all right"
