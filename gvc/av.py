# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`import gvc.av` makes PyAV know the codec `gvc`.

    import av
    import gvc.av

    with av.open("movie.mkv", "w") as output:
        stream = output.add_stream("gvc", rate=24, width=416, height=240, options={"quality": "40"})

Decoding, seeking and remuxing need nothing more than the import. It works with the wheels of PyPI, whose FFmpeg was
built without GVC. PyAV hides FFmpeg's messages; av.logging.set_level(av.logging.ERROR) shows what GVC says about a
wrong option, for instance. Raises EngineError if the FFmpeg of this PyAV is none that the plugin can serve.

Other libraries may bring an FFmpeg of their own, such as cv2: those loaded before this import know GVC too, and
gvc.av.install() serves those that came later. It returns what became of each. Under `gvc run python ...` all of them
are served as they come, without any import of gvc.
"""

import os
import sys

import av

from .errors import EngineError
from .plugin import install, register

__all__ = ["install"]


def _register() -> None:
    report = register()
    try:
        av.Codec("gvc", "w")
        av.Codec("gvc", "r")
    except ValueError:  # av.codec.codec.UnknownCodecError
        reason = report.replace("\n", "; ") or "its FFmpeg libraries were not found in this process"
        raise EngineError(
            f"PyAV {av.__version__} cannot be taught GVC ({reason}); install one that can: pip install 'av>=18,<20'"
        ) from None
    av.codecs_available.add("gvc")  # PyAV made this set when it was imported
    if sys.executable:  # this interpreter has gvc, so let libgvc start its engine with it
        os.environ.setdefault("GVC_PYTHON", sys.executable)


_register()
