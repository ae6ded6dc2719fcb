# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc install-desktop`: file managers recognise GVC in Matroska, and show its keyframes as thumbnails."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

from ..errors import EngineError
from .report import Report

MIME_TYPE = "video/x-matroska-gvc"
# *.mkv weighs less here than for video/x-matroska, so other Matroska files keep their type, and GVC is found by magic.
# The pattern must be there all the same: GLib takes no magic whose type the name rules out.
MIME_INFO = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by `gvc install-desktop`, whose option remove removes it. -->
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="{MIME_TYPE}">
    <comment>GVC video</comment>
    <generic-icon name="video-x-generic"/>
    <sub-class-of type="video/x-matroska"/>
    <glob pattern="*.mkv" weight="40"/>
    <magic priority="60">
      <match type="big32" value="0x1a45dfa3" offset="0">
        <match type="string" value="V_MS/VFW/FOURCC" offset="64:16384">
          <match type="string" value="GVC1\\x01" offset="64:16384"/>
        </match>
      </match>
    </magic>
  </mime-type>
</mime-info>
"""
THUMBNAILER = """\
# Written by `gvc install-desktop`; `gvc install-desktop --remove` removes it.
[Thumbnailer Entry]
TryExec={program}
Exec={command} preview --quiet --overwrite --at 1/10 --size %s --output %o -- %i
MimeType={mime_type};
"""


def install_desktop(report: Report, *, remove: bool) -> None:
    """Install MIME type and thumbnailer for this user, in $XDG_DATA_HOME or ~/.local/share, or remove them.

    report: gets the names of the files.
    remove: whether to remove what an earlier call has installed.

    Raises EngineError if the program that makes a MIME type known is missing or fails, OSError.
    """
    folder = platformdirs.user_data_path()
    files = {folder / "mime/packages/gvc.xml": MIME_INFO, folder / "thumbnailers/gvc.thumbnailer": thumbnailer()}
    update = shutil.which("update-mime-database")
    if not update:
        raise EngineError("update-mime-database is not here; install it (Debian: apt-get install shared-mime-info)")
    for path, text in files.items():
        if remove:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        report.say(f"{path}: {'removed' if remove else 'written'}")
    mime = folder / "mime"
    if mime.is_dir():
        done = subprocess.run([update, mime], capture_output=True, text=True, check=False)
        if done.returncode:
            raise EngineError(f"update-mime-database failed: {done.stderr.strip()}")


def thumbnailer() -> str:
    """Return the thumbnailer's entry, which starts the `gvc` of this environment."""
    script = Path(sys.executable).with_name("gvc")
    words = [str(script)] if script.exists() else [sys.executable, "-m", "gvc"]
    command = shlex.join(words).replace("%", "%%")
    return THUMBNAILER.format(program=words[0], command=command, mime_type=MIME_TYPE)
