# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC, a generative video codec. docs/PYTHON.md shows how to use it from Python.

    import gvc

    with gvc.open("film.mkv") as film:
        pictures = [gvc.to_rgb(picture, film.format) for picture in film]

Each name below is imported when it is used first, so `import gvc` alone loads no other library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = [
    "SAMPLE_FORMATS",
    "YUV420P",
    "BitstreamError",
    "Decoder",
    "Encoder",
    "EngineError",
    "FileReader",
    "FileWriter",
    "GvcError",
    "MediaError",
    "OptionError",
    "Packet",
    "Picture",
    "PriorError",
    "RateError",
    "SampleFormat",
    "VideoFormat",
    "__version__",
    "from_rgb",
    "open",
    "open_prior",
    "to_rgb",
]

if TYPE_CHECKING:
    from gvc_container.arrays import from_rgb, to_rgb
    from gvc_container.file import FileReader, FileWriter, open

    from .decoder import Decoder
    from .encoder import Encoder
    from .errors import BitstreamError, EngineError, GvcError, MediaError, OptionError, PriorError, RateError
    from .media import SAMPLE_FORMATS, YUV420P, Packet, Picture, SampleFormat, VideoFormat
    from .priors import open_prior

    __version__: str

_HOMES = {
    "gvc.decoder": ("Decoder",),
    "gvc.encoder": ("Encoder",),
    "gvc.errors": (
        "BitstreamError",
        "EngineError",
        "GvcError",
        "MediaError",
        "OptionError",
        "PriorError",
        "RateError",
    ),
    "gvc.media": ("SAMPLE_FORMATS", "YUV420P", "Packet", "Picture", "SampleFormat", "VideoFormat"),
    "gvc.priors": ("open_prior",),
    "gvc_container.arrays": ("from_rgb", "to_rgb"),
    "gvc_container.file": ("FileReader", "FileWriter", "open"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        value = version(__name__)
    elif name in _HOME_OF:
        value = getattr(import_module(_HOME_OF[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
