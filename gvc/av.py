# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`import gvc.av` makes PyAV know the codec `gvc`.

    import av
    import gvc.av

    with av.open("movie.mkv", "w") as output:
        stream = output.add_stream("gvc", rate=24, width=416, height=240, options={"quality": "40"})

Decoding, seeking and remuxing need nothing more than the import. It works with the wheels of PyPI, whose FFmpeg was
built without GVC. PyAV hides FFmpeg's messages; av.logging.set_level(av.logging.ERROR) shows them, for instance what
GVC says about a wrong option. The import raises EngineError if the plugin cannot serve the FFmpeg of this PyAV.

Other libraries, such as cv2, may bring an FFmpeg of their own. The import also registers GVC in those that are loaded
already. gvc.av.install() does so for those loaded later and returns a report on each. Under `gvc run python ...` every
FFmpeg library gets GVC when it is loaded, without any import of gvc.
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
            f"PyAV {av.__version__} cannot use GVC ({reason}); install a version that can: pip install 'av>=18,<19'"
        ) from None
    av.codecs_available.add("gvc")  # PyAV filled this set before GVC was registered.
    if sys.executable:  # libgvc must start the engine with this interpreter, which has gvc.
        os.environ.setdefault("GVC_PYTHON", sys.executable)


_register()
